"""Two hubs over one line, as two nodes are."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from realtime.backplane.memory import MemoryLine
from realtime.backplane.redis import Pace, RedisBackplane
from realtime.errors import Closing
from realtime.gaps import Patience
from realtime.testing import SocketClient
from tests.realtime.ledger import Ledger
from tests.realtime.ward import Ward, eventually, running_ward
from tests.redis_server import RedisServer

TALK = "conversation:1"
QUICK = Pace(beat_s=0.2, first_pause_s=0.02, longest_pause_s=0.2)


async def test_what_one_node_is_told_the_others_people_hear_in_order() -> None:
    line = MemoryLine()
    async with (
        running_ward(backplane=line.plug()) as first,
        running_ward(backplane=line.plug()) as second,
    ):
        for ward in (first, second):
            ward.application.channels = {"li": ["conversation:1"], "wu": ["conversation:1"]}
        li, wu = await first.connect("li"), await second.connect("wu")
        for position in range(1, 51):
            first.tell("conversation:1", position)
        first.tell("conversation:1", 51, "chat.members_changed", leaves=("wu",))
        first.tell("conversation:1", 52)
        first.tell("person:wu", 1, "end")
        await wu.wait_for("end")
        await li.wait_for("chat.sent", lambda event: event["position"] == 52)
        assert [event["position"] for _, event in wu.events] == [*range(1, 52), 1]
        assert len(li.named("chat.sent")) == 51


async def test_a_disconnect_reaches_the_persons_sockets_on_every_node() -> None:
    line = MemoryLine()
    async with (
        running_ward(backplane=line.plug()) as first,
        running_ward(backplane=line.plug()) as second,
    ):
        desk = await first.connect("li/desk")
        phone = await second.connect("li/phone")
        first.hub.disconnect("li", Closing.REVOKED, session_ids=frozenset({"phone"}))
        await phone.ended()
        assert phone.named("closing") == [{"reason": "revoked", "reconnect": False}]
        assert desk.is_open


class Pair:
    """Two nodes over Redis with one storage; li is on the first, wu on the second."""

    def __init__(self, ledger: Ledger, wards: list[Ward], plugs: list[RedisBackplane]) -> None:
        self.ledger, self.wards, self.plugs = ledger, wards, plugs
        self.people: list[SocketClient] = []

    async def connect(self) -> None:
        for ward, person_id in zip(self.wards, ("li", "wu"), strict=True):
            ward.application.channels[person_id] = [TALK]
            self.people.append(await ward.connect(person_id))

    def tell(self, times: int, channel: str = TALK) -> None:
        """Each node in turn stores an event and publishes it."""
        for _ in range(times):
            for ward in self.wards:
                ward.hub.publish([self.ledger.store(channel)])

    async def talk(self) -> None:
        """Tell without end."""
        while True:
            self.tell(1)
            await asyncio.sleep(0.002)

    def progresses(self) -> Callable[[], bool]:
        """Whether everybody was shown something more."""
        before = [len(shown) for shown in self.shown()]
        return lambda: all(len(now) > then for now, then in zip(self.shown(), before, strict=True))

    def is_linked(self) -> bool:
        return all(plug.is_sound and plug.metrics.nodes == 1 for plug in self.plugs)

    def shown(self, channel: str = TALK) -> list[list[int]]:
        return [
            [event["position"] for _, event in person.events if event["channel"] == channel]
            for person in self.people
        ]

    async def all_shown(self, within_s: float = 20.0) -> None:
        """Everybody is shown everything, in order and once."""
        everything = [*range(1, self.ledger.ends_of(TALK) + 1)]
        await eventually(
            lambda: all(len(shown) >= len(everything) for shown in self.shown()), within_s
        )
        assert self.shown() == [everything, everything]


@asynccontextmanager
async def running_pair(redis: RedisServer, ledger: Ledger) -> AsyncIterator[Pair]:
    plugs = [RedisBackplane(redis.url, name="pair", pace=QUICK) for _ in range(2)]
    async with (
        running_ward(backplane=plugs[0], history=ledger, patience=Patience()) as first,
        running_ward(backplane=plugs[1], history=ledger, patience=Patience()) as second,
    ):
        pair = Pair(ledger, [first, second], plugs)
        await eventually(pair.is_linked)
        await pair.connect()
        yield pair


@pytest.mark.redis
@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.nightly)])
async def test_nothing_is_lost_doubled_or_swapped_when_redis_is_killed(
    own_redis: RedisServer, times: int
) -> None:
    async with running_pair(own_redis, Ledger({TALK: ("li", "wu")})) as pair:
        for _ in range(times):
            talking = asyncio.create_task(pair.talk())
            await eventually(pair.progresses())
            own_redis.kill()
            await eventually(lambda: not any(plug.is_sound for plug in pair.plugs))
            await own_redis.start()
            back_at = time.monotonic()
            await eventually(pair.is_linked, 20.0)
            await eventually(pair.progresses())
            talking.cancel()
            await asyncio.wait((talking,))
            await pair.all_shown()
            print(f"all there {time.monotonic() - back_at:.2f} s after Redis")


@pytest.mark.redis
async def test_both_nodes_write_one_channel_and_everybody_sees_one_order(
    redis_server: RedisServer,
) -> None:
    async with running_pair(redis_server, Ledger({TALK: ("li", "wu")})) as pair:
        for _ in range(50):
            pair.tell(4)
            await asyncio.sleep(0)
        await pair.all_shown()


@pytest.mark.redis
async def test_changes_of_membership_that_cross_while_redis_is_away_end_in_the_same_state(
    own_redis: RedisServer,
) -> None:
    async with running_pair(own_redis, Ledger({TALK: ("li", "wu")})) as pair:
        first, second = pair.wards
        own_redis.kill()
        await eventually(lambda: not any(plug.is_sound for plug in pair.plugs))
        first.hub.publish(pair.ledger.change("conversation:2", joins=("li", "wu")))
        second.hub.publish([pair.ledger.store("conversation:2")])
        first.hub.publish(pair.ledger.change(TALK, leaves=("wu",)))
        second.hub.publish([pair.ledger.store(TALK)])
        await own_redis.start()
        await eventually(lambda: pair.shown("conversation:2") == [[1, 2], [1, 2]], 20.0)
        await eventually(lambda: not second.hub.is_member("wu", TALK), 20.0)
        await eventually(lambda: pair.shown()[0] == [1, 2], 20.0)
        assert pair.shown()[1] == [1]
        await eventually(pair.is_linked, 20.0)
        first.hub.publish([pair.ledger.store("conversation:2")])
        await eventually(lambda: pair.shown("conversation:2") == [[1, 2, 3], [1, 2, 3]])
