"""What is kept of the OA's documents: each person's list as last seen, and each person's dealings."""

from typing import Any, ClassVar

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document


class SeenList(Document, frozen=True):
    """What the OA was last seen to hold for a person; the id is the person's."""

    collection: ClassVar[Collection] = Collection("oa_seen")

    seen: dict[str, Any]
    oa_user: str = ""
    """Whose list it is in the OA: of another account it says nothing."""


class Todo(Document, frozen=True):
    """A person's dealings with one document, kept long after it went so that it makes one notice ever
    (see `keeping.py`).

    `notified` is 1 once nothing is owed (any more): told, or in the list from before the first reading.
    """

    collection: ClassVar[Collection] = Collection(
        "todos", indexes=(Index("gone_at", ("gone_at",), sparse=True),)
    )

    person_id: str
    request_id: str
    title: str
    creator_name: str
    arrived_at: Millis
    is_urgent: bool = False
    opened_at: Millis | None = None
    gone_at: Millis | None = None
    notified: int = 0
    kind: str = ""
    came_at: Millis | None = None
    """When it came the last time, where that was not the first."""
    comings: int = 1
    """How often it came to this person: what a card shows of it is of one of these times only."""


def todo_id(person_id: str, request_id: str) -> str:
    """The id of a person's dealings with a document."""
    return f"{person_id}:{request_id}"
