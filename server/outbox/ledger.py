"""Questions to the ledger: what became of the notices, for senders and administrators."""

from dataclasses import dataclass
from typing import Final, Literal

from server.clock import Millis
from server.outbox.notice import ENDED, UNENDED, Notice, Priority, State
from server.retention import drop_old
from server.storage import Doc, Store
from server.storage.document import from_doc

_MOST: Final = 2_000
_NOTICES: Final = Notice.collection.name

_TELLING: Final[dict[State, int]] = {
    "settled": 0,
    "queued": 1,
    "sending": 2,
    "dead": 3,
    "refused": 4,
    "sent": 5,
}
"""Which of several notices of one place says most about it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of telling one person of one place."""

    person_id: str
    state: Literal["queued", "sent", "refused", "dead", "settled"]
    reason: str
    at: Millis


async def deliveries(store: Store, kind: str, subject: str, place: int) -> list[Delivery]:
    """How each person was told of a place in a subject, those who needed a notice only.

    An open notice carries everything that is unsettled when it goes, so it covers every place after
    its beginning.
    """
    found: list[Notice] = []
    for state in UNENDED:
        found += await _notices(store, kind, subject, state, None)
    for state in ENDED:
        found += await _notices(store, kind, subject, state, place - 1)
    covering = [
        notice
        for notice in found
        if notice.after < place and (notice.is_open or place <= notice.upto)
    ]
    covering.sort(key=lambda notice: (_TELLING[notice.state], notice.created_at))
    telling = {notice.person_id: notice for notice in covering}
    return [
        Delivery(
            notice.person_id,
            "queued" if notice.state == "sending" else notice.state,
            notice.reason,
            notice.at,
        )
        for notice in telling.values()
    ]


async def _notices(
    store: Store, kind: str, subject: str, state: State, beyond: int | None
) -> list[Notice]:
    docs = await store.find(_NOTICES, "subject", (kind, subject, state), gt=beyond, limit=_MOST)
    return [from_doc(Notice, doc) for doc in docs]


async def dead_letters(store: Store, limit: int = 100) -> list[Notice]:
    """Notices given up or refused, the newest first of each priority."""
    found: list[Doc] = []
    for state in ("dead", "refused"):
        for priority in Priority:
            found += await store.find(
                _NOTICES, "state", (state, int(priority)), reverse=True, limit=limit
            )
    found.sort(key=lambda doc: -doc["at"])
    return [from_doc(Notice, doc) for doc in found[:limit]]


async def purge(store: Store, before: int) -> int:
    """Remove some notices that ended before this moment; how many there were."""
    places = [(state, int(priority)) for state in ENDED for priority in Priority]
    return sum([await drop_old(store, Notice, "state", before, eq=place) for place in places])
