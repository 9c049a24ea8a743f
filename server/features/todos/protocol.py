"""What crosses the socket for to-dos."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Event, Result
from server.clock import Millis


class TodoItem(msgspec.Struct, frozen=True, kw_only=True):
    """A document as it concerns the actor. `is_new`: it waits and was not opened here yet. `urged_by`: who
    has last asked the actor to get on with it, if anybody."""

    item_id: str
    request_id: str
    title: str
    creator_name: str
    received_at: Millis | None
    urgency: Literal["normal", "important", "urgent"]
    node: str
    source: str
    is_new: bool
    urged_by: str = ""
    urged_at: Millis | None = None


class ListTodos(Command, frozen=True):
    """A page of 20 documents: waiting for the actor, handled, to take note of, or started."""

    wire_name: ClassVar[str] = "todos.list"
    state: Literal["pending", "done", "read", "started"]
    page: Annotated[int, Meta(ge=1, le=10_000)] = 1


class TodoPage(Result, frozen=True):
    """Documents, newest first. `total` is null when the OA does not tell. `stale`: the OA cannot be
    asked now, and this is from `as_of` (null: never read)."""

    items: list[TodoItem]
    total: int | None
    as_of: Millis | None
    stale: bool


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
