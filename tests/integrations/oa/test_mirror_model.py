"""The mirror against a model: whatever happens, in the end it holds what the OA holds, told once."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integrations.oa.fake_oa import DOWN, Hospital

MOVES = st.sampled_from(
    "arrive finish swap outage swallow healthy full room restart wait hint".split()
)
PLAN = st.lists(st.tuples(MOVES, st.sampled_from([2.0, 5.0, 12.0])), max_size=25)


class Model:
    """One person's pending documents, and every move made on them."""

    def __init__(self) -> None:
        self.hospital = Hospital()
        self.hospital.worklist.visible("p1", True)
        self.hospital.waits("p2", "900")
        self.hospital.waits("p1", "1", state="done")
        self.waiting = ["10"]
        self.done: list[str] = ["1"]
        self._next = 11
        self._show()

    def _show(self) -> None:
        self.hospital.waits("p1", *self.waiting)
        self.hospital.waits("p1", *self.done, state="done")

    async def move(self, what: str) -> None:
        hospital = self.hospital
        if what in ("finish", "swap") and self.waiting:
            self.done.insert(0, self.waiting.pop())
        if what in ("arrive", "swap"):
            self.waiting.insert(0, str(self._next))
            self._next += 1
        if what in ("outage", "swallow", "healthy"):
            hospital.oa.failure = DOWN if what == "outage" else None
            hospital.oa.swallows = what == "swallow"
        if what in ("full", "room"):
            hospital.sink.is_full = what == "full"
        if what == "hint":
            hospital.worklist.hint(["p1"])
        if what == "restart":
            await hospital.worklist.close()
            hospital.worklist = hospital.another_worklist()
            hospital.worklist.visible("p1", True)
        self._show()


async def run(plan: list[tuple[str, float]]) -> Any:
    model = Model()
    hospital = model.hospital
    await hospital.passes(5)
    for what, seconds in plan:
        await model.move(what)
        await hospital.passes(seconds, step_s=0.5)
    hospital.sink.is_full = False
    await model.move("healthy")
    await hospital.passes(20, step_s=0.5)
    waiting = await hospital.worklist.counts("p1")
    await hospital.worklist.close()
    return model, waiting


@settings(max_examples=60)
@given(PLAN)
def test_in_the_end_the_mirror_holds_what_the_oa_holds_and_told_each_arrival_once(
    plan: list[tuple[str, float]],
) -> None:
    model, waiting = asyncio.run(run(plan))
    told = [entry for entry in model.hospital.sink.told if entry[0] == "p1"]
    assert (waiting.pending, waiting.stale) == (len(model.waiting), False)
    assert model.hospital.sink.seen["p1"].request_ids == set(model.waiting)
    assert [entry[3] for entry in told] == [True] + [False] * (len(told) - 1)
    arrived = [one for entry in told for one in entry[1]]
    gone = [one for entry in told for one in entry[2]]
    assert len(arrived) == len(set(arrived)), "an arrival was told twice: something was cleared"
    assert set(gone) == set(arrived) - set(model.waiting)
