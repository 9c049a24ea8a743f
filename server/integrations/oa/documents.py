"""The OA port, second half: one document whole, acting on it, and starting new ones.

Beside what the first half promises (`server.integrations.oa`):

- **A call that changes something is one call, never repeated here.** An `OAError` other than
  `RefusedByOA` then means that nobody knows whether it was done, unless it says `never_arrived`;
  whoever asked opens the document again and looks.
- **Only what a person may see comes through.** A document that is not for this person is
  `RefusedByOA`; fields that he may not see are left out with their values.
- **Opening can change a document's state** in the OA (read, done): never done ahead of a person's wish.
- **Nothing of it is markup**, but `Opinion.html`, which holds harmless markup only.
- **No address of the OA leaves here.** Attachments have opaque ids.
- **Values are checked by their kind before they are sent** (`UnfitValue`): a date is one, a choice is
  among its options. What holds something cannot be emptied, and rows cannot be taken away: interfaces
  of this sort pass over what is empty.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from server.clock import Millis
from server.integrations.oa import RefusedByOA, Urgency

FieldKind = Literal[
    "text",
    "long_text",
    "number",
    "money",
    "date",
    "time",
    "check",
    "choice",
    "person",
    "people",
    "department",
    "departments",
    "attachments",
    "other",
]
"""How a field is shown and filled in. `other`: a kind that only the OA's own page can fill."""

Action = Literal["approve", "approve_wanting_reply", "approve_without_reply", "reject", "forward"]
"""What an OA may offer for a document. At the step where it was started, `approve` means to send it."""

Demand = Literal["opinion", "affirmation", "fields"]
"""What a step asks for beyond a yes: words, a second confirmation, fields of the form to fill in."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value a field may take, and how it is called."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a document. `size` in bytes, where the OA tells."""

    id: str
    name: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `value` is what the OA stores (ids, `YYYY-MM-DD`), `shown` what people read."""

    name: str
    label: str
    kind: FieldKind
    value: str = ""
    shown: str = ""
    may_edit: bool = False
    must_fill: bool = False
    options: tuple[Option, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    stored: str = field(default="", repr=False, compare=False)
    """As it came, where `value` is a reading of it: for the adapter, which sends back what stays."""

    @property
    def is_missing(self) -> bool:
        return self.must_fill and self.may_edit and not self.value.strip()


Row = tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A detail table. `columns` are blank fields; rows have the same fields in the same order."""

    title: str
    columns: Row
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Opinion:
    """An entry of a document's log: who did what at which step, with which words.

    `action` is the OA's own word for it in plain text; `received_by` are the names it then went to.
    """

    id: str
    node_id: str
    node: str
    oa_user: str
    person_name: str
    department: str
    at: Millis | None
    action: str
    html: str = ""
    received_by: tuple[str, ...] = ()
    on_behalf_of: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the way a document takes, as far as the OA tells: those done, and the present one.

    `holders` have it now and since when; of a step that is done they are empty.
    """

    node_id: str
    node: str
    state: Literal["done", "current"]
    since: Millis | None
    until: Millis | None = None
    acted: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """A document as one person opened it."""

    request_id: str
    workflow_id: str
    kind: str
    title: str
    creator_name: str
    creator: str
    """The creator's OA user id."""
    created_at: Millis | None
    urgency: Urgency
    status: str
    node_id: str
    node: str
    actions: Mapping[Action, str]
    """What is offered to this person now, with the OA's own words for it; empty when nothing is."""
    demands: frozenset[Demand] = frozenset()
    fields: tuple[Field, ...] = ()
    tables: tuple[Table, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    """The newest entries of the log, newest first."""
    more_before: str = ""
    """Where older entries go on (`Documents.opinions`); empty when there are none."""
    steps: tuple[Step, ...] = ()
    phrases: tuple[str, ...] = ()
    draft: str = ""
    """The person's own unsent words that the OA keeps."""
    form: Any = field(default=None, repr=False, compare=False)
    """What the adapter wants back when something is submitted; nobody else looks into it."""

    @property
    def may_submit(self) -> bool:
        return "approve" in self.actions

    @property
    def filled(self) -> tuple[Field, ...]:
        """The visible fields that hold something, also those of the rows of its tables."""
        rows = [self.fields, *(row for table in self.tables for row in table.rows)]
        return tuple(one for row in rows for one in row if one.value.strip())

    def acted_at(self, oa_user: str) -> frozenset[str]:
        """Nodes at which a person has acted, by the newest entries of the log."""
        return frozenset(one.node_id for one in self.opinions if one.oa_user == oa_user)


@dataclass(frozen=True, slots=True)
class OpinionPage:
    """Older entries of a log, newest first; `more_before` as in `OpenedDocument`."""

    opinions: tuple[Opinion, ...]
    more_before: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What a person sends: the changed fields only, by name; whole rows of the tables that change.

    `rows` holds a list per detail table in its order; None leaves a table as it is.
    """

    action: Action
    opinion: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    rows: Sequence[Sequence[Mapping[str, str]] | None] = ()


@dataclass(frozen=True, slots=True)
class StartKind:
    """A process a person may start."""

    workflow_id: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class BlankForm:
    """The form of a process before it is started by one person."""

    workflow_id: str
    kind: str
    title: str
    fields: tuple[Field, ...]
    tables: tuple[Table, ...] = ()
    form: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class NewDocument:
    """What is started: all fields that hold something, by name, and the rows of each detail table."""

    title: str
    urgency: Urgency
    values: Mapping[str, str]
    rows: Sequence[Sequence[Mapping[str, str]]] = ()


class Pieces(Protocol):
    """Bytes on their way: read to their end, or closed (`contextlib.aclosing`)."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way. `name` and `content_type` are what the OA says: not to be trusted."""

    name: str
    content_type: str
    size: int | None
    pieces: Pieces


StartFault = Literal[
    "failed",
    "no_right",
    "basic_data",
    "form",
    "urgency",
    "operators",
    "next_step",
    "step_action",
    "rows",
]
"""Why an OA did not start a document. `operators`: nobody was found to have it next."""


class NotStarted(RefusedByOA):
    """The OA would not start a document. `may_remain`: something of it may lie in the OA all the same."""

    def __init__(self, reason: StartFault, *, may_remain: bool) -> None:
        super().__init__(f"The OA did not start the document ({reason}).")
        self.reason: StartFault = reason
        self.may_remain = may_remain


UnfitReason = Literal[
    "unknown", "not_editable", "cannot_be_emptied", "wrong_shape", "rows_taken_away"
]


class UnfitValue(ValueError):
    """A value that is not sent: `name` is the field's (a table's title for rows)."""

    def __init__(self, name: str, reason: UnfitReason) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason: UnfitReason = reason


class Documents(Protocol):
    """What a person does with documents; `oa_user` as in the first half. All calls are INTERACTIVE."""

    async def open_document(self, oa_user: str, request_id: str) -> OpenedDocument:
        """Open it for somebody who wants to see it. Raises `RefusedByOA` when it is not for him."""
        ...

    async def opinions(
        self, oa_user: str, opened: tuple[str, str], more_before: str
    ) -> OpinionPage:
        """Older entries of the log of a document, named by its workflow and request ids.

        Rights are not looked at: only for somebody who was shown this document.
        """
        ...

    async def submit(self, oa_user: str, opened: OpenedDocument, said: Submission) -> bool:
        """Act at the step at which the document was opened (not `forward`). False: the OA would not,
        and gives no reason. Raises `UnfitValue` for what is not to be sent, ValueError for an action that
        was not offered."""
        ...

    async def forward(
        self, oa_user: str, request_id: str, to: Sequence[str], opinion: str, address: str
    ) -> bool:
        """Give it to others (OA user ids) to see; `address` is where the person sits. False: it would
        not."""
        ...

    async def mark_read(self, oa_user: str, request_id: str) -> None: ...

    async def kinds(self, oa_user: str) -> tuple[StartKind, ...]:
        """What a person may start."""
        ...

    async def blank(self, oa_user: str, workflow_id: str) -> BlankForm:
        """Raises `RefusedByOA` when this person may not start it."""
        ...

    async def start(self, oa_user: str, blank: BlankForm, new: NewDocument) -> str:
        """Start a document; its request id. Raises `NotStarted` with the OA's reason, `UnfitValue` before
        anything is sent. Some reasons leave a document behind, so none is tried again by itself."""
        ...

    async def attachment(self, oa_user: str, attachment_id: str, most_bytes: int) -> Download:
        """Fetch a file from where the settings say files lie. Raises `RefusedByOA` when there is none or
        it is larger than `most_bytes`, `Blocked` when a page came instead; the pieces may raise too.

        Rights are not looked at: only a file that an opened document named for this person.
        """
        ...
