"""Two nodes that read the same people: what one told is the base of the other, and is told once."""

import asyncio
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from server.integrations.oa import Counts
from server.integrations.oa.budget import Budget
from server.integrations.oa.poller import PollingWorklist
from tests.integrations.oa.fake_oa import DOWN, FakeOA, Hospital

MOVES = st.sampled_from(
    [
        "arrive",
        "finish",
        "withdraw",
        "swap",
        "outage",
        "healthy",
        "look at a",
        "look at b",
        "lead",
        "wait",
        "hint",
    ]
)
PLAN = st.lists(st.tuples(MOVES, st.sampled_from([0.5, 1.5, 4.0, 12.0])), max_size=20)


class SlowOA(FakeOA):
    """Takes a while to answer: much may be told between what a reading starts from and what it finds."""

    chance: random.Random

    async def counts(self, *args: Any, **options: Any) -> Counts:
        for _ in range(self.chance.choice((0, 0, 5, 40, 120))):
            await asyncio.sleep(0)
        return await super().counts(*args, **options)


class Two:
    """One person's pending documents, and two nodes that may both have the person on screen."""

    def __init__(self, seed: int = 0, *, poll_s: float = 3.0, rest_s: float = 10.0) -> None:
        self._periods = poll_s, rest_s
        self.hospital = Hospital()
        if seed:
            hospital = self.hospital
            hospital.oa = SlowOA(hospital.clock, hospital.budget, hospital.breaker)
            hospital.oa.chance = random.Random(seed)
        self.hospital.waits("p2", "900")
        self.hospital.waits("p1", "1", state="done")
        self.nodes = {"a": self._node(), "b": self._node()}
        self.tours: dict[str, asyncio.Task[None]] = {}
        self.waiting = ["10"]
        self._next = 11

    def _node(self) -> PollingWorklist:
        hospital = self.hospital
        return PollingWorklist(
            hospital.oa,
            hospital,
            hospital.sink,
            hospital.clock,
            hospital.budget,
            hospital.breaker,
            poll_s=self._periods[0],
            rest_s=self._periods[1],
            is_shared=True,
            chance=lambda: 1.0,
        )

    async def lead(self, name: str) -> None:
        """This node reads everybody in turn, and no other."""
        for task in self.tours.values():
            task.cancel()
        await asyncio.gather(*self.tours.values(), return_exceptions=True)
        self.tours = {name: asyncio.create_task(self.nodes[name].tour())}

    async def move(self, what: str) -> None:
        if what in ("finish", "swap") and self.waiting:
            self.waiting.pop()
        if what == "withdraw" and self.waiting:
            self.waiting.pop(0)
        if what in ("arrive", "swap"):
            self.waiting.insert(0, str(self._next))
            self._next += 1
        if what in ("outage", "healthy"):
            self.hospital.oa.failure = DOWN if what == "outage" else None
        if what.startswith("look at"):
            name = what[-1]
            on_screen = "p1" in self.nodes[name]._on_screen
            self.nodes[name].visible("p1", not on_screen)
        if what == "hint":
            for node in self.nodes.values():
                node.hint(["p1"])
        if what == "lead":
            await self.lead("b" if "a" in self.tours else "a")
        self.hospital.waits("p1", *self.waiting)

    async def passes(self, seconds: float, step_s: float = 0.25) -> None:
        for _ in range(round(seconds / step_s)):
            for node in self.nodes.values():
                node.step()
            await settled()
            self.hospital.clock.advance(step_s)
            self.hospital.budget.grant()
            await settled()

    async def close(self) -> None:
        for task in self.tours.values():
            task.cancel()
        await asyncio.gather(*self.tours.values(), return_exceptions=True)
        for node in self.nodes.values():
            await node.close()


async def settled() -> None:
    for _ in range(16):
        await asyncio.sleep(0)


async def run(plan: list[tuple[str, float]], seed: int) -> Two:
    two = Two(seed)
    two.hospital.waits("p1", *two.waiting)
    await two.lead("a")
    await two.passes(5)
    for what, seconds in plan:
        await two.move(what)
        await two.passes(seconds)
    await two.move("healthy")
    for node in two.nodes.values():
        node.visible("p1", False)
    await two.passes(40)
    await two.close()
    return two


@settings(max_examples=60)
@given(PLAN, st.integers(1, 1_000_000))
def test_in_the_end_both_nodes_hold_what_the_oa_holds_and_each_arrival_was_told_once(
    plan: list[tuple[str, float]], seed: int
) -> None:
    two = asyncio.run(run(plan, seed))
    sink = two.hospital.sink
    told = [entry for entry in sink.told if entry[0] == "p1"]
    assert sink.seen["p1"].request_ids == set(two.waiting)
    assert [entry[3] for entry in told] == [True] + [False] * (len(told) - 1), "one baseline"
    arrived = [one for entry in told for one in entry[1]]
    assert len(arrived) == len(set(arrived)), "an arrival was told twice"
    still = set(arrived) - {one for entry in told for one in entry[2]}
    assert still == set(two.waiting)


async def test_only_the_node_that_tours_reads_who_is_on_no_screen() -> None:
    two = Two()
    two.hospital.waits("p1", *two.waiting)
    await two.passes(30)
    assert two.hospital.oa.calls == [], "nobody tours, nobody looks"
    two.nodes["b"].visible("p1", True)
    await two.passes(5)
    assert {user for _, _, user in two.hospital.oa.calls} == {"1"}
    await two.lead("a")
    await two.passes(5)
    assert {user for _, _, user in two.hospital.oa.calls} == {"1", "2"}
    await two.close()


async def test_who_asked_before_anything_was_known_hears_what_the_other_node_learns() -> None:
    two = Two()
    await two.passes(1)
    assert await two.nodes["b"].seen("p1") is None
    two.hospital.waits("p1", *two.waiting)
    await two.lead("a")
    await two.passes(9)
    known = await two.nodes["b"].seen("p1")
    assert known is not None
    assert known.request_ids == set(two.waiting)
    await two.close()


def test_a_budget_can_be_reduced_to_a_share_and_given_back() -> None:
    hospital = Hospital()
    budget = Budget(20, hospital.clock)
    budget.reduce_to(0.25)
    assert budget.calls_per_second == 5.0
    budget.reduce_to(0.0)
    assert 0 < budget.calls_per_second < 0.1
    budget.reduce_to(1.0)
    assert budget.calls_per_second == 20.0


async def test_a_hint_is_followed_by_the_node_that_has_the_person_on_screen() -> None:
    two = Two(poll_s=600, rest_s=600)
    await two.lead("a")
    two.nodes["b"].visible("p1", True)
    two.hospital.waits("p1", *two.waiting)
    await two.passes(9)
    for hinted_first in ("a", "b"):
        await two.move("arrive")
        two.hospital.oa.calls.clear()
        for name in sorted(two.nodes, key=lambda name: name != hinted_first):
            two.nodes[name].hint(["p1"])
            await two.passes(0.5)
        assert two.hospital.sink.told[-1][:2] == ("p1", [two.waiting[0]])
        assert [what for *_, what, user in two.hospital.oa.calls if user == "1"] == [
            "counts",
            "list pending",
        ]
        await two.passes(9)
    await two.close()


async def test_a_hint_at_somebody_on_no_screen_is_followed_by_the_node_that_tours() -> None:
    two = Two(poll_s=600, rest_s=600)
    await two.lead("a")
    two.hospital.waits("p1", *two.waiting)
    await two.passes(9)
    await two.move("arrive")
    for node in two.nodes.values():
        node.hint(["p1"])
    assert [node.health().hints_waiting for node in two.nodes.values()] == [1, 0]
    await two.passes(5)
    assert two.hospital.sink.told[-1] == ("p1", [two.waiting[0]], [], False)
    await two.close()
