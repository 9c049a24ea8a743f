"""An OA in memory that keeps the port's promises and can be told to fail, and a hospital around it."""

import asyncio
from collections.abc import Mapping, Sequence

from server.clock import Millis
from server.integrations.oa import (
    PAGE_ROWS,
    Counts,
    Item,
    NotUnderstood,
    OAError,
    Page,
    State,
    Unreachable,
)
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane
from server.integrations.oa.mirror import Outdated, Seen
from server.integrations.oa.poller import PollingWorklist
from tests.clocks import ManualClock


def item(request_id: str, received_at: int = 0) -> Item:
    return Item(
        item_id=request_id,
        request_id=request_id,
        title=f"第{request_id}号",
        creator_name="李四",
        received_at=Millis(received_at),
        urgency="normal",
        node="审批",
        source="OA",
    )


class FakeOA:
    """`lists[user, state]` is what it holds; every call is written down with its moment."""

    def __init__(self, clock: ManualClock, budget: Budget, breaker: Breaker) -> None:
        self.lists: dict[tuple[str, State], list[Item]] = {}
        self.calls: list[tuple[float, str, str]] = []
        self.lanes: list[Lane] = []
        self.failure: OAError | None = None
        self.was_read: set[tuple[str, str]] = set()
        self.failing: dict[str, OAError] = {}
        self.swallows = False
        self._clock, self._budget, self._breaker = clock, budget, breaker

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def counts(
        self, oa_user: str, *, lane: Lane = Lane.INTERACTIVE, with_copies: bool = False
    ) -> Counts:
        await self._call("counts", oa_user, lane)
        return Counts(0 if self.swallows else len(self.lists.get((oa_user, "pending"), [])))

    async def list_items(
        self,
        oa_user: str,
        state: State,
        page: int = 1,
        total: int | None = None,
        *,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Page:
        await self._call(f"list {state}", oa_user, lane)
        rows = [] if self.swallows else self.lists.get((oa_user, state), [])
        told = len(rows) if total is None else total
        cut = rows[(page - 1) * PAGE_ROWS : min(page * PAGE_ROWS, told)]
        unique = {row.request_id: row for row in cut}
        return Page(tuple(unique.values()), told)

    async def are_new(
        self, oa_user: str, request_ids: Sequence[str], *, lane: Lane = Lane.INTERACTIVE
    ) -> tuple[bool, ...]:
        await self._call("new", oa_user, lane)
        return tuple((oa_user, one) not in self.was_read for one in request_ids)

    async def _call(self, what: str, user: str, lane: Lane) -> None:
        if self._breaker.wait_s() > 0:
            raise self._breaker.reason()
        await self._budget.take(lane)
        if not self._breaker.allows():
            raise self._breaker.reason()
        self.calls.append((self._clock.monotonic(), what, user))
        self.lanes.append(lane)
        if (failure := self.failure or self.failing.get(user)) is not None:
            self._breaker.failed(failure)
            raise failure
        self._breaker.succeeded()


class Kept:
    """A sink that writes down what it is told, and can be full."""

    def __init__(self) -> None:
        self.told: list[tuple[str, list[str], list[str], bool]] = []
        self.seen: dict[str, Seen] = {}
        self.is_full = False
        self.was_told = asyncio.Event()

    async def changed(
        self,
        person_id: str,
        before: Seen | None,
        seen: Seen,
        arrived: tuple[Item, ...],
        gone: tuple[str, ...],
    ) -> None:
        if self.is_full:
            raise OSError("no space left")
        kept = self.seen.get(person_id)
        if before and kept and not kept.says_the_same(before):
            raise Outdated("Another node has told a change.")
        news = [one.request_id for one in arrived]
        self.told.append((person_id, news, sorted(gone), before is None))
        self.seen[person_id] = seen
        self.was_told.set()

    async def load(self, person_id: str) -> Seen | None:
        kept = self.seen.get(person_id)
        return kept and Seen.from_document(kept.to_document())


class Hospital:
    """Clock, OA, sink and worklist together; person p7 has the OA user 7."""

    def __init__(self, people: int = 2, calls_per_second: float = 1_000) -> None:
        self.clock = ManualClock()
        self.budget = Budget(calls_per_second, self.clock)
        self.breaker = Breaker(self.clock, chance=lambda: 1.0)
        self.oa = FakeOA(self.clock, self.budget, self.breaker)
        self.sink = Kept()
        self.mapping = {f"p{number}": str(number) for number in range(1, people + 1)}
        self.worklist = self.another_worklist()

    def another_worklist(self) -> PollingWorklist:
        """As after a restart: what the sink keeps is all that is left."""
        return PollingWorklist(
            self.oa, self, self.sink, self.clock, self.budget, self.breaker, chance=lambda: 1.0
        )

    async def oa_users(self) -> Mapping[str, str]:
        return self.mapping

    def waits(self, person_id: str, *request_ids: str, state: State = "pending") -> None:
        """The person's list, newest first."""
        self.oa.lists[self.mapping[person_id], state] = [item(one) for one in request_ids]

    async def passes(self, seconds: float, step_s: float = 0.1) -> None:
        """Let time go by, tenth by tenth, with everything due happening in it."""
        for _ in range(round(seconds / step_s)):
            self.worklist.step()
            await self._settle()
            self.clock.advance(step_s)
            self.budget.grant()
            await self._settle()

    async def _settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)

    def calls_to(self, person_id: str) -> list[tuple[float, str]]:
        user = self.mapping[person_id]
        return [(at, what) for at, what, whose in self.oa.calls if whose == user]


REFUSED = NotUnderstood("nonsense")
DOWN = Unreachable("nobody there")
