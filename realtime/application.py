"""What the hub asks of the product behind it."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from realtime.connection import Connection


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is behind a connection: a person, signed in as a session on a device."""

    person_id: str
    session_id: str
    address: str = ""


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

        What waits for nothing may answer at once, which spares it a task."""
        ...


class Reach(Enum):
    """How far an event that was published at some moment has come to a person.

    AWAY: no open connection could show it. PENDING: written to a connection that has not yet proved
    to be alive since. REACHED: a ping sent after the writing was answered.
    """

    AWAY = "away"
    PENDING = "pending"
    REACHED = "reached"
