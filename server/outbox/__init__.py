"""Owed: durable reminders that somebody may have to be told, written with the change itself.

A row says only *that* something happened to a subject which people may not have seen. `server.notify`
looks at it when it is due and decides who still needs a notice. A row is replaced when more happens to
the same subject, and removed, in the version looked at, when nobody is owed anything any more.
"""

from typing import Any, ClassVar

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document


class Owed(Document, frozen=True):
    """Somebody may have to be told of `subject`; the id is `<kind>:<subject>`.

    `at` is when it last changed, `due_at` when to look at it (next).
    """

    collection: ClassVar[Collection] = Collection("owed", indexes=(Index("due", ("due_at",)),))

    kind: str
    subject: str
    at: Millis
    due_at: Millis
    data: dict[str, Any] = {}
