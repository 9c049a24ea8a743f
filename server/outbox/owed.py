"""Owed: durable reminders that somebody may have to be told, written with the change itself.

A row says only *that* something happened to a subject which people may not have seen. `server.notify`
takes it in hand when it is due and decides who still needs a notice. More that happens to the subject
leaves a row alone that is due no later (`Sooner`), so that a busy conversation writes it once; one in hand
is due never, so that whatever happens during a look makes it a new version, in which it stays.
"""

from typing import Any, ClassVar, Final

from server.clock import Millis
from server.storage import Collection, Doc, Index, Store
from server.storage.document import Document

_PAGE: Final = 500


class Owed(Document, frozen=True):
    """Somebody may have to be told of `subject`; the id is `<kind>:<subject>`.

    `at` is when it was written, `due_at` when to look at it (next).
    """

    collection: ClassVar[Collection] = Collection("owed", indexes=(Index("due", ("due_at",)),))

    kind: str
    subject: str
    at: Millis
    due_at: Millis
    data: dict[str, Any] = {}


async def coming(store: Store, before: int, after: int | None = None) -> list[Doc]:
    """All rows to be looked at between these moments, as stored, the earliest first."""
    rows: dict[str, Doc] = {}
    limit = _PAGE
    while True:
        page = await store.find(Owed.collection.name, "due", gt=after, lt=before, limit=limit)
        new = [doc for doc in page if doc["_id"] not in rows]
        rows.update((doc["_id"], doc) for doc in page)
        if len(page) < limit:
            return list(rows.values())
        # Rows due at the same moment may lie on both sides of a page's end: read that moment again.
        after = page[-1]["due_at"] - 1
        limit = _PAGE if new else limit * 2
