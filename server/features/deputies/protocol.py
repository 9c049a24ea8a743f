"""What crosses the wire about substitution."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Event, Result
from server.clock import Millis
from server.directory import PersonCard

Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Whose = Annotated[str, Meta(max_length=64)]
"""A person's id; empty: the actor's own. Somebody else's is for administrators."""


class DeputationCard(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands in for whom, from the first to the last day, both included. `holds`: it has begun.
    `set_by_name` is empty when the person named the deputy without an administrator."""

    deputation_id: str
    person: PersonCard
    deputy: PersonCard
    begins_on: str
    ends_on: str
    begins_at: Millis
    ends_at: Millis
    holds: bool
    set_by_name: str


class ShowDeputies(Command, frozen=True):
    """Who stands in for somebody, and for whom that one stands in. Administrators may ask of others."""

    wire_name: ClassVar[str] = "deputies.show"
    person_id: Whose = ""


class Deputies(Result, frozen=True, omit_defaults=False):
    """`mine` has not ended yet and may not have begun; `for_others` likewise. `today` is the hospital's
    day, from which periods are chosen."""

    mine: DeputationCard | None
    for_others: list[DeputationCard]
    today: str


class NameDeputy(Command, frozen=True):
    """Name a deputy for a period: one at a time, for at most a year, begun within 90 days. A repeat
    changes nothing. Administrators may do it for others."""

    wire_name: ClassVar[str] = "deputies.set"
    deputy_id: Id
    begins_on: Day
    ends_on: Day
    person_id: Whose = ""


class DeputyNamed(Result, frozen=True):
    """As it holds now."""

    deputation: DeputationCard


class EndDeputation(Command, frozen=True):
    """End the present (or coming) deputation early; ended twice is ended. Administrators may do it for
    others."""

    wire_name: ClassVar[str] = "deputies.end"
    person_id: Whose = ""


class ListDeputed(Command, frozen=True):
    """What waits for those for whom the actor stands in now."""

    wire_name: ClassVar[str] = "deputies.todos"


class DeputedItem(msgspec.Struct, frozen=True, kw_only=True):
    """A document that waits for somebody else, as the actor sees it in a list. Whether the OA shows it to
    the actor is the OA's to say. `is_new`: passed on, and not opened here yet."""

    for_person: str
    item_id: str
    request_id: str
    title: str
    creator_name: str
    received_at: Millis | None
    urgency: Literal["normal", "important", "urgent"]
    node: str
    source: str
    is_new: bool
    kind: str
    creator_id: str | None
    department: str


class DeputedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody the actor stands in for, and how much waits there. `stale`: the OA cannot be asked now."""

    person: PersonCard
    pending: int
    as_of: Millis | None
    stale: bool
    ends_on: str


class Deputed(Result, frozen=True, omit_defaults=False):
    """Newest first, at most 300 documents; `pending` of the people may be more. `turns_at` is when the
    next period begins or ends: then this is to be asked again."""

    people: list[DeputedPerson]
    items: list[DeputedItem]
    turns_at: Millis | None


class DeputedOpened(Command, frozen=True):
    """The actor has opened a document that was passed on."""

    wire_name: ClassVar[str] = "deputies.opened"
    request_id: Id


class RemindPrincipal(Command, frozen=True):
    """Remind the one for whom the actor stands in of a document that waits there."""

    wire_name: ClassVar[str] = "deputies.remind"
    person_id: Id
    request_id: Id


class PrincipalReminded(Result, frozen=True, omit_defaults=False):
    """`not_before`: the limits do not allow it now, and when they do."""

    state: Literal["reminded", "too_early", "too_soon", "limit"]
    not_before: Millis | None = None


class DeputiesChanged(Event, frozen=True):
    """A deputation that concerns the person was set, has begun or ended, or another number of documents
    waits where the person stands in: ask again."""

    wire_name: ClassVar[str] = "deputies.changed"
    at: Millis
