"""A notice: one person is told of one subject, once, and what became of it.

    queued ──> sending ──> sent | refused | dead
       └──────────┴──────> settled            (read, withdrawn or not theirs any more)

`at` is the moment that matters in the present state: queued, not before; sending, when the lease ends
or the next try is due; afterwards, when it ended. The bytes of the request are set with `sending` and
stay as they are for as long as nobody knows whether WeCom took them. When it said that it did not, they
are taken away, and the notice says anew what is unsettled when it goes again.
"""

from enum import IntEnum
from typing import ClassVar, Final, Literal

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document

State = Literal["queued", "sending", "sent", "refused", "dead", "settled"]

Why = Literal["", "quiet", "digest", "limit", "merge", "read", "screen", "app", "muted", "merged"]
"""The decision behind a state. Waiting: for quiet hours to end, for a digest, for the person's limit, for an
earlier card about the same. Settled without a card: read (or withdrawn), on a screen, wanted in the
app only, muted. Merged: it went on the card of another (`into`)."""

UNENDED: Final[tuple[State, ...]] = ("queued", "sending")
ENDED: Final[tuple[State, ...]] = ("sent", "refused", "dead", "settled")

TOLD: Final[tuple[State, ...]] = ("sent", "refused", "dead")
"""Ended by trying: what the window for merging counts from."""


class Priority(IntEnum):
    """Who goes first when not everybody can: lower is earlier."""

    URGENT = 0
    TODO = 1
    CHAT = 2
    CIRCULAR = 3
    """What goes to so many at once that others would wait behind it."""


class Notice(Document, frozen=True):
    """Tells `person_id` of the places after `after` up to `upto` in a subject of a kind."""

    collection: ClassVar[Collection] = Collection(
        "notices",
        indexes=(
            Index("state", ("state", "priority", "at")),
            Index("subject", ("kind", "subject", "state", "upto")),
            Index("told", ("kind", "subject", "person_id", "told_at"), sparse=True),
            Index("person", ("person_id", "created_at")),
            Index("tried", ("person_id", "tried_at"), sparse=True),
            Index("waiting", ("waiting_for",), unique=True, sparse=True),
        ),
    )

    person_id: str
    kind: str
    subject: str
    state: State
    priority: Priority
    at: Millis
    created_at: Millis
    upto: int
    after: int = 0
    count: int = 1

    waiting_for: str | None = None
    """`<kind>:<subject>:<person>` while queued."""
    request: str | None = None
    """The exact bytes, as text, while WeCom may have them: what people wrote is kept elsewhere."""
    quotes: int = 0
    """The place whose text these bytes show; 0: nobody's."""
    owner: str | None = None
    """Who sends it, while sending."""
    tries: list[Millis] = []
    """When it was given to WeCom, within the last hour before the last try."""
    tried_at: Millis | None = None
    failures: int = 0
    told_at: Millis | None = None
    msgid: str = ""
    response_code: str = ""
    """Changes the card that was sent, once; empty when it has no buttons or the code was used."""
    closed_at: Millis | None = None
    """When its card was changed or taken back, because its subject was over."""
    reason: str = ""
    """Why it was refused, is dead or was withdrawn; while sending, why the last try failed."""

    named: bool = False
    """Whether somebody named the person, as far as was known when it was last looked at."""
    why: Why = ""
    path: str = ""
    """Where it leads, once that was known: what a person sees of it in the ledger."""
    into: str = ""
    """The notice whose card carries this one, or carried it."""
    again: str = ""
    """The notice that failed and is sent again by this one."""
    followed_by: str = ""
    """The notice that sends this one again."""

    @property
    def is_open(self) -> bool:
        """Has no bytes (any more): it will say everything that is unsettled when it goes."""
        return self.request is None and self.state in UNENDED

    @property
    def place(self) -> tuple[str, str, str]:
        """Notices of one place follow one another, never side by side."""
        return (self.kind, self.subject, self.person_id)

    @property
    def turn(self) -> tuple[str, str, str]:
        """What goes one after the other: notices of one place, and a person's digests."""
        return ("digest", "", self.person_id) if self.why == "digest" else self.place

    @property
    def owed_id(self) -> str:
        return f"{self.kind}:{self.subject}"
