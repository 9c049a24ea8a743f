"""What is kept of starting documents: what somebody has begun to type, and each start with its end."""

from typing import ClassVar

import msgspec

from server.clock import Millis
from server.features.documents.protocol import (
    DraftCard,
    FieldProblem,
    StartCard,
    StartReason,
)
from server.storage import Collection, Index
from server.storage.document import Document


class StartDraft(Document, frozen=True):
    """Something typed into a blank form and not sent yet. `said` is a `DraftCard` as JSON: field names
    are the OA's and would make odd keys."""

    collection: ClassVar[Collection] = Collection(
        "start_drafts", indexes=(Index("person", ("person_id", "at")), Index("at", ("at",)))
    )

    person_id: str
    workflow_id: str
    at: Millis
    said: str

    @property
    def card(self) -> DraftCard:
        return msgspec.json.decode(self.said, type=DraftCard)


class Begun(Document, frozen=True):
    """A start. Stored before the OA is called: `sent_at` says that the call may have been made, `before`
    which documents the person's list showed just before it."""

    collection: ClassVar[Collection] = Collection(
        "starts",
        indexes=(
            Index("person", ("person_id", "asked_at")),
            Index("state", ("state", "asked_at")),
            Index("ended_at", ("ended_at",), sparse=True),
            Index("asked_at", ("asked_at",)),
        ),
    )

    person_id: str
    client_id: str
    workflow_id: str
    title: str
    asked_at: Millis
    state: str
    """Always stored: what nobody looked after is found by it."""
    kind: str = ""
    sent_at: Millis | None = None
    ended_at: Millis | None = None
    before: tuple[str, ...] = ()
    request_id: str = ""
    reason: StartReason = ""
    problems: tuple[FieldProblem, ...] = ()
    may_remain: bool = False
    may_repeat: bool = False
    address: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nobody knows yet what became of it."""
        return self.state in ("asked", "unknown")

    @property
    def card(self) -> StartCard:
        return msgspec.convert(
            {
                "client_id": self.client_id,
                "workflow_id": self.workflow_id,
                "kind": self.kind,
                "state": self.state,
                "asked_at": self.asked_at,
                "title": self.title,
                "request_id": self.request_id or None,
                "reason": self.reason,
                "problems": list(self.problems),
                "may_remain": self.may_remain,
                "may_repeat": self.may_repeat,
            },
            StartCard,
        )


def draft_id(person_id: str, workflow_id: str) -> str:
    """One draft for each process and person."""
    return f"{person_id}:{workflow_id}"


def begun_id(person_id: str, client_id: str) -> str:
    """One start for each id that a page of this person made up."""
    return f"{person_id}:{client_id}"
