"""The mirror kept fresh by asking in turn: a `Worklist` over the OA port.

One task, owned by this object (`start`, `close`), decides whom to read next; every reading is a
task of its own, few at a time, awaited at close. Pages on screen come first, every `poll_s`;
everybody else in turn, not more often than `rest_s`. Somebody opening his list is answered from a
reading of his own.

Whom the webhook names goes before all these, in a lane of his own (`hints.py`). What this allows at which
budget, and how rarely others are read while the webhook is relied on (`trust.py`), stands in `pace.py`.

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
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any, Final

from server.clock import Clock
from server.integrations.oa import OA, PAGE_ROWS, Blocked, OAError, State, Unreachable
from server.integrations.oa.asking import ANSWER_WITHIN_S, Asking
from server.integrations.oa.book import Book, Person
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane
from server.integrations.oa.hints import OTHERS_S, Hint, Hints, after_doubt, after_nothing
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
from server.integrations.oa.reading import CONFIRM_S, FOLLOWED_PAGES, Depth, ZeroDoubted
from server.integrations.oa.trust import Trust

log = logging.getLogger(__name__)

LEAST_AT_ONCE: Final = 6
MOST_AT_ONCE: Final = 24
"""Readings of each lane: none of them must stop another by waiting."""

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
        self._hints, self._trust = Hints(), Trust(clock)
        self._is_shared = is_shared
        self._tours = not is_shared
        self._on_screen: set[str] = set()
        people = self._book.people
        self._pace = Pace(clock, budget, self._on_screen, people, poll_s, rest_s, chance)
        self._plans: dict[Lane, list[tuple[float, str]]] = {Lane.VISIBLE: [], Lane.REST: []}
        self._polls: dict[Lane, set[asyncio.Task[float]]] = {
            lane: set() for lane in (Lane.HINTED, *self._plans)
        }
        self._asking = Asking()
        self._pages = Pages(oa, self._book, clock, self._asking)
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
            self._hurry(person)
            soonest = person.counted_at + self._pace.on_appearing_s
            self._plan(person, max(self._clock.monotonic(), soonest))

    def hint(self, person_ids: Iterable[str]) -> None:
        known = [self._book.people[one] for one in person_ids if one in self._book.people]
        self._trust.heard(person.person_id for person in known)
        now = self._clock.monotonic()
        for person in known:
            self._hurry(person)
            if person.is_visible or not self._is_shared:
                self._hints.add(person.person_id, Hint(now))
            elif self._tours:
                self._hints.add(person.person_id, Hint(now + OTHERS_S, "count"))
        self._wake.set()

    async def acted(self, person_id: str, request_id: str) -> None:
        if (person := await self._person(person_id)) is not None:
            await self._book.acted(person, request_id)

    def forget(self, person_id: str) -> None:
        self._book.people.pop(person_id, None)
        self._on_screen.discard(person_id)
        self._hints.drop(person_id)
        self._trust.forget(person_id)
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
            hints_waiting=len(self._hints),
            hints_heard=self._trust.told,
            changes_not_hinted=self._trust.missed,
            hinted_at=self._trust.heard_at,
            relies_on_hints=self._pace.is_rare,
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
        if self._pace.is_rare != self._trust.is_earned:
            self._change_pace(now)
        lanes = (Lane.VISIBLE, Lane.REST) if self._tours else (Lane.VISIBLE,)
        return min(self._begin_hinted(now), *(self._begin(lane, now) for lane in lanes))

    def _change_pace(self, now: float) -> None:
        """The webhook is relied on from now on, or no more: then nobody waits for a rare turn."""
        self._pace.is_rare = not self._pace.is_rare
        log.info("the OA's webhook is relied on", extra={"relied_on": self._pace.is_rare})
        for person in () if self._pace.is_rare else self._book.people.values():
            self._plan(
                person, min(person.due, max(now, person.counted_at + self._pace.period(person)))
            )

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
            if person is None or person.due != due or person.reading or person.lane != lane:
                heapq.heappop(plan)  # planned anew since, or gone
                continue
            if due > now:
                return min(1.0, due - now)
            # While the circuit is open one reading is the try; others would only be refused.
            if len(polls) >= (1 if self._breaker.is_open else self._at_once):
                return 1.0  # whichever ends wakes us
            heapq.heappop(plan)
            self._read(person, lane, self._poll(person, lane, now))
        return 1.0

    def _begin_hinted(self, now: float) -> float:
        """Begin with those whom the webhook named; seconds until the next one."""
        if self._breaker.is_open:
            return 1.0
        while len(self._polls[Lane.HINTED]) < self._at_once:
            taken = self._hints.take(now, self._urgency)
            if taken is None:
                return self._hints.next_due(now)
            person = self._book.people[taken[0]]
            self._read(person, Lane.HINTED, self._follow(person, taken[1], now))
        return 1.0

    @property
    def _at_once(self) -> int:
        """As many readings as use up the calls also of an OA that takes a second for each; where far
        more calls are allowed, no more than get their answer in time."""
        return min(MOST_AT_ONCE, max(LEAST_AT_ONCE, math.ceil(self._budget.calls_per_second)))

    def _urgency(self, person_id: str) -> int | None:
        person = self._book.people.get(person_id)
        if person is None or person.reading:
            return None
        return 0 if person.is_visible else 1

    def _read(self, person: Person, lane: Lane, reading: Coroutine[Any, Any, float]) -> None:
        """Begin a reading, which ends with when the next one is due."""
        task = person.reading = asyncio.create_task(reading)
        self._polls[lane].add(task)
        task.add_done_callback(lambda ended: self._ended(person, lane, ended))

    def _ended(self, person: Person, lane: Lane, ended: "asyncio.Task[float]") -> None:
        person.reading = None
        self._polls[lane].discard(ended)
        if self._book.people.get(person.person_id) is person:
            given_up = ended.cancelled()
            self._plan(person, self._clock.monotonic() if given_up else ended.result())
        self._wake.set()

    def _hurry(self, person: Person) -> None:
        """Not to be left where readings wait longest: for a minute, where pages on screen use up the
        calls."""
        if person.reading in self._polls[Lane.REST]:
            person.reading.cancel()

    def _plan(self, person: Person, due: float) -> None:
        person.due = due
        if not person.reading and (self._tours or person.lane is Lane.VISIBLE):
            heapq.heappush(self._plans[person.lane], (due, person.person_id))
            self._wake.set()

    async def _poll(self, person: Person, lane: Lane, started: float) -> float:
        """One reading in turn; when the next one is due."""
        was_doubted = person.doubted_at is not None
        try:
            await self._check(person, self._pace.depth(person), lane)
        except ZeroDoubted:
            if not was_doubted:
                return started + CONFIRM_S
        except (Unreachable, Blocked):
            pass  # the breaker decides when to come back
        except Exception as failed:
            return started + self._failed(person, failed)
        return started + self._pace.period(person)

    async def _follow(self, person: Person, hint: Hint, started: float) -> float:
        """One reading because of a hint, which stays while it could not be acted on."""
        again: Hint | None = None
        due = started + self._pace.period(person)
        try:
            if not await self._check(person, hint.depth, Lane.HINTED):
                again = after_nothing(hint, self._clock.monotonic())
        except ZeroDoubted:
            again = after_doubt(hint, self._clock.monotonic())
        except (Unreachable, Blocked):
            again = hint
        except Exception as failed:
            due = started + self._failed(person, failed)
            again = replace(hint, due=due)
        if again is not None and person.person_id not in self._hints:
            self._hints.add(person.person_id, again)
        return due

    async def _check(self, person: Person, depth: Depth, lane: Lane) -> bool:
        """Read a person; whether something was new, of which the webhook should have told."""
        is_known = person.verified_at > -math.inf
        person.readings += 1
        is_news = await self._book.check(person, depth, lane)
        person.failures = 0
        if is_news and is_known:
            was_told = lane is Lane.HINTED or person.person_id in self._hints
            self._trust.news(person.person_id, was_told=was_told)
        return is_news

    def _failed(self, person: Person, failed: Exception) -> float:
        if not isinstance(failed, OAError):
            log.error("a change of somebody's documents could not be stored", exc_info=failed)
        return self._pace.back_off(person)

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
        fresh = await self._asking.shared(key, self._check(person, depth, Lane.INTERACTIVE))
        if person.doubted_at is not None and not person.reading:
            self._plan(person, min(person.due, self._clock.monotonic() + CONFIRM_S))
        return fresh
