"""Whose turn it is: the plan for the next readings, and those under way.

Every reading is a task of its own, few at a time in each lane, and ends with when its person is to be read
again. Whom the webhook names comes first (`hints.py`), then pages on screen, then everybody else; how often
stands in `pace.py`. While the OA is down nothing is begun but one reading every few seconds, and when the
breaker closes all visible people are read at once. Trouble with one person backs off that person only.
"""

import asyncio
import heapq
import logging
import math
from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from typing import Any, Final

from server.clock import Clock
from server.integrations.oa import Blocked, OAError, Unreachable
from server.integrations.oa.book import Book, Person
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane
from server.integrations.oa.hints import Hint, Hints, after_doubt, after_nothing
from server.integrations.oa.pace import Pace
from server.integrations.oa.reading import CONFIRM_S, Depth, ZeroDoubted
from server.integrations.oa.trust import Trust

log = logging.getLogger(__name__)

LEAST_AT_ONCE: Final = 6
MOST_AT_ONCE: Final = 24
"""Readings of each lane: none of them must stop another by waiting."""


class Turns:
    """Who is read when. `wake` is called when `begin` may have something to do. `tours`: everybody is read
    here, and not only who has a page on screen."""

    def __init__(
        self,
        clock: Clock,
        budget: Budget,
        breaker: Breaker,
        book: Book,
        pace: Pace,
        wake: Callable[[], None],
        *,
        tours: bool,
    ) -> None:
        self.hints, self.trust = Hints(), Trust(clock)
        self._clock, self._budget, self._breaker = clock, budget, breaker
        self._book, self._pace, self._wake = book, pace, wake
        self._tours = tours
        self._plans: dict[Lane, list[tuple[float, str]]] = {Lane.VISIBLE: [], Lane.REST: []}
        self._polls: dict[Lane, set[asyncio.Task[float]]] = {
            lane: set() for lane in (Lane.HINTED, *self._plans)
        }
        self._was_open = False
        self._is_stored = True
        """Whether the last change that was to be stored could be."""

    @property
    def tours(self) -> bool:
        return self._tours

    @tours.setter
    def tours(self, on: bool) -> None:
        self._tours = on
        self._plans[Lane.REST].clear()
        for person in self._book.people.values() if on else ():
            self.plan(person, person.due)

    @property
    def under_way(self) -> Collection["asyncio.Task[float]"]:
        return set[asyncio.Task[float]]().union(*self._polls.values())

    def begin(self, now: float) -> float:
        """Begin the readings that are due; seconds after which to come again."""
        if (wait_s := self._breaker.wait_s()) > 0:
            self._was_open = True
            return min(1.0, wait_s)
        if self._was_open:
            self._come_back(now)
        if self._pace.is_rare != self.trust.is_earned:
            self._change_pace(now)
        lanes = (Lane.VISIBLE, Lane.REST) if self._tours else (Lane.VISIBLE,)
        return min(self._begin_hinted(now), *(self._begin(lane, now) for lane in lanes))

    def _change_pace(self, now: float) -> None:
        """The webhook is relied on from now on, or no more: then nobody waits for a rare turn."""
        self._pace.is_rare = not self._pace.is_rare
        log.info("the OA's webhook is relied on", extra={"relied_on": self._pace.is_rare})
        for person in () if self._pace.is_rare else self._book.people.values():
            self.plan(
                person, min(person.due, max(now, person.counted_at + self._pace.period(person)))
            )

    def _come_back(self, now: float) -> None:
        """After a failure of the whole: one reading is the try, and then everybody on screen."""
        people = self._book.people.values()
        if self._breaker.is_open:
            if not any(self._polls.values()) and people:
                self.plan(next((one for one in people if one.is_visible), next(iter(people))), now)
            return
        self._was_open = False
        for person in people:
            if person.is_visible:
                self.plan(person, now)

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
            taken = self.hints.take(now, self._urgency)
            if taken is None:
                return self.hints.next_due(now)
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
            self.plan(person, self._clock.monotonic() if given_up else ended.result())
        self._wake()

    def hurry(self, person: Person) -> None:
        """Leave nobody who is needed now in the last lane, where a reading may wait for half a minute: it
        is begun anew elsewhere, unless what it read is being stored already."""
        if person.reading in self._polls[Lane.REST] and not person.applying.locked():
            person.reading.cancel()

    def plan(self, person: Person, due: float) -> None:
        person.due = due
        if not person.reading and (self._tours or person.lane is Lane.VISIBLE):
            heapq.heappush(self._plans[person.lane], (due, person.person_id))
            self._wake()

    async def _poll(self, person: Person, lane: Lane, started: float) -> float:
        """One reading in turn; when the next one is due."""
        was_doubted = person.doubted_at is not None
        try:
            await self.check(person, self._pace.depth(person), lane)
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
            if not await self.check(person, hint.depth, Lane.HINTED):
                again = after_nothing(hint, self._clock.monotonic())
        except ZeroDoubted:
            again = after_doubt(hint, self._clock.monotonic())
        except (Unreachable, Blocked):
            again = hint
        except Exception as failed:
            due = started + self._failed(person, failed)
            again = replace(hint, due=due)
        if again is not None and person.person_id not in self.hints:
            self.hints.add(person.person_id, again)
        return due

    async def check(self, person: Person, depth: Depth, lane: Lane) -> bool:
        """Read a person; whether something was new, of which the webhook should have told."""
        is_known = person.verified_at > -math.inf
        person.readings += 1
        is_news = await self._book.check(person, depth, lane)
        person.failures = 0
        self._is_stored = self._is_stored or is_news
        if is_news and is_known:
            was_told = lane is Lane.HINTED or person.person_id in self.hints
            self.trust.news(person.person_id, was_told=was_told)
        return is_news

    def _failed(self, person: Person, failed: Exception) -> float:
        if not isinstance(failed, OAError) and self._is_stored:
            # Once: while the disk is full it is so for everybody who is read.
            self._is_stored = False
            log.error("a change of somebody's documents could not be stored", exc_info=failed)
        return self._pace.back_off(person)
