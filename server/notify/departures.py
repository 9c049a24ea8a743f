"""Departures: which notices go now, in which order, and what holds them back.

Urgent before to-dos before chat; within each, those whose bytes may already be out, then the longest
waiting. A notice that may not go yet (its person's limit, the window for merging, an earlier one of the
same place still on its way) is put off in the store, so that it never stands in front of others. Whoever
has more waiting than one minute takes goes ahead (`backlog`).

Every call is a task of this class; `stop` awaits their end. What waits is in the store, not here.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from server.clock import Clock
from server.notify.agenda import Agenda
from server.notify.backlog import Backlog
from server.notify.duty import Duty
from server.notify.gate import Gate
from server.notify.metrics import NoticeMetrics
from server.notify.outcome import Ended, Outcome, Postponed, given_up, outcome_of
from server.notify.sending import Held, Sending
from server.notify.state import SENDER, DayCount, SenderState
from server.notify.throttle import Throttle
from server.outbox import UNENDED, Notice, Priority, Why
from server.storage import Conflict, Doc, StorageError, Store
from server.storage.document import from_doc

logger = logging.getLogger(__name__)

_NOTICES: Final = Notice.collection.name

BATCH: Final = 200
PLACE_TAKEN_MS: Final = 5_000
NO_DUTY_MS: Final = 300_000
GETTING_THROUGH_MS: Final = 600_000
LOG_EVERY_MS: Final = 60_000
MOST_COUNTED: Final = 10_000


class Departures:
    """Sends what waits, within all limits. One per process and store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        duties: Mapping[str, Duty],
        sending: Sending,
        gate: Gate,
        agenda: Agenda,
        backlog: Backlog,
        metrics: NoticeMetrics,
        *,
        merge_ms: int,
        zone: ZoneInfo,
    ) -> None:
        self._store = store
        self._clock = clock
        self._duties = duties
        self._sending = sending
        self._gate = gate
        self._agenda = agenda
        self._backlog = backlog
        self._metrics = metrics
        self._merge_ms = merge_ms
        self._today = DayCount(zone)
        self._throttle = Throttle(store, clock)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places: set[tuple[str, str, str]] = set()
        self._got_through_at = 0
        self._fault, self._fault_at = "", 0
        self._waiting, self._oldest_at = 0, 0
        self._logged_at = 0
        self.moved = asyncio.Event()
        """Set when a call has ended, and more may go."""

    async def begin(self) -> None:
        """Take up everything that has not ended, whoever had it on its way: the store is ours alone.

        Also when the clock was set back: what was put off may go again, and is put off anew if need be.
        """
        now = self._clock.now()
        self._throttle.forget()
        self._backlog.clear()
        if not self._tasks:
            # What stood in the way was ours; another node may have had the lead since.
            self._places.clear()
        await self._count_today(now)
        for state in UNENDED:
            for priority in Priority:
                eq = (state, int(priority))
                for doc in await self._store.find(_NOTICES, "state", eq, limit=MOST_COUNTED):
                    if doc["_id"] not in self._tasks:
                        await self._take_up(Held(from_doc(Notice, doc), doc["_v"]), now)

    async def _count_today(self, now: int) -> None:
        sent, since = 0, self._today.since(now)
        for priority in Priority:
            eq = ("sent", int(priority))
            docs = await self._store.find(_NOTICES, "state", eq, gt=since - 1, limit=MOST_COUNTED)
            sent += len(docs)
        self._today.begin(now, sent)

    async def _take_up(self, held: Held, now: int) -> None:
        self._backlog.queued(held.notice.person_id, held.notice.created_at)
        if held.notice.request is not None:
            self._places.add(held.notice.turn)
        if held.notice.at > now:
            await self._sending.postpone(held, now, held.notice.why)

    @property
    def trouble(self) -> str:
        """Why calls are held back; empty when they are not."""
        if self._gate.misconfigured:
            return "WeCom refuses the app itself: check secret, agent id and trusted address"
        return (
            "calls to WeCom fail or are paused; single ones are tried" if self._gate.is_held else ""
        )

    async def step(self) -> None:
        """Start what may go now."""
        for priority in Priority:
            for state in reversed(UNENDED):
                await self._start(state, priority)
            if priority is Priority.URGENT:
                await self._go_ahead()
        self._metrics.in_flight.set(self._gate.in_flight)
        self._metrics.held.set(self._gate.is_held)
        self._metrics.alarm.set(self._gate.misconfigured)

    async def _start(self, state: str, priority: Priority) -> None:
        moved = True
        while moved and self._gate.room():
            moved = False
            eq, now = (state, int(priority)), self._clock.now()
            docs = await self._store.find(_NOTICES, "state", eq, lt=now + 1, limit=BATCH)
            for doc in docs:
                if not self._gate.room():
                    return
                moved = await self._consider(doc) or moved
            if len(docs) < BATCH:
                return

    async def _go_ahead(self) -> None:
        """Start what people with much waiting may be sent now."""
        now = self._clock.now()
        for person_id, since in self._backlog.ahead(now):
            if not self._gate.room():
                return
            docs = await self._store.find(
                _NOTICES, "person", (person_id,), gt=since - 1, limit=BATCH
            )
            ready = [doc for doc in docs if doc["state"] == "queued" and doc["at"] <= now]
            if not ready:
                self._backlog.nothing_ready(person_id)
            for doc in sorted(ready, key=lambda doc: (doc["priority"], doc["created_at"])):
                if not self._gate.room():
                    return
                await self._consider(doc)

    async def _consider(self, doc: Doc) -> bool:
        """Send it or put it off. False when it is on its way already."""
        if doc["_id"] in self._tasks:
            return False
        held = Held(from_doc(Notice, doc), doc["_v"])
        notice = held.notice
        try:
            not_before, why = await self._not_before(notice)
            if not_before > self._clock.now():
                why = "digest" if notice.why == "digest" else why
                await self._sending.postpone(held, not_before, why)
                return True
        except Conflict:
            return True
        if not self._gate.room():
            return False
        self._gate.begin()
        self._throttle.begin(notice.person_id)
        self._places.add(notice.turn)
        task = asyncio.create_task(self._send(held), name=f"notice {notice.id}")
        self._tasks[notice.id] = task
        return True

    async def _not_before(self, notice: Notice) -> tuple[int, Why]:
        """The moment before which this notice may not go, and why; not in the future = now."""
        now = self._clock.now()
        if notice.kind not in self._duties:
            return now + NO_DUTY_MS, ""
        if notice.is_open:
            if notice.turn in self._places:
                return now + PLACE_TAKEN_MS, "merge"
            last = await self._store.find(_NOTICES, "told", notice.place, reverse=True, limit=1)
            # What is sent again by hand does not wait for the one that failed.
            if last and not notice.again and last[0]["told_at"] + self._merge_ms > now:
                return min(int(last[0]["told_at"]), now) + self._merge_ms, "merge"
        wait_ms = await self._throttle.wait_ms(notice.person_id, notice.priority)
        if wait_ms:
            self._metrics.throttled.inc()
            self._backlog.held(notice.person_id, notice.created_at, now + wait_ms)
        return now + wait_ms, "limit"

    async def _send(self, held: Held) -> None:
        """One notice's way, from here to the ledger."""
        notice, called, comes_again = held.notice, False, False
        may_be_out = notice.request is not None
        try:
            leased = await self._lease(held)
            if isinstance(leased, Held):
                may_be_out = called = True
                outcome = self._judged(leased.notice, await self._sending.call(leased))
                await self._sending.record(leased, outcome)
                may_be_out = leased.may_be_out(outcome)
                comes_again = isinstance(outcome, Postponed)
            else:
                may_be_out = may_be_out and isinstance(leased, Postponed)
        except Conflict:
            logger.info("a notice was taken over by somebody else")
        except StorageError as fault:
            logger.warning("a notice stays where it is: %s", fault)
            self._metrics.faults.labels("send").inc()
        except Exception:
            # It stays leased, and the same bytes go again when the lease ends.
            logger.exception("a notice could not be carried through")
            self._metrics.faults.labels("send").inc()
        finally:
            self._gate.end(called=called)
            self._throttle.end(notice.person_id, called=called)
            if not (may_be_out or comes_again):
                self._backlog.ended(notice.person_id)
            if not may_be_out:
                self._places.discard(notice.turn)
            if not (may_be_out or comes_again):
                self._agenda.soon(notice.owed_id, self._clock.now())
            del self._tasks[notice.id]
            self.moved.set()

    async def _lease(self, held: Held) -> Held | Outcome | None:
        """The notice with a lease that outlives the call; else what became of it."""
        try:
            leased = await self._sending.lease(held)
            while isinstance(leased, Held) and not self._sending.may_call(leased):
                leased = await self._sending.lease(leased)
        except StorageError:
            raise
        except Exception as fault:
            # The feature could not say what to send; others can.
            self._metrics.faults.labels("draft").inc()
            outcome = self._given_up(held.notice, outcome_of(held.notice, fault))
            await self._sending.record(held, outcome)
            return outcome
        return leased

    def _judged(self, notice: Notice, outcome: Outcome) -> Outcome:
        """What one call says about all the others."""
        if isinstance(outcome, Ended):
            self._got_through_at = self._clock.now()
            if outcome.state == "sent":
                self._today.add(self._got_through_at)
            self._gate.succeeded()
        else:
            self._metrics.retries.inc()
            self._fault, self._fault_at = outcome.reason, self._clock.now()
            if outcome.misconfigured:
                self._gate.misconfigure()
                self._log("WeCom refuses to send at all: %s", outcome.reason, logging.ERROR)
            elif outcome.pause_s:
                self._gate.pause(outcome.pause_s)
                self._log("WeCom asked for a pause: %s", outcome.reason)
            else:
                self._gate.failed(notice.id)
                self._log("WeCom cannot be reached: %s", outcome.reason)
        return self._given_up(notice, outcome)

    def _given_up(self, notice: Notice, outcome: Outcome) -> Outcome:
        now = self._clock.now()
        through = self._got_through_at > now - GETTING_THROUGH_MS
        return given_up(notice, outcome, now=now, others_get_through=through)

    def _log(self, text: str, reason: str, level: int = logging.WARNING) -> None:
        """One line a minute, not one for each notice."""
        now = self._clock.now()
        if now - self._logged_at >= LOG_EVERY_MS:
            self._logged_at = now
            logger.log(level, text, reason)

    async def measure(self) -> None:
        """Bring the gauges of what waits up to date."""
        waiting, oldest = 0, None
        for state in UNENDED:
            for priority in Priority:
                eq = (state, int(priority))
                waiting += await self._store.count(_NOTICES, "state", eq, cap=MOST_COUNTED)
                for doc in await self._store.find(_NOTICES, "state", eq, limit=1):
                    created = doc["created_at"]
                    oldest = created if oldest is None else min(oldest, created)
        self._waiting, self._oldest_at = waiting, oldest or 0
        self._metrics.waiting.set(waiting)
        age_ms = 0 if oldest is None else max(0, self._clock.now() - oldest)
        self._metrics.oldest.set(age_ms / 1000)

    def state(self) -> SenderState:
        """How sending is doing, as last measured."""
        now = self._clock.now()
        held_ms = round(self._gate.held_for_s * 1000)
        return SenderState(
            id=SENDER,
            at=now,
            owed=len(self._agenda),
            waiting=self._waiting,
            oldest_at=self._oldest_at,
            in_flight=self._gate.in_flight,
            people_held=self._backlog.held_people(now),
            is_held=self._gate.is_held,
            is_misconfigured=self._gate.misconfigured,
            held_until=now + held_ms if held_ms else 0,
            got_through_at=self._got_through_at,
            sent_today=self._today.at(now),
            fault=self._fault,
            fault_at=self._fault_at,
        )

    async def quiet(self) -> None:
        """Until no call is under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def stop(self, within_s: float) -> None:
        """Let calls end; what has not by then is sent again, the same bytes, by whoever comes next."""
        tasks = list(self._tasks.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
