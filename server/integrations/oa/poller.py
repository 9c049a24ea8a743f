"""The mirror kept fresh by asking in turn: a `Worklist` over the OA port.

One task, owned by this object (`start`, `close`), begins the readings whose turn it is (`turns.py`): pages
on screen every `poll_s`, everybody else not more often than `rest_s`. Somebody opening his list is answered
from a reading of his own.

Where several nodes serve (`is_shared`), each reads those who look at a page of its own, and one of
them, the one inside `tour`, everybody else; what any of them told is the base for all.
"""

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Callable, Iterable
from typing import Any, Final

from realtime.tasks import ended
from server.clock import Clock
from server.integrations.oa import OA, PAGE_ROWS, State
from server.integrations.oa.asking import ANSWER_WITHIN_S, Asking
from server.integrations.oa.book import Book, Person
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane
from server.integrations.oa.hints import OTHERS_S, Hint
from server.integrations.oa.mirror import (
    Accounts,
    MirrorHealth,
    Reading,
    Seen,
    Waiting,
    WorklistSink,
)
from server.integrations.oa.pace import Pace
from server.integrations.oa.pages import PageKey, Pages
from server.integrations.oa.reading import CONFIRM_S, FOLLOWED_PAGES, Depth
from server.integrations.oa.turns import Turns

log = logging.getLogger(__name__)

ACCOUNTS_EVERY_S: Final = 60.0
ACCOUNTS_AGAIN_S: Final = 10.0
TOUR_DEMAND: Final = 10.0


class PollingWorklist:
    """See the module."""

    def __init__(
        self,
        oa: OA,
        accounts: Accounts,
        sink: WorklistSink,
        clock: Clock,
        budget: Budget,
        breaker: Breaker,
        *,
        poll_s: float = 3.0,
        rest_s: float = 10.0,
        is_shared: bool = False,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._oa, self._accounts = oa, accounts
        self._clock, self._budget, self._breaker = clock, budget, breaker
        self._sink = sink
        self._book = Book(oa, sink, clock, is_shared=is_shared)
        self._is_shared = is_shared
        self._on_screen: set[str] = set()
        people = self._book.people
        self._pace = Pace(clock, budget, self._on_screen, people, poll_s, rest_s, chance)
        self._wake = asyncio.Event()
        self._turns = Turns(
            clock, budget, breaker, self._book, self._pace, self._wake.set, tours=not is_shared
        )
        self._asking = Asking()
        self._pages = Pages(oa, self._book, clock, self._asking)
        self._mapping: asyncio.Task[None] | None = None
        self._mapping_at = -math.inf
        self._is_mapped = False
        self._loop: asyncio.Task[None] | None = None

    # Life

    def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name="oa-poller")

    async def close(self) -> None:
        """Stop asking. A change whose storing is cut short is told again after the next start."""
        tasks = self._tasks() if self._loop is None else [self._loop, *self._tasks()]
        await ended(*tasks)

    async def tour(self) -> None:
        """Read everybody in turn, until cancelled: one node does, where several serve."""
        self._turns.tours = True
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._turns.tours = False

    @property
    def demand(self) -> float:
        """How much there is to ask for, beside other nodes: whoever tours wants most of what is left."""
        return 1.0 + len(self._on_screen) + (TOUR_DEMAND if self._turns.tours else 0.0)

    async def idle(self) -> None:
        """Return when no reading is under way."""
        while tasks := self._tasks():
            await asyncio.wait(tasks)

    def _tasks(self) -> list[asyncio.Task[Any]]:
        tasks: list[asyncio.Task[Any]] = [*self._asking.tasks, *self._turns.under_way]
        if self._mapping is not None:
            tasks.append(self._mapping)
        return tasks

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            delay_s = self.step()
            # Not wait_for: before Python 3.12 it may swallow the cancellation that `close` asks for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await self._wake.wait()

    # What features ask

    async def read(
        self, person_id: str, state: State, page: int = 1, max_age_s: float = 5.0
    ) -> Reading:
        person = await self._person(person_id)
        if person is None:
            return Reading((), 0 if self._is_mapped else None, None, stale=not self._is_mapped)
        if state != "pending" or page > FOLLOWED_PAGES:
            return await self._pages.read(person, state, page, max_age_s)
        fresh = await self._fresh(person, "first_page", max_age_s)
        if person.seen is None:
            return Reading((), None, None, stale=True)
        rows = person.seen.items[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
        return Reading(rows, person.seen.pending, person.seen.as_of, stale=not fresh)

    async def counts(self, person_id: str, max_age_s: float = 5.0) -> Waiting:
        person = await self._person(person_id)
        if person is None:
            return Waiting(0, None, stale=not self._is_mapped)
        fresh = await self._fresh(person, "count", max_age_s)
        if person.seen is None:
            return Waiting(0, None, stale=True)
        return Waiting(person.seen.pending, person.seen.as_of, stale=not fresh)

    async def seen(self, person_id: str) -> Seen | None:
        person = self._book.people.get(person_id)
        if person is None:
            return await self._sink.load(person_id)
        await self._book.load(person)
        return person.seen

    def visible(self, person_id: str, on: bool) -> None:
        (self._on_screen.add if on else self._on_screen.discard)(person_id)
        person = self._book.people.get(person_id)
        if person is not None and person.is_visible != on:
            person.is_visible = on
            self._turns.hurry(person)
            soonest = person.counted_at + self._pace.on_appearing_s
            self._turns.plan(person, max(self._clock.monotonic(), soonest))

    def hint(self, person_ids: Iterable[str]) -> None:
        known = [self._book.people[one] for one in person_ids if one in self._book.people]
        self._turns.trust.heard(person.person_id for person in known)
        now = self._clock.monotonic()
        for person in known:
            self._turns.hurry(person)
            if person.is_visible or not self._is_shared:
                self._turns.hints.add(person.person_id, Hint(now))
            elif self._turns.tours:
                self._turns.hints.add(person.person_id, Hint(now + OTHERS_S, "count"))
        self._wake.set()

    async def acted(self, person_id: str, request_id: str) -> None:
        if (person := await self._person(person_id)) is not None:
            await self._book.acted(person, request_id)

    def forget(self, person_id: str) -> None:
        self._book.people.pop(person_id, None)
        self._on_screen.discard(person_id)
        self._turns.hints.drop(person_id)
        self._turns.trust.forget(person_id)
        self._pages.forget(person_id)

    def health(self) -> MirrorHealth:
        book = self._book
        return MirrorHealth(
            reachable=not (book.trouble or self._breaker.is_open),
            reason=book.trouble,
            people=len(book.people),
            visible=sum(person.is_visible for person in book.people.values()),
            not_read=sum(person.verified_at == -math.inf for person in book.people.values()),
            last_answer_at=book.answered_at,
            calls=self._budget.spent,
            hints_waiting=len(self._turns.hints),
            hints_heard=self._turns.trust.told,
            changes_not_hinted=self._turns.trust.missed,
            hinted_at=self._turns.trust.heard_at,
            relies_on_hints=self._pace.is_rare,
        )

    # Whom to read next

    def step(self) -> float:
        """Begin the readings that are due; returns the seconds after which to come again."""
        now = self._clock.monotonic()
        if self._mapping is None and now >= self._mapping_at + ACCOUNTS_EVERY_S:
            self._mapping = asyncio.create_task(self._learn_accounts())
        return self._turns.begin(now)

    # Who there is

    async def _person(self, person_id: str) -> Person | None:
        """Somebody by the mapping, which is read again for a stranger, but not for each of his
        calls.
        """
        person = self._book.people.get(person_id)
        if person is None:
            if self._mapping is None:
                if self._clock.monotonic() < self._mapping_at + ACCOUNTS_AGAIN_S:
                    return None
                self._mapping = asyncio.create_task(self._learn_accounts())
            await asyncio.wait({self._mapping}, timeout=ANSWER_WITHIN_S)
            person = self._book.people.get(person_id)
        return person

    def staff_changed(self) -> None:
        """The directory is not what it was: learn the mapping anew."""
        self._mapping_at = -math.inf
        self._wake.set()

    async def _learn_accounts(self) -> None:
        try:
            new = self._book.take(await self._accounts.oa_users())
        except Exception:
            log.exception("the directory's OA accounts cannot be read")
        else:
            self._is_mapped = True
            for person in new:
                person.is_visible = person.person_id in self._on_screen
                self._turns.plan(person, self._clock.monotonic())
        finally:
            self._mapping_at = self._clock.monotonic()
            self._mapping = None
            self._wake.set()

    # Reading for somebody who waits

    async def _fresh(self, person: Person, depth: Depth, max_age_s: float) -> bool:
        """Have it no older than asked for; False when that could not be done."""
        known_at = person.counted_at if depth == "count" else person.verified_at
        if person.seen is not None and self._clock.monotonic() - known_at <= max_age_s:
            return True
        number = 0 if depth == "count" else 1
        key: PageKey = (person.person_id, person.oa_user, "pending", number)
        fresh = await self._asking.shared(key, self._turns.check(person, depth, Lane.INTERACTIVE))
        if person.doubted_at is not None and not person.reading:
            self._turns.plan(person, min(person.due, self._clock.monotonic() + CONFIRM_S))
        return fresh
