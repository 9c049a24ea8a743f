"""Reminders (催办): somebody asks whoever holds a document to get on with it.

A reminder lies beside the holder's dealings with the document, under the same id, and is told as a to-do
is: one notice, joined with one that is owed already, subject to the holder's wishes. Limits keep it from
becoming a nuisance; they are counted in the store, in the commit of the reminder itself, so several nodes
and many fingers count together. Whether somebody may remind, and whether the document waits for that
holder, has been decided by whoever asks here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from realtime.channel import person_channel
from realtime.protocol import Event
from server.clock import Millis
from server.storage import Collection, Store
from server.storage.document import Document, from_doc
from server.work import UnitOfWork

HOUR_MS: Final = 3_600_000
LEFT_ALONE_MS: Final = 2 * HOUR_MS
"""So long after a document arrived nobody is reminded of it."""
BETWEEN_MS: Final = 4 * HOUR_MS
"""Between two reminders of one holder of one document, whoever they are from."""
DOCUMENTS_A_DAY: Final = 5
"""Documents that one person may remind others of within a day of the hospital's."""
URGED_KEY: Final = "todos.urged"

State = Literal["reminded", "too_early", "too_soon", "limit"]


class Urge(Document, frozen=True):
    """The newest reminder of a document to one holder; the id is `<holder>:<request>`."""

    collection: ClassVar[Collection] = Collection("urges")

    by_id: str
    by_name: str
    at: Millis
    words: str = ""
    times: int = 1
    seen_at: Millis | None = None


class UrgedToday(Document, frozen=True):
    """Which documents somebody has reminded others of on the newest such day; the id is the person's."""

    collection: ClassVar[Collection] = Collection("urged_today")

    day: str
    request_ids: list[str] = []


class TodoUrged(Event, frozen=True):
    """Somebody reminds the person of a document that waits."""

    wire_name: ClassVar[str] = "todos.urged"
    request_id: str
    by_name: str
    at: Millis


@dataclass(frozen=True, slots=True)
class Held:
    """A document as it waits for a holder. `since` is None where the OA does not tell."""

    holder_id: str
    request_id: str
    since: Millis | None = None

    @property
    def urge_id(self) -> str:
        return f"{self.holder_id}:{self.request_id}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the limits say: reminded, or why not and from when on."""

    state: State
    not_before: Millis | None = None

    @property
    def is_told(self) -> bool:
        return self.state == "reminded"


async def weigh(work: UnitOfWork, held: Held, zone: ZoneInfo) -> Outcome:
    """Whether the actor may remind a holder now."""
    if held.since is not None and work.now < held.since + LEFT_ALONE_MS:
        return Outcome("too_early", Millis(held.since + LEFT_ALONE_MS))
    before = await work.get(Urge, held.urge_id)
    if before is not None and work.now < before.at + BETWEEN_MS:
        return Outcome("too_soon", Millis(before.at + BETWEEN_MS))
    today = await _today(work, zone)
    if held.request_id not in today.request_ids and len(today.request_ids) >= DOCUMENTS_A_DAY:
        return Outcome("limit", _tomorrow(work.now, zone))
    return Outcome("reminded")


async def remind(
    work: UnitOfWork,
    holders: Sequence[Held],
    *,
    by_name: str,
    words: str,
    zone: ZoneInfo,
    due_ms: int,
) -> list[Outcome]:
    """Remind all holders of one document whom the limits allow; what became of each."""
    outcomes = [await weigh(work, held, zone) for held in holders]
    told = [held for held, one in zip(holders, outcomes, strict=True) if one.is_told]
    if not told:
        return outcomes
    today = await _today(work, zone)
    known = set(today.request_ids)
    ids = [
        *today.request_ids,
        *dict.fromkeys(h.request_id for h in told if h.request_id not in known),
    ]
    # Also when nothing is new in it: two devices of one person then count one after the other.
    work.put(UrgedToday(id=today.id, day=today.day, request_ids=ids))
    for held in told:
        await _remind(work, held, by_name, words, due_ms)
    return outcomes


async def _remind(work: UnitOfWork, held: Held, by_name: str, words: str, due_ms: int) -> None:
    before = await work.get(Urge, held.urge_id)
    work.put(
        Urge(
            id=held.urge_id,
            by_id=work.actor.person_id,
            by_name=by_name,
            at=work.now,
            words=words,
            times=before.times + 1 if before is not None else 1,
        )
    )
    work.owe("todo", held.urge_id, due_in_ms=due_ms)
    told = TodoUrged(request_id=held.request_id, by_name=by_name, at=work.now)
    work.append(person_channel(held.holder_id), told, key=URGED_KEY)


async def _today(work: UnitOfWork, zone: ZoneInfo) -> UrgedToday:
    day = datetime.fromtimestamp(work.now / 1000, zone).date().isoformat()
    kept = await work.get(UrgedToday, work.actor.person_id)
    return (
        kept
        if kept is not None and kept.day == day
        else UrgedToday(id=work.actor.person_id, day=day)
    )


def _tomorrow(now: Millis, zone: ZoneInfo) -> Millis:
    day = datetime.fromtimestamp(now / 1000, zone).date() + timedelta(days=1)
    return Millis(round(datetime.combine(day, time(), zone).timestamp() * 1000))


async def urges_of(store: Store, ids: Sequence[str]) -> Mapping[str, Urge]:
    """The newest reminders, by the id of the dealings they lie beside."""
    docs = await store.get_many(Urge.collection.name, ids)
    return {id: from_doc(Urge, doc) for id, doc in docs.items()}
