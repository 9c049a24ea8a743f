"""Time as a parameter: whoever needs the time is handed a clock, and tests move it by hand."""

import time
from typing import NewType, Protocol

Millis = NewType("Millis", int)
"""A moment: integer milliseconds since 1970-01-01T00:00:00Z."""


class Clock(Protocol):
    """What the product asks of time."""

    def now(self) -> Millis:
        """The moment, for what is stored and shown."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for periods and deadlines."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> Millis:
        return Millis(time.time_ns() // 1_000_000)

    monotonic = staticmethod(time.monotonic)
