"""The line over Redis when something is wrong with it."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from realtime.backplane.redis import LineMetrics, Pace, RedisBackplane
from realtime.backplane.redis.envelope import Envelope, head_of, opened, sealed
from realtime.backplane.redis.needs import PLACES, Needs, OwnNeeds, place_of
from realtime.backplane.redis.words import MOST_BYTES, Words
from realtime.errors import Closing
from realtime.publisher import Publication
from tests.realtime.stalling_proxy import stalling_proxy
from tests.realtime.ward import eventually
from tests.redis_server import RedisServer

QUICK = Pace(beat_s=0.05, deaf_s=0.5, gone_s=1.0, first_pause_s=0.02, longest_pause_s=0.1)


class Ear:
    """A plug and what it heard."""

    def __init__(self, url: str, name: str, pace: Pace = QUICK) -> None:
        self.plug = RedisBackplane(url, name=name, pace=pace)
        self.heard: list[int | None] = []
        self.doubts = 0

    def deliver(self, publications: Sequence[Publication]) -> None:
        self.heard.extend(publication.position for publication in publications)

    def close_connections(
        self, person_id: str, reason: Closing, session_ids: frozenset[str] | None
    ) -> None:
        raise AssertionError("nobody asked for it")

    def missed_some(self) -> None:
        self.doubts += 1

    def tell(self, position: int, channel: str = "conversation:1") -> None:
        self.plug.broadcast([Publication(channel, "chat.sent", b"{}", position)])


@asynccontextmanager
async def ears(*urls: str, pace: Pace = QUICK) -> AsyncIterator[list[Ear]]:
    """Nodes that know each other, all hearing one conversation."""
    name = secrets.token_hex(4)
    all_ears = [Ear(url, name, pace) for url in urls]
    for ear in all_ears:
        await ear.plug.start(ear)
        ear.plug.need("conversation:1", True)
    await eventually(acquainted(all_ears))
    yield all_ears
    for ear in all_ears:
        await ear.plug.stop()


def acquainted(all_ears: Sequence[Ear]) -> Callable[[], bool]:
    def holds() -> bool:
        return all(
            ear.plug.is_sound and ear.plug.metrics.nodes == len(all_ears) - 1 for ear in all_ears
        )

    return holds


async def say(redis: RedisServer, ear: Ear, data: bytes) -> None:
    """Something on the line that no plug has said."""
    async with Redis.from_url(redis.url) as client:
        await client.publish(ear.plug.channel, data)


async def test_a_redis_that_comes_later_is_waited_for(own_redis: RedisServer) -> None:
    own_redis.kill()
    first, second = (Ear(own_redis.url, "late") for _ in range(2))
    for ear in (first, second):
        await ear.plug.start(ear)
        ear.plug.need("conversation:1", True)
        ear.tell(1)
    await first.plug.announced()
    assert first.plug.fault
    await own_redis.start()
    await eventually(acquainted([first, second]))
    first.tell(2)
    await eventually(lambda: second.heard == [2])
    for ear in (first, second):
        await ear.plug.stop()


async def test_after_redis_was_killed_both_ask_storage_and_hear_each_other_again(
    own_redis: RedisServer,
) -> None:
    async with ears(own_redis.url, own_redis.url) as (first, second):
        own_redis.kill()
        await eventually(lambda: bool(first.plug.fault and second.plug.fault))
        assert not first.plug.is_sound
        before = first.doubts, second.doubts
        first.tell(1)
        await own_redis.start()
        await eventually(acquainted([first, second]))
        assert first.doubts > before[0]
        assert second.doubts > before[1]
        first.tell(2)
        await eventually(lambda: bool(second.heard))
        assert second.heard == [2]


async def test_a_node_that_hears_nothing_connects_anew(redis_server: RedisServer) -> None:
    async with stalling_proxy(redis_server.port) as proxy:
        behind = f"redis://127.0.0.1:{proxy.port}"
        async with ears(redis_server.url, behind) as (first, deaf):
            connects, doubts = deaf.plug.metrics.connects, deaf.doubts
            proxy.stall()
            first.tell(1)
            await eventually(lambda: deaf.plug.metrics.connects > connects)
            await eventually(lambda: deaf.doubts > doubts and deaf.plug.is_sound)
            await eventually(acquainted([first, deaf]))
            first.tell(2)
            await eventually(lambda: 2 in deaf.heard)


async def test_a_node_that_stops_says_farewell(redis_server: RedisServer) -> None:
    async with ears(redis_server.url, redis_server.url, pace=Pace()) as (first, second):
        second.tell(1)
        await second.plug.stop()
        await eventually(lambda: first.plug.metrics.nodes == 0)
        assert first.heard == [1]
        assert first.plug.is_sound


async def test_a_node_that_was_forgotten_meanwhile_asks_storage_when_it_speaks_again(
    redis_server: RedisServer,
) -> None:
    name = secrets.token_hex(4)
    first = Ear(redis_server.url, name, replace(QUICK, gone_s=0.2))
    slow = Ear(redis_server.url, name, replace(QUICK, beat_s=0.8, deaf_s=10.0))
    for ear in (first, slow):
        await ear.plug.start(ear)
        ear.plug.need("conversation:1", True)
    await eventually(lambda: first.plug.metrics.nodes == 1)
    await eventually(lambda: first.plug.metrics.nodes == 0)
    doubts = slow.doubts
    first.tell(1)
    await eventually(lambda: slow.doubts > doubts)
    assert slow.heard == []
    for ear in (first, slow):
        await ear.plug.stop()


async def test_nothing_is_sent_that_nobody_elsewhere_needs(redis_server: RedisServer) -> None:
    async with ears(redis_server.url, redis_server.url) as (first, second):
        first.tell(1, "conversation:2")
        first.tell(2)
        await eventually(lambda: second.heard == [2])
        assert first.plug.metrics.publications_sent == 1
        second.plug.need("conversation:1", False)
        await second.plug.announced()
        first.tell(3)
        second.plug.need("conversation:1", True)
        await second.plug.announced()
        first.tell(4)
        await eventually(lambda: second.heard == [2, 4])


async def test_what_is_no_envelope_is_refused_without_a_traceback(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with ears(redis_server.url, redis_server.url) as (first, second):
        bad = [b"", b"hello", b"yx", head_of("0" * 12), head_of("0" * 12) + b"\xc1" * 50]
        for data in bad:
            await say(redis_server, first, data)
        await eventually(lambda: first.plug.metrics.envelopes_refused == len(bad))
        second.tell(1)
        await eventually(lambda: first.heard == [1])
    assert not [record for record in caplog.records if record.exc_info]


async def test_needs_that_cannot_be_read_end_nothing(redis_server: RedisServer) -> None:
    async with ears(redis_server.url, redis_server.url) as (first, second):
        odd = sealed(head_of("0" * 12), Envelope(1, [], []))
        raw = odd.replace(b"\x90\x90", b"\x90\x91\x93\xa3all\x01\xc4\x03abc")
        assert opened(raw)[1].notes
        await say(redis_server, first, raw)
        await eventually(lambda: first.plug.metrics.envelopes_refused == 1)
        second.tell(1)
        await eventually(lambda: first.heard == [1])


async def test_an_envelope_of_another_version_makes_nodes_ask_storage(
    redis_server: RedisServer,
) -> None:
    async with ears(redis_server.url, redis_server.url) as (first, _):
        doubts = first.doubts
        await say(redis_server, first, b"yx\x63" + b"0" * 40)
        await eventually(lambda: first.doubts > doubts)


async def test_a_missing_number_makes_a_node_ask_storage(redis_server: RedisServer) -> None:
    async with ears(redis_server.url, redis_server.url) as (first, _):
        head = head_of("0" * 12)
        await say(redis_server, first, sealed(head, Envelope(1, [], [])))
        await eventually(lambda: first.plug.metrics.nodes == 2)
        doubts = first.plug.metrics.doubts
        await say(redis_server, first, sealed(head, Envelope(3, [], [])))
        await eventually(lambda: first.plug.metrics.doubts > doubts)


async def test_a_silent_node_is_waited_for_no_longer_and_then_forgotten(
    redis_server: RedisServer,
) -> None:
    pace = replace(QUICK, announce_s=60.0)
    async with ears(redis_server.url, redis_server.url, pace=pace) as (first, _):
        await say(redis_server, first, sealed(head_of("0" * 12), Envelope(1, [], [])))
        await eventually(lambda: first.plug.metrics.nodes == 2)
        first.plug.need("conversation:9", True)
        async with asyncio.timeout(10):
            await first.plug.announced()
        assert not first.plug.is_sound
        await eventually(lambda: first.plug.metrics.nodes == 1 and first.plug.is_sound)


def test_too_much_that_waits_is_dropped_and_its_number_skipped() -> None:
    metrics = LineMetrics()
    words = Words(head_of("0" * 12), metrics)
    words.open()
    large = Publication("c", "e", b"x" * (MOST_BYTES // 2), 1)
    words.publish([large])
    words.publish([large])
    words.publish([Publication("c", "e", b"{}", 2)])
    _, envelope = opened(words.seal())
    assert [publication.position for publication in envelope.publications] == [2]
    assert envelope.number == 2
    assert metrics.publications_dropped == 2


def test_what_is_published_together_travels_together() -> None:
    words = Words(head_of("0" * 12), LineMetrics())
    words.open()
    large = [Publication("c", "e", b"x" * 100_000, position) for position in range(8)]
    words.publish(large[:4])
    words.publish(large[4:])
    sizes = [len(opened(words.seal())[1].publications) for _ in range(2)]
    assert sizes == [4, 4]


def test_needs_are_told_whole_or_as_what_has_changed() -> None:
    own = OwnNeeds()
    for channel in ("a", "b", "a"):
        own.set(channel, True)
    own.set("b", False)
    own.tell_all()
    whole = Needs(own.take().packed)
    assert place_of("a") in whole
    assert place_of("b") not in whole
    own.set("a", False)
    assert not own.untold
    own.set("a", False)
    own.set("c", True)
    change = own.take()
    whole.change(change.added, [*change.removed, 5 * PLACES])
    assert place_of("a") not in whole
    assert place_of("c") in whole


def test_a_password_never_shows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    plug = RedisBackplane("redis://:verysecret@127.0.0.1:1/0")
    assert "verysecret" not in repr(vars(plug))
