"""What is left when a document stops waiting for a person: a small record, for turn-around figures.

It is stored with the change of the list itself, under an id that says which coming of the document it is
of: a change heard twice leaves one. Who decided, and where, is known of what was decided here; of what was
decided elsewhere only that it is over.
"""

from typing import ClassVar, Literal

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document

How = Literal["page", "card", "elsewhere"]
Decision = Literal["", "approved", "rejected"]


class Ending(Document, frozen=True):
    """One coming of a document to a person, over. `day` is the hospital's day of the end; `arrived_at` is
    when the OA says that it was received, or else when it was first seen here.

    `decision` is empty where nobody knows: a document that was decided elsewhere, or taken back.
    """

    collection: ClassVar[Collection] = Collection(
        "endings", indexes=(Index("day", ("day", "order")), Index("ended_at", ("ended_at",)))
    )

    person_id: str
    request_id: str
    kind: str
    department_id: str
    arrived_at: Millis
    ended_at: Millis
    day: str
    order: str
    """The id again, by which a day is read in portions."""
    how: How = "elsewhere"
    decision: Decision = ""

    @property
    def minutes(self) -> int:
        """How long it waited, in whole minutes."""
        return max(0, self.ended_at - self.arrived_at) // 60_000
