"""What crosses the socket for to-dos."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Event, Result
from server.clock import Millis


class TodoItem(msgspec.Struct, frozen=True, kw_only=True):
    """A document as it concerns the actor. `is_new`: it waits and was not opened here yet. `may_approve`:
    it waits and a plain yes may be enough (`documents.act` without `seen`). `creator_id` is null for people
    unknown here; `department` is the main one of the creator, as the directory has it.
    `urged_by`: who has last asked the actor to get on with it,
    if anybody, and with which words."""

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
    may_approve: bool
    urged_by: str = ""
    urged_at: Millis | None = None
    urged_words: str = ""


class ListTodos(Command, frozen=True):
    """A page of 20 documents: waiting for the actor, handled, to take note of, or started.

    The rest narrows them down: words of title, kind or creator; one kind; one urgency; received since.
    """

    wire_name: ClassVar[str] = "todos.list"
    state: Literal["pending", "done", "read", "started"]
    page: Annotated[int, Meta(ge=1, le=10_000)] = 1
    search: Annotated[str, Meta(max_length=100)] = ""
    kind: Annotated[str, Meta(max_length=200)] = ""
    urgency: Literal["normal", "important", "urgent"] | None = None
    since: Millis | None = None


class TodoPage(Result, frozen=True):
    """Documents, newest first. `total` is null when the OA does not tell. `stale`: the OA cannot be
    asked now, and this is from `as_of` (null: never read).

    Of a list that was narrowed down, `total` is how many were found, among the newest `looked_at`; that
    is null when all of the list was looked at. `kinds` are those that were met on the way.
    """

    items: list[TodoItem]
    total: int | None
    as_of: Millis | None
    stale: bool
    looked_at: int | None = None
    kinds: list[str] = []


class CountTodos(Command, frozen=True):
    """How many documents wait for the actor."""

    wire_name: ClassVar[str] = "todos.count"


class TodoCount(Result, frozen=True):
    """`unread` are those waiting that were not opened here yet."""

    pending: int
    unread: int
    as_of: Millis | None
    stale: bool


class TodoOpened(Command, frozen=True):
    """The actor has opened a document here."""

    wire_name: ClassVar[str] = "todos.opened"
    request_id: Annotated[str, Meta(min_length=1, max_length=64)]


class TodosCounted(Event, frozen=True):
    """Another number of documents waits for the person, or another number is new."""

    wire_name: ClassVar[str] = "todos.counted"
    pending: int
    unread: int
    as_of: Millis
