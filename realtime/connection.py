"""One open socket of one device, as the hub sees it.

It knows who is behind it, what it watches and how far it is proved to have read. How bytes get to the
device is its wire's business; the wire holds the bounded buffer (`realtime.outgoing`) and closes itself
by name when that is full.
"""

from typing import Final, Protocol

from realtime.application import Identity
from realtime.errors import Closing
from realtime.frames import Frame

_NOTHING: Final[frozenset[str]] = frozenset()


class Way(Protocol):
    """A transport with nothing waiting before it."""

    def write_frames(self, data: bytes) -> None:
        """Put the bytes of frames on their way, any number at once."""
        ...


class Wire(Protocol):
    """A socket, as a connection uses it. Nothing here waits and nothing fails."""

    @property
    def way(self) -> "Way | None":
        """The quick way, None while something stands before it, or the socket ends: then frames have to
        be sent."""
        ...

    def send(self, frame: Frame, *, key: str | None = None, ephemeral: bool = False) -> None:
        """Put a frame on its way, in order. A frame with a key may replace an unsent one of that key;
        an ephemeral one may be left out. A reader too slow for its bound is closed instead."""
        ...

    def ping(self) -> None:
        """Ask for a sign of life now, unless one is already awaited."""
        ...

    def close(self, reason: Closing) -> None:
        """Tell the reason where that is possible, then end."""
        ...


class Connection:
    """An open socket of a signed-in person.

    The three moments say what the device can have seen. `joined_at`: since then it hears its person's
    channels. `caught_up_at`: up to then it has read what came before. `confirmed_at`: the sending of the
    latest ping that was answered; what was written earlier has arrived.
    """

    __slots__ = (
        "caught_up_at",
        "confirmed_at",
        "id",
        "identity",
        "is_open",
        "joined_at",
        "visible",
        "watched",
        "wire",
    )

    def __init__(self, connection_id: str, identity: Identity, wire: Wire) -> None:
        self.id = connection_id
        self.identity = identity
        self.wire = wire
        self.visible = False
        self.watched = _NOTHING
        self.joined_at: int | None = None
        self.caught_up_at: int | None = None
        self.confirmed_at = 0
        self.is_open = False

    @property
    def person_id(self) -> str:
        return self.identity.person_id

    @property
    def session_id(self) -> str:
        return self.identity.session_id

    def send(self, frame: Frame, *, key: str | None = None, ephemeral: bool = False) -> None:
        """Put a frame on its way to the device."""
        self.wire.send(frame, key=key, ephemeral=ephemeral)

    def close(self, reason: Closing) -> None:
        """End it by name."""
        self.wire.close(reason)

    def confirm(self, ping_sent_at: int) -> None:
        """A ping sent at that moment was answered. One at a time is under way, so it is the latest, also
        where it seems earlier: the clock was set back, and what it said before proves nothing now."""
        self.confirmed_at = ping_sent_at

    def hears_since(self, moment: int) -> int | None:
        """From when on this device holds what was told at `moment`; None when it may not yet."""
        if self.joined_at is not None and self.joined_at <= moment:
            return moment
        if self.caught_up_at is not None and self.caught_up_at >= moment:
            return self.caught_up_at
        return None
