"""A clock that stands still until a test moves it."""

from server.clock import Millis


class ManualClock:
    """Starts at 2026-01-05 08:00 UTC, a Monday morning round."""

    def __init__(self, now_ms: int = 1_767_600_000_000) -> None:
        self._now_ms = now_ms
        self._monotonic_s = 1_000.0

    def now(self) -> Millis:
        return Millis(self._now_ms)

    def monotonic(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)
        self._monotonic_s += seconds
