"""Takes what the HIS sends: events, facts, sums and the sign of life in one unit of work.

Only one unit of work is under way, so that it hardly ever meets another in the same sums; if it does, it
is done again. A kill leaves the store as it was before the whole unit or after it, and the HIS sends again
whatever it has no receipt for.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from server.clock import Millis
from server.days import HospitalDays
from server.directory import Directory
from server.errors import Busy
from server.features.dashboard.documents import HEARD_ID, Fact, Heard, TakenEvent
from server.features.dashboard.facts import merged
from server.features.dashboard.keeping import CLOSED_AFTER_DAYS, DAY_MS
from server.features.dashboard.ledger import post_changes
from server.features.dashboard.rights import RESERVED
from server.features.dashboard.ticker import Ticker
from server.integrations.his import EVENTS_PER_BATCH, HisEvent, Receipt, RefusedEvent
from server.integrations.signing import Sender
from server.storage import Conflict, Duplicate, refusing
from server.work import SystemWork, UnitOfWork

MOST_WAITING: Final = 32
"""Batches that wait for their turn; each is a request of at most 256 KiB."""
MOST_AHEAD_MS: Final = 300_000
log = logging.getLogger(__name__)


@dataclass
class Waiting:
    """A batch that waits for its turn; in the end it has a receipt or the reason why not."""

    events: Sequence[HisEvent]
    sender: Sender
    receipt: Receipt | None = None
    fault: Exception | None = None


class Ingest:
    """Keeps the promise of `server.integrations.his.Intake`.

    One unit of work at a time. Whatever came meanwhile waits and is taken together with one commit, so
    that a slow disk makes larger units and not a longer queue.
    """

    def __init__(
        self, system: SystemWork, directory: Directory, ticker: Ticker, days: HospitalDays
    ) -> None:
        self._system = system
        self._directory = directory
        self._ticker = ticker
        self._days = days
        self._turn = asyncio.Lock()
        self._queue: list[Waiting] = []

    async def take(self, events: Sequence[HisEvent], sender: Sender) -> Receipt:
        if len(self._queue) >= MOST_WAITING:
            raise Busy("too many batches at once; send this one again", retry_after_ms=1_000)
        mine = Waiting(events, sender)
        self._queue.append(mine)
        async with self._turn:
            while mine.receipt is None and mine.fault is None:
                await self._take_together(self._first())
        if mine.fault is not None:
            raise mine.fault
        assert mine.receipt is not None
        return mine.receipt

    def _first(self) -> list[Waiting]:
        """Those who have waited longest, as many as make one batch of the largest size."""
        group = [self._queue.pop(0)]
        room = EVENTS_PER_BATCH - len(group[0].events)
        while self._queue and len(self._queue[0].events) <= room:
            room -= len(self._queue[0].events)
            group.append(self._queue.pop(0))
        return group

    async def _take_together(self, group: list[Waiting]) -> None:
        try:
            with refusing():
                receipts = await self._system.do(lambda work: self._take(work, group))
        except (Conflict, Duplicate):
            for waiting in group:
                waiting.fault = Busy("other nodes take figures too; send again", retry_after_ms=500)
        except Exception as fault:
            for waiting in group:
                waiting.fault = fault
        except BaseException:
            # Whoever was to do it has gone; the next in turn does it, and what was done is a repeat.
            self._queue[:0] = group
            raise
        else:
            for waiting, receipt in zip(group, receipts, strict=True):
                waiting.receipt = receipt

    async def _take(self, work: UnitOfWork, group: Sequence[Waiting]) -> list[Receipt]:
        # Read before anything else: whoever takes something meanwhile, on any node, writes it too.
        before = heard = await work.get(Heard, HEARD_ID)
        taking = Taking(work, self._directory, self._days)
        await taking.read([event for waiting in group for event in waiting.events])
        taken = [taking.take(waiting) for waiting in group]
        departments = await taking.write()
        for waiting, receipt in zip(group, taken, strict=True):
            heard = sign_of_life(heard, waiting.sender, bool(receipt.accepted), work.now)
        assert heard is not None
        if heard != before or taking.has_news:
            work.put(heard)
        work.afterwards(lambda: self._ticker.heard(departments, heard.at))
        return [replace(receipt, as_of=heard.at) for receipt in taken]


def sign_of_life(heard: Heard | None, sender: Sender, has_news: bool, now: Millis) -> Heard:
    """When the HIS was last heard. A captured batch that is sent again brings nothing new and was signed
    no later, so that it cannot make a silent HIS look alive."""
    signed = heard.signed if heard is not None else {}
    before = signed.get(sender.key_id, -1)
    if heard is not None and not has_news and sender.signed_s <= before:
        return heard
    newest = max(sender.signed_s, before)
    return Heard(id=HEARD_ID, at=now, signed={**signed, sender.key_id: newest})


class Taking:
    """Batches on their way into the store."""

    def __init__(self, work: UnitOfWork, directory: Directory, days: HospitalDays) -> None:
        self._work = work
        self._directory = directory
        self._days = days
        self._events: dict[str, TakenEvent] = {}
        self._before: Mapping[str, Fact] = {}
        self._after: dict[str, Fact] = {}
        self._accepted: list[TakenEvent] = []

    @property
    def has_news(self) -> bool:
        """Whether anything was accepted."""
        return bool(self._accepted)

    async def read(self, events: Sequence[HisEvent]) -> None:
        """What is known of these events and of those they name."""
        named = {event.fact for event in events}
        ids = sorted(named | {event.event_id for event in events})
        self._events = await self._work.get_many(TakenEvent, ids)
        self._before = await self._work.get_many(Fact, sorted(named))

    def take(self, waiting: Waiting) -> Receipt:
        """Take one batch; when the HIS was heard is not known yet."""
        refused: list[RefusedEvent] = []
        repeated = 0
        for event in waiting.events:
            taken = self._taken(event, waiting.sender)
            known = self._events.get(event.event_id)
            if known is not None and _says_the_same(known, taken):
                repeated += 1
            elif reason := self._fault(event, known):
                refused.append(RefusedEvent(event_id=event.event_id, reason=reason))
            else:
                self._accept(event, taken)
        if refused:
            log.warning(
                "events of the HIS were refused",
                extra={"count": len(refused), "first": refused[0].reason},
            )
        accepted = len(waiting.events) - repeated - len(refused)
        return Receipt(accepted=accepted, repeated=repeated, refused=refused, as_of=self._work.now)

    def _accept(self, event: HisEvent, taken: TakenEvent) -> None:
        self._events[taken.id] = taken
        self._accepted.append(taken)
        fact = self._after.get(event.fact) or self._before.get(event.fact)
        self._after[event.fact] = merged(fact, event, self._days)

    async def write(self) -> set[str]:
        """Write events, facts and sums; the departments whose sums change."""
        for taken in self._accepted:
            self._work.insert(taken)
        for fact in self._after.values():
            self._work.put(fact)
        before = {id: self._before[id] for id in self._after if id in self._before}
        return await post_changes(self._work, before, self._after)

    def _taken(self, event: HisEvent, sender: Sender) -> TakenEvent:
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
            key_id=sender.key_id,
            taken_at=self._work.now,
        )

    def _fault(self, event: HisEvent, known: TakenEvent | None) -> str | None:
        """Why an event cannot be taken."""
        if known is not None:
            return "this event_id names another event"
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
