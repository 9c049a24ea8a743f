"""What came out of order, or not at all, is delivered in order and once."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from realtime.application import Reach
from realtime.backplane.memory import MemoryBackplane
from realtime.gaps import Patience
from realtime.order import MOST_HELD
from realtime.publisher import Publication
from realtime.testing import ConnectRefused, SocketClient
from tests.clocks import ManualClock
from tests.realtime.ledger import Ledger
from tests.realtime.ward import Ward, eventually, running_ward

TALK = "conversation:1"
QUICK = Patience(hold_s=0.01, again_s=0.0, unsound_s=3600, sweep_s=3600, pause_s=0.01)
PATIENT = replace(QUICK, hold_s=3600)


@dataclass
class Node:
    """A hub that hears other nodes, and what it has stored behind it."""

    ward: Ward
    ledger: Ledger

    def hear(self, *publications: Publication) -> None:
        """Another node tells this."""
        self.ward.hub.deliver(publications)

    async def connect(self, person_id: str) -> SocketClient:
        self.ward.application.channels[person_id] = list(await self.ledger.channels_of(person_id))
        return await self.ward.connect(person_id)


@asynccontextmanager
async def running_node(
    ledger: Ledger, patience: Patience = QUICK, clock: ManualClock | None = None
) -> AsyncIterator[Node]:
    async with running_ward(
        backplane=MemoryBackplane(), history=ledger, patience=patience, clock=clock
    ) as ward:
        yield Node(ward, ledger)


def ledger() -> Ledger:
    return Ledger({TALK: ("li", "wu")})


def positions(client: SocketClient, channel: str = TALK) -> list[int]:
    return [event["position"] for _, event in client.events if event["channel"] == channel]


async def shown(client: SocketClient, expected: Sequence[int], channel: str = TALK) -> None:
    """Wait until a client was shown this many events, and compare."""
    await eventually(lambda: len(positions(client, channel)) >= len(expected))
    assert positions(client, channel) == [*expected]


async def test_what_comes_early_waits_for_what_comes_late() -> None:
    async with running_node(ledger(), PATIENT) as node:
        li = await node.connect("li")
        told = [node.ledger.store(TALK) for _ in range(5)]
        reads = len(node.ledger.reads)
        for place in (0, 2, 4, 3, 1):
            node.hear(told[place])
        await shown(li, range(1, 6))
        assert len(node.ledger.reads) == reads


async def test_what_does_not_come_is_read() -> None:
    async with running_node(ledger()) as node:
        li = await node.connect("li")
        told = [node.ledger.store(TALK) for _ in range(5)]
        node.hear(told[0], told[3])
        await shown(li, range(1, 6))
        node.hear(*told)
        node.hear(node.ledger.store(TALK))
        await shown(li, range(1, 7))


async def test_a_publication_waits_no_longer_than_it_may() -> None:
    clock = ManualClock()
    async with running_node(ledger(), replace(QUICK, hold_s=10), clock) as node:
        li = await node.connect("li")
        told = [node.ledger.store(TALK) for _ in range(2)]
        node.hear(told[1])
        clock.advance(9.9)
        node.hear(node.ledger.store("conversation:2"))
        assert positions(li) == []
        clock.advance(0.2)
        node.hear(node.ledger.store(TALK))
        node.ward.hub.missed_some()
        await shown(li, range(1, 4))


async def test_what_is_told_twice_is_shown_once() -> None:
    async with running_node(ledger()) as node:
        li = await node.connect("li")
        told = [node.ledger.store(TALK) for _ in range(3)]
        node.hear(*told, *told)
        node.hear(told[1])
        node.hear(node.ledger.store(TALK))
        await shown(li, range(1, 5))


async def test_events_of_this_node_keep_their_place_among_those_of_others() -> None:
    async with running_node(ledger(), PATIENT) as node:
        li = await node.connect("li")
        theirs, ours = node.ledger.store(TALK), node.ledger.store(TALK)
        node.ward.hub.publish([ours])
        node.hear(theirs)
        await shown(li, [1, 2])


async def test_after_a_loss_every_channel_is_compared_with_storage() -> None:
    async with running_node(ledger()) as node:
        li = await node.connect("li")
        for _ in range(450):
            node.ledger.store(TALK)
        node.ledger.store("person:li", "todos.counted", key="todos")
        node.ward.hub.missed_some()
        await shown(li, range(1, 451))
        await shown(li, [1], "person:li")


async def test_what_comes_while_the_rest_is_read_keeps_its_place() -> None:
    async with running_node(ledger()) as node:
        li = await node.connect("li")
        for _ in range(250):
            node.ledger.store(TALK)
        node.ward.hub.missed_some()
        await eventually(lambda: len(positions(li)) > 0)
        for _ in range(5):
            node.hear(node.ledger.store(TALK))
        await shown(li, range(1, 256))


async def test_more_than_may_wait_is_read_again() -> None:
    async with running_node(ledger()) as node:
        watcher = await node.connect("wu")
        told = [node.ledger.store(TALK) for _ in range(MOST_HELD + 100)]
        for publication in told[1:]:
            node.hear(publication)
        await shown(watcher, range(1, MOST_HELD + 101))


async def test_a_state_is_told_by_its_newest_values() -> None:
    async with running_node(ledger()) as node:
        li = await node.connect("li")
        told = [node.ledger.store("person:li", "counted", key=key) for key in "aabbc"]
        node.hear(told[4])
        await shown(li, [2, 4, 5], "person:li")


async def test_several_values_told_as_one_leave_no_gap() -> None:
    async with running_node(ledger(), PATIENT) as node:
        li = await node.connect("li")
        first, *more = [node.ledger.store("person:li", "counted", key=key) for key in "abc"]
        node.hear(first)
        node.hear(replace_covers(more[-1], 2))
        await shown(li, [1, 3], "person:li")


def replace_covers(publication: Publication, covers: int) -> Publication:
    """The last of several that were laid over each other."""
    return Publication(
        publication.channel,
        publication.name,
        publication.body,
        publication.position,
        publication.key,
        covers=covers,
    )


async def test_who_is_removed_hears_nothing_that_comes_after_whatever_comes_first() -> None:
    async with running_node(ledger(), PATIENT) as node:
        li, wu = await node.connect("li"), await node.connect("wu")
        before = node.ledger.store(TALK)
        change, own = node.ledger.change(TALK, leaves=("wu",))
        after = node.ledger.store(TALK)
        node.hear(after)
        node.hear(change, own)
        node.hear(before)
        await shown(li, [1, 2, 3])
        await shown(wu, [1, 2])
        await shown(wu, [1], "person:wu")


async def test_who_was_removed_unheard_is_taken_out_in_the_right_place() -> None:
    async with running_node(ledger()) as node:
        li, wu = await node.connect("li"), await node.connect("wu")
        node.ledger.store(TALK)
        node.ledger.change(TALK, leaves=("wu",))
        node.ledger.store(TALK)
        node.ward.hub.missed_some()
        await shown(li, [1, 2, 3])
        await shown(wu, [1], "person:wu")
        assert positions(wu) == [1, 2]
        assert not node.ward.hub.is_member("wu", TALK)


async def test_who_was_brought_in_unheard_hears_everything_from_then_on() -> None:
    async with running_node(ledger()) as node:
        li = await node.connect("li")
        node.ledger.store("conversation:2")
        node.ledger.change("conversation:2", joins=("li",))
        node.ledger.store("conversation:2")
        node.ward.hub.missed_some()
        await shown(li, [2, 3], "conversation:2")
        node.hear(node.ledger.store("conversation:2"))
        await shown(li, [2, 3, 4], "conversation:2")


async def test_who_is_removed_while_it_is_read_where_they_are_stays_out() -> None:
    async with running_node(ledger()) as node:
        li = await node.connect("li")
        node.ledger.change("conversation:2", joins=("li",))
        node.ledger.meanwhile = lambda: node.hear(
            *node.ledger.change("conversation:2", leaves=("li",))
        )
        node.ward.hub.missed_some()
        await shown(li, [2], "person:li")
        node.hear(node.ledger.store("conversation:2"))
        assert not node.ward.hub.is_member("li", "conversation:2")
        assert positions(li, "conversation:2") == []


async def test_who_comes_back_into_a_channel_heard_here_joins_in_its_place() -> None:
    async with running_node(Ledger({TALK: ("li",)})) as node:
        li, wu = await node.connect("li"), await node.connect("wu")
        node.ledger.store(TALK)
        node.ledger.change(TALK, joins=("wu",))
        node.ledger.store(TALK)
        node.ward.hub.missed_some()
        await shown(li, [1, 2, 3])
        await shown(wu, [2, 3])


async def test_who_is_brought_in_hears_on_from_there() -> None:
    async with running_node(ledger(), PATIENT) as node:
        li = await node.connect("li")
        node.hear(*node.ledger.change("conversation:2", joins=("li",)))
        second, third = [node.ledger.store("conversation:2") for _ in range(2)]
        node.hear(third)
        node.hear(second)
        await shown(li, [1, 2, 3], "conversation:2")


async def test_a_watched_board_is_mended_too() -> None:
    async with running_node(ledger()) as node:
        li = await node.connect("li")
        node.ledger.store("forum:1")
        (connection,) = node.ward.hub.connections_of("li")
        node.ward.hub.watch(connection, "forum:1")
        await node.ward.hub.hears(["forum:1"])
        node.ledger.store("forum:1")
        node.ledger.store("forum:1", dismisses=True)
        node.ward.hub.missed_some()
        await shown(li, [2, 3], "forum:1")
        assert not connection.watched


async def test_storage_that_is_away_is_asked_again() -> None:
    async with running_node(ledger()) as node:
        li = await node.connect("li")
        node.ledger.store(TALK)
        node.ledger.is_away = True
        node.ward.hub.missed_some()
        node.hear(node.ledger.store(TALK))
        node.ledger.is_away = False
        await shown(li, [1, 2])


async def test_a_channel_that_cannot_be_read_keeps_no_other_from_it_nor_its_own_news() -> None:
    bad = "conversation:2"
    async with running_node(Ledger({TALK: ("li",), bad: ("li",)})) as node:
        li = await node.connect("li")
        node.ledger.unreadable.add(bad)
        for channel in (bad, TALK):
            node.ledger.store(channel)
            node.hear(node.ledger.store(channel))
        await shown(li, [1, 2])
        await shown(li, [2], bad)


async def test_who_comes_while_storage_is_away_is_told_to_come_again() -> None:
    async with running_node(ledger()) as node:
        node.ward.application.channels["li"] = [TALK]
        node.ledger.is_away = True
        with pytest.raises(ConnectRefused) as refused:
            await node.ward.connect("li")
        assert refused.value.code == "unavailable"
        node.ledger.is_away = False
        li = await node.connect("li")
        node.hear(node.ledger.store(TALK))
        await shown(li, [1])


async def test_nothing_is_proved_to_have_arrived_while_something_is_missing() -> None:
    clock = ManualClock()
    async with running_node(ledger(), replace(QUICK, hold_s=3600), clock) as node:
        await node.connect("li")
        (connection,) = node.ward.hub.connections_of("li")
        told_at = clock.now()
        clock.advance(20)
        connection.confirm(clock.now())
        assert node.ward.hub.reach("li", told_at) is Reach.REACHED
        node.ledger.store(TALK)
        node.hear(node.ledger.store(TALK))
        assert node.ward.hub.reach("li", told_at) is Reach.PENDING


async def test_a_channel_that_nobody_hears_any_more_is_forgotten() -> None:
    async with running_node(ledger(), PATIENT) as node:
        li = await node.connect("li")
        node.ledger.store(TALK)
        node.hear(node.ledger.store(TALK))
        await li.close()
        await eventually(lambda: not node.ward.hub.is_online("li"))
        again = await node.connect("li")
        node.hear(node.ledger.store(TALK))
        await shown(again, [3])
