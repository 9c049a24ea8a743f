"""Why the server ended connections a moment ago: whoever was cut off could not be told at the time, and is
told when they come back. Bounded in number and in time."""

from collections import OrderedDict

from realtime.clock import Clock
from realtime.errors import Closing

KEPT_S = 600.0
MOST_KEPT = 20_000


class Farewells:
    """The last reason of each session."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def remember(self, session_id: str, reason: Closing) -> None:
        """A connection of this session is ended."""
        self._last[session_id] = (reason.reason, self._clock.monotonic())
        self._last.move_to_end(session_id)
        if len(self._last) > MOST_KEPT:
            self._last.popitem(last=False)

    def take(self, session_id: str) -> str | None:
        """Why the server last ended a connection of this session, if it did in the last minutes. It is
        told once: whoever asks next was not the one cut off."""
        reason, ended_at = self._last.pop(session_id, (None, 0.0))
        return reason if self._clock.monotonic() - ended_at <= KEPT_S else None
