"""What is kept of an act: somebody's word about a document, on its way into the OA and after."""

from typing import ClassVar, Literal

from server.acting.protocol import ActCard, ActReason, ActState
from server.clock import Millis
from server.integrations.oa.documents import Action
from server.storage import Collection, Index
from server.storage.document import Document


class Act(Document, frozen=True):
    """One act. The id is the person's, the document's, and the how-manieth of this person on it: so two at
    once cannot both be stored.

    Stored as `asked` before the OA is called. Nothing but the OA's answer, or its log read back, makes it
    `done`. `known` are the person's entries in that log from before; `look_at` is when to read it (next),
    `ended_at` since when its end is known.
    """

    collection: ClassVar[Collection] = Collection(
        "acts",
        indexes=(
            Index("client", ("person_id", "client_id"), unique=True),
            Index("document", ("person_id", "request_id", "number")),
            Index("look_at", ("look_at",), sparse=True),
            Index("ended_at", ("ended_at",), sparse=True),
            Index("asked_at", ("asked_at",)),
        ),
    )

    person_id: str
    request_id: str
    number: int
    client_id: str
    action: Action
    via: Literal["page", "card"]
    title: str
    node_id: str
    asked_at: Millis
    state: ActState = "asked"
    opinion: str = ""
    to: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    tries: int = 1
    reason: ActReason = ""
    may_repeat: bool = False
    look_at: Millis | None = None
    ended_at: Millis | None = None
    session_id: str = ""
    address: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nobody knows yet, and it is not to be done once more meanwhile."""
        return self.state == "asked" or (self.state == "unknown" and not self.may_repeat)

    @property
    def card(self) -> ActCard:
        """As its person's pages see it."""
        return ActCard(
            client_id=self.client_id,
            action=self.action,
            state=self.state,
            asked_at=self.asked_at,
            opinion=self.opinion,
            reason=self.reason,
            may_repeat=self.may_repeat,
        )


def act_id(person_id: str, request_id: str, number: int) -> str:
    """The id of a person's so-manieth act on a document."""
    return f"{person_id}:{request_id}:{number}"
