"""Time as the hub asks for it: handed in, so that tests move it by hand."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one for moments that are compared with stored ones, one that never goes back."""

    def now(self) -> int:
        """The moment in milliseconds UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds for periods and deadlines."""
        ...


class MachineClock:
    """The machine's own clocks, for a hub that runs by itself."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    monotonic = staticmethod(time.monotonic)
