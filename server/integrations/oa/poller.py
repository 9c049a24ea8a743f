"""The mirror kept fresh by asking in turn: a `Worklist` over the OA port.

One task, owned by this object (`start`, `close`), decides whom to read next; every reading is a
task of its own, few at a time, awaited at close. Pages on screen come first, every `poll_s`;
everybody else in turn, not more often than `rest_s`. Somebody opening his list is answered from a
reading of his own.

What the budget of B calls/s allows. A reading is one count; looking at the documents is one page
more. Visible people (V of them) are looked at in every reading while that takes at most 70 % of
B, which is V ≤ 0.35 · B · poll_s (21 people at B = 20 and 3 s); beyond, every k-th reading, k up
to 10, so that one done and one arrived is seen within k · poll_s. From V = B · poll_s on the
period grows to V / B seconds. Everybody else waits N / (B − calls for visible people), at most N
/ (B / 20): one call in twenty is theirs. Of them every third reading looks at the documents, if
any wait. Every person's whole list is read again every `WHOLE_S`, which heals what moved between
two pages.

While the OA is down nothing is planned; the breaker lets one reading through every few seconds,
and when it closes all visible people are read at once. Trouble with one person backs off that
person only.

Where several nodes serve (`is_shared`), each reads those who look at a page of its own, and one of
them, the one inside `tour`, everybody else; what any of them told is the base for all.
"""

import asyncio
import contextlib
import heapq
import logging
import math
import random
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final

from server.clock import Clock, Millis
from server.integrations.oa import (
    OA,
    PAGE_ROWS,
    Blocked,
    NotUnderstood,
    OAError,
    Page,
    State,
    Unreachable,
)
from server.integrations.oa.asking import ANSWER_WITHIN_S, Asking
from server.integrations.oa.book import Book, Person
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane
from server.integrations.oa.mirror import (
    Accounts,
    MirrorHealth,
    Reading,
    Seen,
    Waiting,
    WorklistSink,
)
from server.integrations.oa.reading import CONFIRM_S, FOLLOWED_PAGES, Depth, ZeroDoubted

log = logging.getLogger(__name__)

READINGS_AT_ONCE: Final = 6
"""Of visible people, and as many of everybody else: neither must stop the other by waiting."""

ACCOUNTS_EVERY_S: Final = 60.0
ACCOUNTS_AGAIN_S: Final = 10.0
WHOLE_S: Final = 300.0
REST_LOOKS_EVERY: Final = 3
TOUR_DEMAND: Final = 10.0
VISIBLE_BACK_OFF_S: Final = 5.0
REST_BACK_OFF_S: Final = 300.0
PAGES_KEPT: Final = 2_000

PageKey = tuple[str, State, int]


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
        self._poll_s, self._rest_s, self._chance = poll_s, rest_s, chance
        self._sink = sink
        self._book = Book(oa, sink, clock, is_shared=is_shared)
        self._tours = not is_shared
        self._on_screen: set[str] = set()
        self._plans: dict[Lane, list[tuple[float, str]]] = {Lane.VISIBLE: [], Lane.REST: []}
        self._polls: dict[Lane, set[asyncio.Task[None]]] = {Lane.VISIBLE: set(), Lane.REST: set()}
        self._asking = Asking()
        self._pages: OrderedDict[PageKey, tuple[Page, Millis, float]] = OrderedDict()
        self._mapping: asyncio.Task[None] | None = None
        self._mapping_at = -math.inf
        self._is_mapped = False
        self._was_open = False
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    # Life

    def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name="oa-poller")

    async def close(self) -> None:
        """Stop asking. A change whose storing is cut short is told again after the next start."""
        tasks = self._tasks() if self._loop is None else [self._loop, *self._tasks()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def tour(self) -> None:
        """Read everybody in turn, until cancelled: one node does, where several serve."""
        self._tours = True
        for person in self._book.people.values():
            self._plan(person, person.due)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._tours = False
            self._plans[Lane.REST].clear()

    @property
    def demand(self) -> float:
        """How much there is to ask for, beside other nodes: whoever tours wants most of what is left."""
        return 1.0 + len(self._on_screen) + (TOUR_DEMAND if self._tours else 0.0)

    async def idle(self) -> None:
        """Return when no reading is under way."""
        while tasks := self._tasks():
            await asyncio.wait(tasks)

    def _tasks(self) -> list[asyncio.Task[Any]]:
        tasks: list[asyncio.Task[Any]] = [*self._asking.tasks]
        for polls in self._polls.values():
            tasks.extend(polls)
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
            return await self._page(person, state, page, max_age_s)
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
            soonest = person.counted_at + self._period(person)
            self._plan(person, max(self._clock.monotonic(), soonest))

    def hint(self, person_ids: Iterable[str]) -> None:
        for person_id in person_ids:
            if (person := self._book.people.get(person_id)) is not None:
                person.is_hinted = True
                self._plan(person, self._clock.monotonic())

    async def acted(self, person_id: str, request_id: str) -> None:
        if (person := await self._person(person_id)) is not None:
            await self._book.acted(person, request_id)

    def forget(self, person_id: str) -> None:
        self._book.people.pop(person_id, None)
        self._on_screen.discard(person_id)
        for key in [key for key in self._pages if key[0] == person_id]:
            del self._pages[key]

    def health(self) -> MirrorHealth:
        book = self._book
        return MirrorHealth(
            reachable=not (book.trouble or self._breaker.is_open),
            reason=book.trouble,
            people=len(book.people),
            visible=sum(person.is_visible for person in book.people.values()),
            last_answer_at=book.answered_at,
        )

    # Whom to read next

    def step(self) -> float:
        """Begin the readings that are due; returns the seconds after which to come again."""
        now = self._clock.monotonic()
        if self._mapping is None and now >= self._mapping_at + ACCOUNTS_EVERY_S:
            self._mapping = asyncio.create_task(self._learn_accounts())
        if (wait_s := self._breaker.wait_s()) > 0:
            self._was_open = True
            return min(1.0, wait_s)
        if self._was_open:
            self._come_back(now)
        lanes = (Lane.VISIBLE, Lane.REST) if self._tours else (Lane.VISIBLE,)
        return min(self._begin(lane, now) for lane in lanes)

    def _come_back(self, now: float) -> None:
        """After a failure of the whole: one reading is the try, and then everybody on screen."""
        people = self._book.people.values()
        if self._breaker.is_open:
            if not any(self._polls.values()) and people:
                self._plan(next((one for one in people if one.is_visible), next(iter(people))), now)
            return
        self._was_open = False
        for person in people:
            if person.is_visible:
                self._plan(person, now)

    def _begin(self, lane: Lane, now: float) -> float:
        """Begin what is due in one lane; seconds until its next one."""
        plan, polls = self._plans[lane], self._polls[lane]
        while plan:
            due, person_id = plan[0]
            person = self._book.people.get(person_id)
            if person is None or person.due != due or person.is_polled or person.lane != lane:
                heapq.heappop(plan)  # planned anew since, or gone
                continue
            if due > now:
                return min(1.0, due - now)
            # While the circuit is open one reading is the try; others would only be refused.
            if len(polls) >= (1 if self._breaker.is_open else READINGS_AT_ONCE):
                return 1.0  # whichever ends wakes us
            heapq.heappop(plan)
            person.is_polled = True
            task = asyncio.create_task(self._poll(person, lane, now))
            polls.add(task)
            task.add_done_callback(polls.discard)
        return 1.0

    def _plan(self, person: Person, due: float) -> None:
        person.due = due
        if not person.is_polled and (self._tours or person.lane is Lane.VISIBLE):
            heapq.heappush(self._plans[person.lane], (due, person.person_id))
            self._wake.set()

    def _period(self, person: Person) -> float:
        return self._poll_s if person.is_visible else self._rest_s

    def _depth(self, person: Person) -> Depth:
        if self._clock.monotonic() >= person.whole_at + WHOLE_S:
            return "whole"
        every = self._looks_every() if person.is_visible else REST_LOOKS_EVERY
        return "first_page" if person.is_hinted or person.readings % every == 0 else "count"

    def _looks_every(self) -> int:
        """Every how many readings of a visible person the documents are looked at (see above)."""
        visible = len(self._on_screen)
        spare = 0.7 * self._budget.calls_per_second * self._poll_s - visible
        return max(1, min(10, math.ceil(visible / spare))) if spare > 0 else 10

    async def _poll(self, person: Person, lane: Lane, started: float) -> None:
        """One reading in turn, and the plan for the next one."""
        was_hinted, was_doubted = person.is_hinted, person.doubted_at is not None
        depth = self._depth(person)
        person.readings += 1
        person.is_hinted = False
        delay_s: float | None = None
        try:
            await self._book.check(person, depth, lane)
            person.failures = 0
            delay_s = 0.0 if person.is_hinted else None
        except ZeroDoubted:
            delay_s = None if was_doubted else CONFIRM_S
        except (Unreachable, Blocked):
            person.is_hinted |= was_hinted  # the breaker decides when to come back
        except Exception as failed:
            person.is_hinted |= was_hinted
            delay_s = self._back_off(person)
            if not isinstance(failed, OAError):
                log.exception("a change of somebody's documents could not be stored")
        finally:
            person.is_polled = False
            if self._book.people.get(person.person_id) is person:
                self._plan(person, started + (self._period(person) if delay_s is None else delay_s))
            self._wake.set()

    def _back_off(self, person: Person) -> float:
        person.failures += 1
        cap_s = VISIBLE_BACK_OFF_S if person.is_visible else REST_BACK_OFF_S
        wait_s: float = min(cap_s, self._period(person) * 2 ** min(person.failures, 10))
        return wait_s * (0.5 + self._chance() / 2)

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
                self._plan(person, self._clock.monotonic())
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
        key: PageKey = (person.person_id, "pending", 0 if depth == "count" else 1)
        fresh = await self._asking.shared(key, self._book.check(person, depth, Lane.INTERACTIVE))
        if person.doubted_at is not None and not person.is_polled:
            self._plan(person, min(person.due, self._clock.monotonic() + CONFIRM_S))
        return fresh

    async def _page(self, person: Person, state: State, page: int, max_age_s: float) -> Reading:
        key: PageKey = (person.person_id, state, page)
        kept = self._pages.get(key)
        fresh = kept is not None and self._clock.monotonic() - kept[2] <= max_age_s
        if not fresh:
            fresh = await self._asking.shared(key, self._fetch(person, key))
            kept = self._pages.get(key)
        if kept is None:
            return Reading((), None, None, stale=True)
        return Reading(kept[0].items, kept[0].total, kept[1], stale=not fresh)

    async def _fetch(self, person: Person, key: PageKey) -> None:
        _, state, number = key
        as_of, started = self._clock.now(), self._clock.monotonic()
        try:
            page = await self._oa.list_items(person.oa_user, state, number)
            if not page.items and (page.total or 0) > (number - 1) * PAGE_ROWS:
                raise NotUnderstood("The OA counts documents that its list does not show.")
        except OAError as failed:
            self._book.trouble = failed.sentence
            raise
        self._book.heard()
        self._pages[key] = (page, as_of, started)
        self._pages.move_to_end(key)
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
