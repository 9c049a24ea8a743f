"""What is kept of substitution: who stands in for whom and when, and which documents were passed on."""

from typing import ClassVar, Literal

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document


class Deputation(Document, frozen=True):
    """One person stands in for another for a period, `begins_on` to `ends_on` as it was named, both days
    included. What holds are the moments: `ends_at` is moved when it is ended early.

    `turns_at` is the next of the two moments that was not told yet. `news` counts what both have to be
    told (1 that it was set, 2 that it was ended early); the other two say how far each was.
    """

    collection: ClassVar[Collection] = Collection(
        "deputations",
        indexes=(
            Index("deputy", ("deputy_id", "ends_at")),
            Index("turns", ("turns_at",), sparse=True),
        ),
    )

    person_id: str
    deputy_id: str
    begins_on: str
    ends_on: str
    begins_at: Millis
    ends_at: Millis
    set_by: str
    set_at: Millis
    turns_at: Millis | None = None
    ended_by: str = ""
    news: int = 1
    person_told: int = 0
    deputy_told: int = 0

    def is_over(self, now: int) -> bool:
        return now >= self.ends_at

    def holds(self, now: int) -> bool:
        """Whether the one stands in for the other at this moment."""
        return self.begins_at <= now < self.ends_at


class Represented(Document, frozen=True):
    """The newest deputation of a person; the id is the person's. Whoever names a deputy writes it in the
    version read, so there is never a second one at a time."""

    collection: ClassVar[Collection] = Collection("represented")

    deputation_id: str


class PassedOn(Document, frozen=True):
    """A document of somebody else's that was told to a deputy: once for each of the two.

    `notified` is 1 once the deputy was told; `gone_at` says since when it waits no more.
    """

    collection: ClassVar[Collection] = Collection(
        "passed_on", indexes=(Index("gone_at", ("gone_at",), sparse=True),)
    )

    deputation_id: str
    deputy_id: str
    person_id: str
    request_id: str
    title: str
    creator_name: str
    arrived_at: Millis
    is_urgent: bool = False
    opened_at: Millis | None = None
    gone_at: Millis | None = None
    notified: int = 0


def passed_on_id(deputy_id: str, request_id: str) -> str:
    """The id of a document that was passed on to a deputy."""
    return f"{deputy_id}:{request_id}"


Side = Literal["person", "deputy"]
