"""The lead: one node has it, keeps it by saying so, and loses it by silence. Clocks are the nodes' own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from server.features.chat.mirror.mirrors import END_WITHIN_S
from server.nodes import COLLECTIONS, NODES
from server.nodes.charges import ENDS_WITHIN_S
from server.nodes.elected import FORGOTTEN_S, LEASE, LOST_S, TAKEN_OVER_S, VALID_S, Elected
from server.notify.notifier import STOP_WITHIN_S
from server.storage import Put, Store, StoreUnavailable
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock
from tests.memory import tmp_path

__all__ = ["tmp_path"]


class Away:
    """A store that may be away; it may take what it is told and lose the answer, and let something happen
    before it reads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_away = self.loses_answers = False
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def asked(*args: Any, **options: Any) -> Any:
            if self.is_away:
                raise StoreUnavailable("no primary")
            if name == "scan" and self.meanwhile is not None:
                happens, self.meanwhile = self.meanwhile, None
                await happens()
            answer = await method(*args, **options)
            if self.loses_answers and name == "apply":
                raise StoreUnavailable("the answer was lost")
            return answer

        return asked


class Node:
    """One node with a machine's clock of its own, and whether its work is running."""

    def __init__(self, store: Store, name: str, now_ms: int) -> None:
        self.clock = ManualClock(now_ms)
        self.store = Away(store)
        self.leader = Elected(self.store, self.clock, node_id=f"node:{name}")  # type: ignore[arg-type]
        self.working = 0
        self.fails = 0

    async def work(self) -> None:
        self.working += 1
        try:
            if self.fails:
                self.fails -= 1
                raise ValueError("a bug")
            await asyncio.get_running_loop().create_future()
        finally:
            self.working -= 1


class World:
    """Three nodes whose machines do not agree on what time it is."""

    def __init__(self, store: Store) -> None:
        self.store = store
        moments = (1_767_600_000_000, 1_767_600_000_000 - 3_600_000, 1_999_999_999_999)
        self.nodes = [Node(store, name, at) for name, at in zip("abc", moments, strict=True)]
        self.silent: set[int] = set()
        """Those that say nothing and do nothing."""

    @property
    def working(self) -> list[int]:
        living = (place for place in range(len(self.nodes)) if place not in self.silent)
        return [place for place in living if self.nodes[place].working]

    async def passes(self, seconds: float) -> None:
        """Time goes by, a second at a time, and every node beats that is not silent."""
        for _ in range(round(seconds)):
            for place, node in enumerate(self.nodes):
                node.clock.advance(1.0)
                if place not in self.silent:
                    await node.leader.beat()
            await asyncio.sleep(0)
            assert len(self.working) <= 1, "two at once"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = SqliteStore(tmp_path / "n.db", clock=ManualClock())
    await store.open()
    for collection in COLLECTIONS:
        await store.ensure(collection)
    world = World(store)
    async with AsyncExitStack() as stack:
        for node in world.nodes:
            await stack.enter_async_context(node.leader.keep("work", node.work))
        yield world
    await store.close()


async def test_the_first_to_come_leads_and_goes_on_leading(world: World) -> None:
    for _ in range(30):
        await world.passes(1)
        assert world.working == [0]


async def test_a_node_that_falls_silent_is_followed_after_the_time_of_the_lease(
    world: World,
) -> None:
    await world.passes(3)
    world.silent.add(0)  # as one that was killed

    await world.passes(TAKEN_OVER_S - 1)
    assert world.working == []
    await world.passes(2)
    assert len(world.working) == 1


async def test_who_cannot_reach_the_store_stops_before_another_may_begin(world: World) -> None:
    await world.passes(3)
    world.nodes[0].store.is_away = True

    for _ in range(round(VALID_S) - 1):
        await world.passes(1)
        assert world.working == [0], "a moment without the store is no reason to stop"
    await world.passes(1)
    assert world.working == []
    await world.passes(TAKEN_OVER_S - VALID_S + 1)
    assert world.working in ([1], [2])

    world.nodes[0].store.is_away = False
    await world.passes(10)
    assert world.working in ([1], [2]), "who comes back does not push in"


async def test_what_a_slow_reading_shows_is_not_older_than_the_reading(world: World) -> None:
    await world.passes(3)
    second = world.nodes[1]

    async def meanwhile() -> None:
        world.silent.add(1)
        await world.passes(8)
        world.silent.discard(1)

    second.store.meanwhile = meanwhile  # an election, or a disk that stalls
    await second.leader.beat()
    second.clock.advance(1.0)
    await second.leader.beat()
    await asyncio.sleep(0)
    assert world.working == [0], "it was renewed a second ago"


async def test_while_the_store_is_away_nobody_leads_and_afterwards_one_does(world: World) -> None:
    await world.passes(3)
    for node in world.nodes:
        node.store.is_away = True
    await world.passes(30)
    assert world.working == []

    for node in world.nodes:
        node.store.is_away = False
    await world.passes(1)
    assert len(world.working) == 1


async def test_lost_answers_do_not_cost_the_lead_once_they_come_again(world: World) -> None:
    await world.passes(3)
    world.nodes[0].store.loses_answers = True
    await world.passes(VALID_S + 1)
    assert world.working == []

    world.nodes[0].store.loses_answers = False
    await world.passes(1)
    assert world.working == [0], "the lease it wrote without hearing so is its own"


async def test_who_resigns_is_followed_at_once_and_does_not_come_back(world: World) -> None:
    await world.passes(3)
    await world.nodes[0].leader.resign()
    assert world.working == []
    await world.passes(1)
    assert world.working in ([1], [2])
    await world.nodes[1].leader.resign()
    await world.nodes[2].leader.resign()
    await world.passes(20)
    assert world.working == []
    assert await world.store.get(NODES.name, LEASE) is None


async def test_somebody_elses_lease_in_ones_place_ends_the_work(world: World) -> None:
    await world.passes(3)
    usurped = {"_id": LEASE, "holder": "node:x"}
    await world.store.apply(Put(NODES.name, usurped, None))
    await world.passes(1)
    assert world.working == []


async def test_work_that_lets_its_calls_end_is_not_cut_off_and_over_before_another_begins() -> None:
    longest = max(STOP_WITHIN_S, END_WITHIN_S)
    assert longest < ENDS_WITHIN_S < TAKEN_OVER_S - VALID_S


async def test_work_that_fails_is_begun_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("server.nodes.charges.AGAIN_S", 0.0)
    world.nodes[0].fails = 2
    await world.passes(1)
    async with asyncio.timeout(5):
        while world.nodes[0].fails or not world.nodes[0].working:
            await asyncio.sleep(0)
    assert len(caplog.records) >= 2


async def test_shares_follow_the_demand_and_come_to_one_together(world: World) -> None:
    first, second, third = (node.leader for node in world.nodes)
    assert first.share(1) == 0.0, "nobody knows of it yet"
    for leader, demand in ((first, 11.0), (second, 1.0), (third, 4.0)):
        leader.share(demand)
    await world.passes(2)
    shares = [first.share(11.0), second.share(1.0), third.share(4.0)]
    assert shares == [11 / 16, 1 / 16, 4 / 16]

    world.silent.add(2)
    await world.passes(LOST_S + 2)
    assert [first.share(11.0), second.share(1.0)] == [11 / 12, 1 / 12]
    assert (first.nodes, second.nodes) == (2, 2)
    assert third.share(4.0) == 0.0, "who cannot say that it lives has no share"

    await world.passes(FORGOTTEN_S)
    there = {doc["_id"] for doc in await world.store.scan(NODES.name)}
    assert there == {LEASE, "node:a", "node:b"}
