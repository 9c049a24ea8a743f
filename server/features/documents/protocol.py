"""What crosses the socket for whole documents of the OA: opening, acting, starting."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Event, Result
from server.acting.protocol import ActCard
from server.clock import Millis
from server.integrations.oa import Urgency
from server.integrations.oa.documents import Action, FieldKind

RequestId = Annotated[str, Meta(min_length=1, max_length=64)]
ClientId = Annotated[str, Meta(min_length=1, max_length=64)]
Words = Annotated[str, Meta(max_length=4_000)]
Value = Annotated[str, Meta(max_length=4_000)]
Values = Annotated[dict[Annotated[str, Meta(max_length=100)], Value], Meta(max_length=300)]
Rows = Annotated[list[Values], Meta(max_length=200)]


class FieldOption(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a field may take."""

    value: str
    label: str


class AttachmentCard(msgspec.Struct, frozen=True, kw_only=True):
    """A file; `url` is ours, signed for the actor and good for ten minutes."""

    id: str
    name: str
    size: int | None
    url: str


class FieldCard(msgspec.Struct, frozen=True, kw_only=True):
    """A field that the actor may see. `value` is what the OA stores, `shown` what people read.

    Of people and departments the value is ids of the house, separated by commas. `attachments` and
    `other` are filled in only on the OA's own page. `may_edit` is false also where somebody in the value
    is unknown here, and for departments where none is known by the OA's name for it: then `must_fill`
    without anything shown means that the OA's own page is needed."""

    name: str
    label: str
    kind: FieldKind
    value: str
    shown: str
    may_edit: bool
    must_fill: bool
    options: list[FieldOption]
    attachments: list[AttachmentCard]


class TableCard(msgspec.Struct, frozen=True, kw_only=True):
    """A detail table; rows have the fields of `columns` in the same order."""

    title: str
    columns: list[FieldCard]
    rows: list[list[FieldCard]]


class OpinionCard(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the log. `html` holds harmless markup only; `person_id` is null for people unknown
    here."""

    id: str
    node: str
    person_id: str | None
    person_name: str
    department: str
    at: Millis | None
    action: str
    html: str
    received_by: list[str]
    on_behalf_of: str
    attachments: list[AttachmentCard]


class StepCard(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the way; `holders` have it now, `acted` have acted there."""

    node: str
    state: Literal["done", "current"]
    since: Millis | None
    until: Millis | None
    acted: list[str]
    holders: list[str]


class ActionOffer(msgspec.Struct, frozen=True, kw_only=True):
    """Something the OA offers now, in its own words."""

    action: Action
    label: str


class OpenDocument(Command, frozen=True):
    """Open a document in the OA as the actor. It may count as read there from then on."""

    wire_name: ClassVar[str] = "documents.open"
    request_id: RequestId


class OpenedCard(Result, frozen=True):
    """A document as the OA shows it to the actor. `seen` is given back when acting. `last_act` is the
    actor's own last act here, if any. `demands`: `opinion`, `affirmation` (ask once more), `fields`.
    `more_before` is empty when there are no older opinions. `may_urge`: whoever holds it can be
    reminded by the actor now."""

    request_id: str
    seen: str
    title: str
    kind: str
    creator_id: str | None
    creator_name: str
    created_at: Millis | None
    urgency: Urgency
    status: str
    node: str
    actions: list[ActionOffer]
    demands: list[Literal["opinion", "affirmation", "fields"]]
    fields: list[FieldCard]
    tables: list[TableCard]
    opinions: list[OpinionCard]
    more_before: str
    steps: list[StepCard]
    phrases: list[str]
    draft: str
    as_of: Millis
    last_act: ActCard | None
    may_urge: bool = False


class ListOpinions(Command, frozen=True):
    """Older opinions of a document that the actor may see."""

    wire_name: ClassVar[str] = "documents.opinions"
    request_id: RequestId
    before: Annotated[str, Meta(min_length=1, max_length=2_000)]


class Opinions(Result, frozen=True):
    """Newest first."""

    opinions: list[OpinionCard]
    more_before: str


class Act(Command, frozen=True):
    """Act on a document as the actor, once per `client_id`.

    `seen` is that of the opened document: another state is answered with `moved`. `fields` holds changed
    fields only, `rows` a list per detail table or null where nothing changed. `to` are people to forward
    to. `affirmed` when the person was asked once more. Without `seen`, a plain yes from a list, with title
    and step as they stood there: refused with `conflict` where the document wants more than that, or is
    not any more what the list showed.
    """

    wire_name: ClassVar[str] = "documents.act"
    request_id: RequestId
    client_id: ClientId
    action: Action
    seen: Annotated[str, Meta(max_length=200)] = ""
    listed_title: Annotated[str, Meta(max_length=1000)] = ""
    listed_node: Annotated[str, Meta(max_length=1000)] = ""
    opinion: Words = ""
    affirmed: bool = False
    fields: Values = {}
    rows: Annotated[list[Rows | None], Meta(max_length=20)] = []
    to: Annotated[list[str], Meta(max_length=50)] = []


class Acted(Result, frozen=True):
    """Where it stands, three seconds after it was asked or as soon as the document was opened for it;
    `documents.acted` tells the end."""

    act: ActCard


class ReadCopies(Command, frozen=True):
    """Take note of copies, several at once."""

    wire_name: ClassVar[str] = "documents.mark_read"
    request_ids: Annotated[list[RequestId], Meta(min_length=1, max_length=50)]


class CopiesRead(Result, frozen=True):
    """Those that the OA could not be told of are in `failed`."""

    failed: list[str]


class UrgeHolders(Command, frozen=True):
    """Remind whoever holds a document now; for who started it or has dealt with it. Once in four hours for
    each holder, not within two hours of its coming there, and of five documents a day."""

    wire_name: ClassVar[str] = "documents.urge"
    request_id: RequestId
    words: Annotated[str, Meta(max_length=200)] = ""


class HolderCard(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who holds a document. `unreachable`: the OA names somebody who cannot be told here. Where
    the limits say no, `not_before` is when they will not."""

    person_id: str | None
    name: str
    state: Literal["reminded", "too_early", "too_soon", "limit", "unreachable"]
    not_before: Millis | None


class Urged(Result, frozen=True):
    """What became of it, for each holder; empty when nobody but the actor holds it."""

    holders: list[HolderCard]


class ListKinds(Command, frozen=True):
    """What the actor may start. Kept for some minutes, asked of the OA anew with `fresh`."""

    wire_name: ClassVar[str] = "documents.kinds"
    fresh: bool = False


class KindCard(msgspec.Struct, frozen=True, kw_only=True):
    """A process; `used_at` is when the actor last started it here, `draft_at` when something was typed
    that is not sent."""

    workflow_id: str
    name: str
    category: str
    used_at: Millis | None
    draft_at: Millis | None


class Kinds(Result, frozen=True):
    """Recent ones first, then as the OA lists them. `stale`: the OA cannot be asked now, this is from
    `as_of`."""

    kinds: list[KindCard]
    as_of: Millis
    stale: bool


class OpenBlank(Command, frozen=True):
    """The form of a process the actor may start, with the kept draft."""

    wire_name: ClassVar[str] = "documents.blank"
    workflow_id: Annotated[str, Meta(min_length=1, max_length=64)]


class DraftCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was typed and not sent yet; also the shape in which it is kept. `fields` are those that were
    changed, `rows` all rows of each detail table in its order."""

    title: Annotated[str, Meta(max_length=200)] = ""
    urgency: Urgency = "normal"
    fields: Values = {}
    rows: Annotated[list[Rows], Meta(max_length=20)] = []


class BlankCard(Result, frozen=True):
    """`started` is the actor's last try to start it: while nobody knows what became of it, and for some
    minutes after its end."""

    workflow_id: str
    kind: str
    title: str
    fields: list[FieldCard]
    tables: list[TableCard]
    draft: DraftCard | None
    draft_at: Millis | None
    started: "StartCard | None"


class KeepDraft(Command, frozen=True):
    """Keep what was typed; null throws it away. The last word wins."""

    wire_name: ClassVar[str] = "documents.keep_draft"
    workflow_id: Annotated[str, Meta(min_length=1, max_length=64)]
    draft: DraftCard | None


class DraftKept(Result, frozen=True):
    """When it was kept; null when it was thrown away."""

    draft_at: Millis | None


class Start(Command, frozen=True):
    """Start a document, once per `client_id`, whatever happens on the way. Asked again with the same
    `client_id` it says where that start stands."""

    wire_name: ClassVar[str] = "documents.start"
    workflow_id: Annotated[str, Meta(min_length=1, max_length=64)]
    client_id: ClientId
    draft: DraftCard


StartReason = Literal[
    "",
    "oa_away",
    "oa_blocked",
    "oa_unclear",
    "interrupted",
    "invalid",
    "no_right",
    "failed",
    "basic_data",
    "form",
    "urgency",
    "operators",
    "next_step",
    "step_action",
    "rows",
]


ValueProblem = Literal[
    "missing",
    "kept",
    "number",
    "date",
    "time",
    "choice",
    "long",
    "unknown_there",
    "gone",
    "elsewhere",
]


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a value; in a detail table `table` and `row` say where. `kept`: what the OA has
    there cannot be emptied. `unknown_there`: the OA
    has no account of this person, or no such department. `gone`: the form has no such field (any more)
    that can be filled in. `elsewhere`: only the OA's own page can fill it in."""

    name: str
    problem: ValueProblem
    table: int | None = None
    row: int | None = None


class StartCard(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a start. `asked`: on its way. `unknown`: the OA's answer was lost; the actor's own
    list is read until it shows there, and it is never sent again. `may_repeat`: it does not show after
    some minutes, and the actor may start again knowingly. `refused`: nothing was started, for `reason`;
    `invalid` comes with `problems`. `may_remain`: something of it may lie in the OA all the same."""

    client_id: str
    workflow_id: str
    kind: str
    state: Literal["asked", "done", "unknown", "refused"]
    asked_at: Millis
    title: str
    request_id: str | None
    reason: StartReason = ""
    problems: list[FieldProblem] = []
    may_remain: bool = False
    may_repeat: bool = False


class Started(Result, frozen=True):
    """Where it stands after at most three seconds; `documents.started` tells the end."""

    start: StartCard


class StartEnded(Event, frozen=True):
    """A start has ended, or is not known yet."""

    wire_name: ClassVar[str] = "documents.started"
    start: StartCard
