"""The heartbeat of a socket: it is pinged, it answers in time, or it is gone.

When that is, the server's `Wheel` says. Silence is not believed while it may be ours: while we do not
read, or while the ping stands behind a long answer of which the device keeps taking something.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from realtime.connection import Way
from realtime.frames import PING, Frame
from realtime.gateway.wheel import NOWHERE

if TYPE_CHECKING:
    from realtime.gateway.engine import EngineServer


class Heartbeat(ABC):
    """What an `EngineSocket` is in this respect."""

    __slots__ = ("_asked_in", "_taken_before", "ping_sent_at", "slot")

    server: "EngineServer"
    closing: bool
    way: Way | None

    def __init__(self) -> None:
        self.slot = NOWHERE
        self.ping_sent_at: int | None = None
        """While a pong is awaited."""
        self._asked_in = 0
        """How far the wheel had turned then."""
        self._taken_before: int | None = None

    def ping(self) -> None:
        """Ask for a sign of life now, unless one is awaited already."""
        if self.ping_sent_at is None and not self.closing:
            self.server.wheel.asked(self)
            self.ask()

    def ask(self) -> None:
        """Send a ping; its answer is due when the wheel comes to look."""
        if self.ping_sent_at is not None or self.closing:
            return
        self.ping_sent_at = self.server.clock.now()
        self._asked_in = self.server.wheel.turned
        if self.way is not None:
            self._taken_before = None
            self.way.write_frames(PING.wire)
        else:
            self._taken_before = self.taken()
            self.send(PING)

    def look(self) -> None:
        """See whether a ping was not answered in time."""
        if self.ping_sent_at is None or not self.server.wheel.is_over(self._asked_in):
            return
        before, now = self._taken_before, self.taken()
        self._taken_before = now
        is_taking = before is not None and (now is None or now > before)
        if is_taking or self.is_busy:
            self._asked_in = self.server.wheel.turned
            self.server.wheel.asked(self)
        else:
            self.on_silence()

    @property
    @abstractmethod
    def is_busy(self) -> bool:
        """Whether it is not read from, because enough is being done for it."""

    @abstractmethod
    def send(self, frame: Frame) -> None: ...

    @abstractmethod
    def taken(self) -> int | None:
        """How many bytes the kernel has taken, if more wait for it: from then on it takes only what the
        device has read."""

    @abstractmethod
    def on_silence(self) -> None:
        """It has not answered: it is gone."""
