"""Looking: who is still unsettled in a subject that something happened to, and what follows from it.

For each unsettled person one of four things: settled (the news reached a screen, or the person wants no
notices here), looked at again (still pending, or away but not for long enough), covered (a notice waits
or is on its way), or queued. A row is taken in hand before it is looked at: from then on whatever
happens makes it a new version (`Sooner`). It goes when nobody is unsettled, in the version in hand: if more
happened meanwhile, the conflict keeps it.

Nothing here has an effect that a repeat would double: a crash between any two steps is healed by the
next look.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from realtime.application import Reach
from realtime.presence import Presence
from server.clock import Clock, Millis
from server.ids import new_id
from server.notify.agenda import Agenda
from server.notify.backlog import Backlog
from server.notify.duty import Claim, Duty, Skimming
from server.notify.metrics import NoticeMetrics
from server.notify.muted import Muted
from server.outbox import UNENDED, Notice, Owed, coming
from server.storage import Conflict, Delete, Doc, Duplicate, Insert, Op, Patch, StorageError, Store
from server.storage.document import from_doc, to_doc

logger = logging.getLogger(__name__)

IN_HAND: Final = 2**53 - 1
"""When a row is due that the notifier has taken in hand; every row is looked at after a start."""
STRAYS_EVERY_MS: Final = 60_000
"""How often rows in hand are looked for that this notifier does not have in mind: one that led before, and
did not know that it no longer did, may have taken them."""
HORIZON_MS: Final = 15_000
"""A look further away is written into the row, so that it need not be kept in mind."""

BATCH: Final = 100
MOST_BATCHES: Final = 4
CHUNK: Final = 200
MOST_PEOPLE: Final = 5_000

COVERED_LOOK_MS: Final = 60_000
"""Everybody left has a notice waiting: its end brings the row back, this is for what was missed."""
IDLE_LOOK_MS: Final = 300_000
"""Nothing can be done for this row now: no WeCom, or nobody knows its kind."""
FAULT_LOOK_MS: Final = 10_000
FOR_EVER: Final = 2**53


@dataclass(slots=True)
class _Findings:
    """What one look at one subject found."""

    settled: dict[str, int] = field(default_factory=dict)
    muted: list[Claim] = field(default_factory=list)
    pending: set[str] = field(default_factory=set)
    away: list[Claim] = field(default_factory=list)
    look_at: list[int] = field(default_factory=list)

    @property
    def nobody_left(self) -> bool:
        return not (self.pending or self.away or self.look_at)


class Looking:
    """One look after another at what is due; `may_send` is False when there is no WeCom."""

    def __init__(
        self,
        store: Store,
        presence: Presence,
        clock: Clock,
        duties: Mapping[str, Duty],
        agenda: Agenda,
        backlog: Backlog,
        metrics: NoticeMetrics,
        *,
        first_ms: int,
        may_send: bool,
    ) -> None:
        self._store = store
        self._presence = presence
        self._clock = clock
        self._duties = duties
        self._agenda = agenda
        self._backlog = backlog
        self._metrics = metrics
        self._first_ms = first_ms
        self._may_send = may_send
        self._muted = Muted()
        self._everything = True
        self._strays_at = 0

    def start_over(self) -> None:
        """Look at every row again: at the start, and when the clock was set back."""
        self._agenda.clear()
        self._strays_at = 0
        self._everything = True

    async def step(self) -> bool:
        """Look at what is due now, within bounds. Says whether more is due at once."""
        now = self._clock.now()
        if now >= self._strays_at:
            self._agenda.discovered(await coming(self._store, FOR_EVER, IN_HAND - 1), now)
            self._strays_at = now + STRAYS_EVERY_MS
        rows = await coming(self._store, FOR_EVER if self._everything else now + 1)
        self._everything = False
        self._agenda.discovered(rows, now + HORIZON_MS)
        self._metrics.owed.set(len(self._agenda))
        for _ in range(MOST_BATCHES):
            ids = self._agenda.ready(self._clock.now(), BATCH)
            if not ids:
                return False
            await self._look(ids)
        return True

    async def _look(self, ids: Sequence[str]) -> None:
        docs = await self._taken_in_hand(ids)
        by_kind: dict[str, list[Owed]] = {}
        for doc in docs.values():
            by_kind.setdefault(doc["kind"], []).append(from_doc(Owed, doc))
        for kind, rows in by_kind.items():
            self._metrics.looks.inc(len(rows))
            rows = await self._skim(kind, rows, docs)
            claims = await self._claims(kind, rows) if rows else {}
            looks = [
                self._look_at(row, docs[row.id]["_v"], claims[row.id])
                for row in rows
                if row.id in claims
            ]
            await asyncio.gather(*looks)

    async def _skim(self, kind: str, rows: list[Owed], docs: Mapping[str, Doc]) -> list[Owed]:
        """Look at what can be judged by who is reached alone; what is left."""
        duty = self._duties.get(kind)
        if duty is None or not isinstance(duty, Skimming):
            return rows
        try:
            found = await duty.skim(rows)
        except Exception:
            return rows  # Looked at one by one, the one that cannot be read is named.
        looks = (
            self._look_at(row, docs[row.id]["_v"], found.get(row.subject, ()), skimming=True)
            for row in rows
        )
        done = await asyncio.gather(*looks)
        return [row for row, is_done in zip(rows, done, strict=True) if not is_done]

    async def _taken_in_hand(self, ids: Sequence[str]) -> dict[str, Doc]:
        """The rows that are there, each in a version that ends with the next change to its subject."""
        coll = Owed.collection.name
        docs = await self._store.get_many(coll, ids)
        for id in ids:
            if id not in docs:
                self._agenda.forget(id)
        touched = [id for id, doc in docs.items() if doc["due_at"] != IN_HAND]
        if touched:
            taken = await self._store.apply(
                *(Patch(coll, id, {"due_at": IN_HAND}) for id in touched)
            )
            docs.update((doc["_id"], doc) for doc in taken if doc is not None)
        return docs

    async def _claims(self, kind: str, rows: list[Owed]) -> dict[str, Sequence[Claim]]:
        """Who is unsettled, by row; rows that cannot be judged now are put off and left out."""
        duty = self._duties.get(kind)
        now = self._clock.now()
        if duty is None:
            logger.error("nobody knows what is owed for kind %s", kind)
            for row in rows:
                self._agenda.again(row.id, now, now + IDLE_LOOK_MS)
            return {}
        try:
            found = await duty.due(rows)
        except Exception:
            if len(rows) > 1:
                # One subject that cannot be read must not hold up the others.
                one_by_one = [await self._claims(kind, [row]) for row in rows]
                return {id: claims for each in one_by_one for id, claims in each.items()}
            logger.exception("looking at a subject of kind %s failed", kind)
            self._metrics.faults.labels("look").inc()
            self._agenda.again(rows[0].id, now, now + FAULT_LOOK_MS)
            return {}
        return {row.id: found.get(row.subject, ()) for row in rows}

    async def _look_at(
        self, row: Owed, version: int, claims: Sequence[Claim], *, skimming: bool = False
    ) -> bool:
        """False when more has to be read, because somebody is away."""
        now = self._clock.now()
        try:
            findings = await self._judge(claims, now)
            if skimming and findings.away:
                return False
            await self._carry_out(row, version, findings, now)
        except (Conflict, Duplicate) as lost:
            # Somebody was faster: what was found is no longer so.
            if lost.coll == Owed.collection.name:
                self._agenda.forget(row.id)  # It will be due again by itself.
            else:
                self._agenda.again(row.id, now, now)
        except StorageError as fault:
            logger.warning("a look at what is owed was not stored: %s", fault)
            self._agenda.again(row.id, now, now + FAULT_LOOK_MS)
        except Exception:
            logger.exception("looking at a subject of kind %s failed", row.kind)
            self._metrics.faults.labels("look").inc()
            self._agenda.again(row.id, now, now + FAULT_LOOK_MS)
        return True

    async def _judge(self, claims: Sequence[Claim], now: int) -> _Findings:
        findings = _Findings()
        if not claims:
            return findings
        people = {claim.person_id for claim in claims if not (claim.muted or claim.asked)}
        newest = max(claim.newest_at for claim in claims)
        reach = await self._presence.reach(people, newest) if people else {}
        for claim in claims:
            reached = reach.get(claim.person_id, Reach.AWAY)
            if claim.asked:
                findings.away.append(claim)
            elif claim.muted or reached is Reach.REACHED:
                findings.settled[claim.person_id] = claim.upto
                if claim.muted:
                    findings.muted.append(claim)
            elif reached is Reach.PENDING:
                findings.pending.add(claim.person_id)
            elif now - self._first_ms < claim.first_at <= now:
                # What seems to lie ahead is from before the clock was set back, and due.
                findings.look_at.append(claim.first_at + self._first_ms)
            else:
                findings.away.append(claim)
        return findings

    async def _carry_out(self, row: Owed, version: int, findings: _Findings, now: int) -> None:
        ops: list[Op] = []
        if findings.settled:
            ops += await self._duties[row.kind].settle(row.subject, findings.settled)
            ops += self._muted.rows(row, findings.muted, now)
        if findings.away and self._may_send:
            ops += await self._cover(row, findings.away, now)
        if findings.nobody_left:
            ops.append(Delete(Owed.collection.name, row.id, version))
        for start in range(0, len(ops), CHUNK):
            await self._store.apply(*ops[start : start + CHUNK])
        if findings.nobody_left:
            self._agenda.forget(row.id)
            return
        if findings.away:
            wait = COVERED_LOOK_MS if self._may_send else IDLE_LOOK_MS
            findings.look_at.append(now + wait)
        earliest = min(findings.look_at, default=None)
        await self._put_off(row, version, now, earliest, findings.pending)

    async def _put_off(
        self, row: Owed, version: int, now: int, earliest: int | None, pending: set[str]
    ) -> None:
        """Look again later; a look far away is written into the row, so that it need not be kept."""
        look_at = self._agenda.again(row.id, now, earliest, pending)
        if look_at > now + HORIZON_MS:
            later = Patch(Owed.collection.name, row.id, {"due_at": look_at}, version)
            await self._store.apply(later)
            self._agenda.forget(row.id)

    async def _cover(self, row: Owed, away: list[Claim], now: int) -> list[Op]:
        """Notices for those who have none that covers their claim."""
        known = await self._unended(row)
        ops: list[Op] = []
        for claim in away:
            after = claim.after
            covered = False
            for version, notice in known.get(claim.person_id, ()):
                if not notice.is_open:
                    # What came after its bytes were made belongs to the next notice.
                    after = max(after, notice.upto)
                    covered = covered or claim.upto <= notice.upto
                else:
                    covered = True
                    if claim.priority < notice.priority or (claim.named and not notice.named):
                        # Whatever it waited for may hold only for what is less urgent.
                        ops.append(_brought_forward(notice, version, claim, now))
            if not covered:
                self._backlog.queued(claim.person_id, now)
                ops.append(Insert(Notice.collection.name, to_doc(_notice(row, claim, after, now))))
        return ops

    async def _unended(self, row: Owed) -> dict[str, list[tuple[int, Notice]]]:
        """Notices of this subject that have not ended, by person, with their versions."""
        found: dict[str, list[tuple[int, Notice]]] = {}
        for state in UNENDED:
            eq = (row.kind, row.subject, state)
            docs = await self._store.find(Notice.collection.name, "subject", eq, limit=MOST_PEOPLE)
            for doc in docs:
                found.setdefault(doc["person_id"], []).append((doc["_v"], from_doc(Notice, doc)))
        return found


def _brought_forward(notice: Notice, version: int, claim: Claim, now: int) -> Patch:
    change = {
        "priority": min(int(claim.priority), int(notice.priority)),
        "at": min(now, notice.at),
        "named": claim.named or notice.named,
    }
    return Patch(Notice.collection.name, notice.id, change, version)


def _notice(row: Owed, claim: Claim, after: int, now: int) -> Notice:
    moment = Millis(now)
    return Notice(
        id=new_id(moment),
        person_id=claim.person_id,
        kind=row.kind,
        subject=row.subject,
        state="queued",
        priority=claim.priority,
        at=moment,
        created_at=moment,
        upto=claim.upto,
        after=after,
        count=claim.count,
        named=claim.named,
        waiting_for=f"{row.kind}:{row.subject}:{claim.person_id}",
    )
