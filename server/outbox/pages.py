"""The ledger, page by page, the newest first: what a person, or an administrator, leafs through.

Of one person by when a notice was made; of everybody by the moment that matters in its state. A page
begins after the last row of the one before (moment and id), so rows that are added meanwhile neither
repeat nor hide others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from server.outbox.notice import ENDED, UNENDED, Notice, Priority, State
from server.storage import Doc, Store
from server.storage.document import from_doc

MOST_READ: Final = 4_000
"""Rows that are read for one page; what lies further is on the next one."""
_ROOM: Final = 50
_NOTICES: Final = Notice.collection.name


@dataclass(frozen=True, slots=True)
class Filter:
    """What is wanted; an empty word or 0 is no condition."""

    person_id: str = ""
    states: tuple[State, ...] = ()
    kind: str = ""
    subject: str = ""
    since: int = 0
    until: int = 0

    def admits(self, doc: Doc) -> bool:
        """Whether a row is wanted."""
        return (
            (not self.states or doc["state"] in self.states)
            and (not self.kind or doc["kind"] == self.kind)
            and (not self.subject or doc["subject"] == self.subject)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where the next page begins; empty: there is none."""

    notices: Sequence[Notice]
    next: str = ""


async def ledger_page(store: Store, wanted: Filter, after: str = "", limit: int = 50) -> Page:
    """One page. `after` is the `next` of the one before; a wrong one is a ValueError."""
    field = "created_at" if wanted.person_id else "at"
    moment, last_id = _read_cursor(after)
    upper = min(moment + 1 if after else wanted.until or _FOR_EVER, wanted.until or _FOR_EVER)
    found: list[Doc] = []
    lower, room = wanted.since - 1, limit + _ROOM
    while True:
        rows = await _rows(store, wanted, lower, upper, room)
        complete = len(rows) < room
        rows.sort(key=lambda doc: (doc[field], doc["_id"]), reverse=True)
        if not complete:
            rows = rows[:room]
        rest = [doc for doc in rows if not after or (doc[field], doc["_id"]) < (moment, last_id)]
        found = [doc for doc in rest if wanted.admits(doc)]
        if len(found) >= limit or complete or room >= MOST_READ:
            break
        room *= 2
    return _page(found, rest, limit, complete, lambda doc: f"{doc[field]}:{doc['_id']}")


def _page(
    found: list[Doc], read: list[Doc], limit: int, complete: bool, mark: Callable[[Doc], str]
) -> Page:
    notices = [from_doc(Notice, doc) for doc in found[:limit]]
    if len(found) > limit:
        return Page(notices, mark(found[limit - 1]))
    return Page(notices, "" if complete or not read else mark(read[-1]))


async def _rows(store: Store, wanted: Filter, lower: int, upper: int, room: int) -> list[Doc]:
    if wanted.person_id:
        return await store.find(
            _NOTICES,
            "person",
            (wanted.person_id,),
            gt=lower,
            lt=upper,
            reverse=True,
            limit=room,
        )
    rows: list[Doc] = []
    for state in wanted.states or (*UNENDED, *ENDED):
        for priority in Priority:
            eq = (state, int(priority))
            rows += await store.find(
                _NOTICES, "state", eq, gt=lower, lt=upper, reverse=True, limit=room
            )
    return rows


_FOR_EVER: Final = 2**53 - 1


def _read_cursor(after: str) -> tuple[int, str]:
    moment, _, id = after.partition(":")
    if after and not (moment.isdecimal() and len(moment) <= 16 and id):
        raise ValueError("this page does not follow any other")
    return int(moment or 0), id
