"""Takes what the HIS sends: events, facts, sums and the sign of life in one unit of work.

Batches are taken one after another, so that they hardly ever meet in the same sums; if they do, the
unit of work is done again. A kill between two steps leaves the store as it was before or after the
whole batch, and the HIS sends again whatever it has no receipt for.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

from server.clock import Millis
from server.directory import Directory
from server.errors import Busy
from server.features.dashboard.days import HospitalDays
from server.features.dashboard.documents import HEARD_ID, Fact, Heard, TakenEvent
from server.features.dashboard.facts import merged
from server.features.dashboard.keeping import CLOSED_AFTER_DAYS, DAY_MS
from server.features.dashboard.ledger import post_changes
from server.features.dashboard.rights import RESERVED
from server.features.dashboard.ticker import Ticker
from server.integrations.his import HisEvent, Receipt, RefusedEvent, Sender
from server.storage import refusing
from server.work import SystemWork, UnitOfWork

MOST_WAITING: Final = 32
"""Batches that wait for their turn; each is a request of at most 256 KiB."""
MOST_AHEAD_MS: Final = 300_000
log = logging.getLogger(__name__)


class Ingest:
    """Keeps the promise of `server.integrations.his.Intake`."""

    def __init__(
        self, system: SystemWork, directory: Directory, ticker: Ticker, days: HospitalDays
    ) -> None:
        self._system = system
        self._directory = directory
        self._ticker = ticker
        self._days = days
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def take(self, events: Sequence[HisEvent], sender: Sender) -> Receipt:
        if self._waiting >= MOST_WAITING:
            raise Busy("too many batches at once; send this one again", retry_after_ms=1_000)
        self._waiting += 1
        try:
            async with self._turn:
                with refusing():
                    return await self._system.do(lambda work: self._take(work, events, sender))
        finally:
            self._waiting -= 1

    async def _take(self, work: UnitOfWork, events: Sequence[HisEvent], sender: Sender) -> Receipt:
        taking = Taking(work, self._directory, self._days, sender)
        await taking.read(events)
        for event in events:
            taking.take(event)
        departments = await taking.write()
        at = await self._sign_of_life(work, sender, bool(taking.accepted))
        work.afterwards(lambda: self._ticker.heard(departments, at))
        if taking.refused:
            log.warning(
                "events of the HIS were refused",
                extra={"count": len(taking.refused), "first": taking.refused[0].reason},
            )
        return Receipt(
            accepted=len(taking.accepted),
            repeated=taking.repeated,
            refused=taking.refused,
            as_of=at,
        )

    async def _sign_of_life(self, work: UnitOfWork, sender: Sender, has_news: bool) -> Millis:
        """When the HIS was last heard. A captured batch that is sent again brings nothing new and was
        signed no later, so that it cannot make a silent HIS look alive."""
        heard = await work.get(Heard, HEARD_ID)
        signed = heard.signed if heard is not None else {}
        if heard is not None and not has_news and sender.signed_s <= signed.get(sender.key_id, -1):
            return heard.at
        newest = max(sender.signed_s, signed.get(sender.key_id, -1))
        work.put(Heard(id=HEARD_ID, at=work.now, signed={**signed, sender.key_id: newest}))
        return work.now


class Taking:
    """One batch on its way into the store."""

    def __init__(
        self, work: UnitOfWork, directory: Directory, days: HospitalDays, sender: Sender
    ) -> None:
        self._work = work
        self._directory = directory
        self._days = days
        self._sender = sender
        self._events: dict[str, TakenEvent] = {}
        self._before: Mapping[str, Fact] = {}
        self._after: dict[str, Fact] = {}
        self.accepted: list[TakenEvent] = []
        self.refused: list[RefusedEvent] = []
        self.repeated = 0

    async def read(self, events: Sequence[HisEvent]) -> None:
        """What is known of these events and of those they name."""
        named = {event.fact for event in events}
        ids = sorted(named | {event.event_id for event in events})
        self._events = await self._work.get_many(TakenEvent, ids)
        self._before = await self._work.get_many(Fact, sorted(named))

    def take(self, event: HisEvent) -> None:
        """Let one event change its fact, unless it is there already or cannot be."""
        taken = self._taken(event)
        known = self._events.get(event.event_id)
        if known is not None and _says_the_same(known, taken):
            self.repeated += 1
            return
        reason = "this event_id names another event" if known is not None else self._fault(event)
        if reason is not None:
            self.refused.append(RefusedEvent(event_id=event.event_id, reason=reason))
            return
        self._events[taken.id] = taken
        self.accepted.append(taken)
        fact = self._after.get(event.fact) or self._before.get(event.fact)
        self._after[event.fact] = merged(fact, event, self._days)

    async def write(self) -> set[str]:
        """Write events, facts and sums; the departments whose sums change."""
        for taken in self.accepted:
            self._work.insert(taken)
        for fact in self._after.values():
            self._work.put(fact)
        before = {id: self._before[id] for id in self._after if id in self._before}
        return await post_changes(self._work, before, self._after)

    def _taken(self, event: HisEvent) -> TakenEvent:
        return TakenEvent(
            id=event.event_id,
            kind=event.kind,
            at=event.at,
            department_id=event.department_id,
            type=event.type,
            value=event.value,
            count=event.count,
            corrects=event.corrects,
            cancels=event.cancels,
            key_id=self._sender.key_id,
            taken_at=self._work.now,
        )

    def _fault(self, event: HisEvent) -> str | None:
        """Why an event cannot be taken."""
        if event.at > self._work.now + MOST_AHEAD_MS:
            return "it lies in the future; set the clock"
        closed = self._work.now - CLOSED_AFTER_DAYS * DAY_MS
        fact = self._before.get(event.fact)
        if event.at < closed or (fact is not None and fact.at < closed):
            return f"its day is closed: it was more than {CLOSED_AFTER_DAYS} days ago"
        named = self._events.get(event.fact) if event.fact != event.event_id else None
        if named is not None and (named.corrects or named.cancels):
            return "it names a correction or cancellation; name the original event"
        if event.cancels is not None:
            return None
        id = event.department_id
        if id in RESERVED or self._directory.department(id) is None:
            return "there is no such department"
        return None


def _says_the_same(known: TakenEvent, taken: TakenEvent) -> bool:
    again = (taken.kind, taken.at, taken.department_id, taken.type, taken.value, taken.count)
    first = (known.kind, known.at, known.department_id, known.type, known.value, known.count)
    names = (known.corrects, known.cancels) == (taken.corrects, taken.cancels)
    return first == again and names
