"""A feature: what a folder under server/features adds to the product, as one value.

Commands are plain async functions `handler(command, work, ...)`. What a handler needs besides (the
directory, a worklist) it names as further parameters by type, and so do its duties, parts, routes and
seed: they are handed in from the services that `server.app` has made, and the server refuses to start
when one is missing (`server.services`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from realtime.protocol import Command, Event
from server.auth import Actor, Role
from server.directory import Directory
from server.errors import Forbidden
from server.http.health import Check
from server.notify import Duty
from server.storage import Store
from server.storage.document import Document
from server.work import UnitOfWork

Right = Callable[[Actor], bool]
"""Whether an actor may use a command at all; rights in the thing itself are the handler's first lines."""


def staff(actor: Actor) -> bool:
    """Everybody who is signed in."""
    return True


def having(role: Role) -> Right:
    """Those who hold a role."""

    def holds(actor: Actor) -> bool:
        return actor.has(role)

    return holds


@dataclass(frozen=True, slots=True)
class Rate:
    """How often one person may use a command: `burst` at once, then `per_second`."""

    burst: int
    per_second: float


ORDINARY = Rate(burst=60, per_second=20)


@dataclass(frozen=True, slots=True)
class Handler:
    """A command's function, who may use it, and how often.

    `at_once` does the same without waiting for anything, for a command that is asked very often: it takes
    what the function takes, and relies on what the commit will prove instead of reading it. None, or a
    commit that proves it wrong, is answered by the function.
    """

    function: Callable[..., Awaitable[Any]]
    right: Right
    rate: Rate = ORDINARY
    at_once: Callable[..., Any] | None = None

    def check(self, actor: Actor) -> None:
        """Raises Forbidden."""
        if not self.right(actor):
            raise Forbidden("your roles do not include this")


def allow(
    right: Right, *functions: Callable[..., Awaitable[Any]], rate: Rate = ORDINARY
) -> list[Handler]:
    """Register handlers under one right and rate."""
    return [Handler(function, right, rate) for function in functions]


ChannelsOf = Callable[[Store, str], Awaitable[Mapping[str, int]]]
"""The channels a person hears by membership, each with the first position he or she may see."""

WatchCheck = Callable[[UnitOfWork, str, Directory], Awaitable[None]]
"""Raises Refused when the actor may not watch a channel."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Everything a feature declares.

    `watching` says, by the family of channels, who may watch one. `duties` are made once and tell the
    notifier what is owed to people who are away. `parts` live as long as the server: each is entered at
    the start, and what it gives is a service from then on, also for the feature's own handlers.
    `routes` adds to the application (its first parameter) what is not a command: sign-in, uploads,
    other systems. `checks` say, by name, how another system the feature lives on is doing; `/readyz` names
    them. `seed` fills a sandbox that has nothing of this feature yet.
    """

    name: str
    commands: Sequence[Handler] = ()
    events: Sequence[type[Event]] = ()
    documents: Sequence[type[Document]] = ()
    channels_of: ChannelsOf | None = None
    watching: Mapping[str, WatchCheck] = field(default_factory=dict)
    duties: Sequence[Callable[..., Duty]] = ()
    parts: Sequence[Callable[..., AbstractAsyncContextManager[Any]]] = ()
    routes: Callable[..., None] | None = None
    checks: Mapping[str, Callable[..., Awaitable[Check]]] = field(default_factory=dict)
    seed: Callable[..., Awaitable[None]] | None = None


def command_of(function: Callable[..., Awaitable[Any]]) -> type[Command]:
    """The class of the command that a handler takes."""
    kind: type[Command] = function.__annotations__["command"]
    return kind
