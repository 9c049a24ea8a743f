"""What the hub asks of the product behind it."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from realtime.connection import Connection


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is behind a connection: a person, signed in as a session on a device."""

    person_id: str
    session_id: str
    address: str = ""


class Promise:
    """An answer that comes later without a task: whoever does the work gives it. The first one counts.

    `heard` is called while it is given, in the same tick of the loop, so that the ack leaves together with
    the events it comes with. It may also be awaited.
    """

    __slots__ = ("_answer", "_waiter", "heard")

    def __init__(self) -> None:
        self.heard: Callable[[msgspec.Raw], None] | None = None
        self._answer: msgspec.Raw | None = None
        self._waiter: asyncio.Future[None] | None = None

    def give(self, answer: msgspec.Raw) -> None:
        """Here it is."""
        if self._answer is not None:
            return
        self._answer = answer
        # Let go of: what hears knows the promise, and such a ring would be left to the garbage collector.
        heard, self.heard = self.heard, None
        if heard is not None:
            heard(answer)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __await__(self) -> Generator[Any, None, msgspec.Raw]:
        if self._answer is None:
            if self._waiter is None:
                self._waiter = asyncio.get_running_loop().create_future()
            yield from asyncio.shield(self._waiter)
        assert self._answer is not None, "it was given"
        return self._answer


class Application(Protocol):
    """The product, as the gateway sees it."""

    async def authenticate(self, auth: object, address: str) -> Identity:
        """Who comes with this CONNECT object. Raises Refused (`unauthenticated`)."""
        ...

    async def channels_of(self, person_id: str) -> Sequence[str]:
        """The channels a person hears by membership, as stored now."""
        ...

    def handle(
        self, connection: "Connection", name: str, body: object
    ) -> msgspec.Raw | Awaitable[msgspec.Raw]:
        """Do one command; the answer is the ack's one argument as JSON. Raises nothing.

        What waits for nothing may answer at once, or give a `Promise`, which spares it a task."""
        ...


class Reach(Enum):
    """How far an event that was published at some moment has come to a person.

    AWAY: no open connection could show it. PENDING: written to a connection that has not yet proved
    to be alive since. REACHED: a ping sent after the writing was answered.
    """

    AWAY = "away"
    PENDING = "pending"
    REACHED = "reached"
