"""Clocks that stand still until a test moves them."""

import mmap
import struct
from pathlib import Path

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


class SharedClock(ManualClock):
    """One that stands still in several processes: whoever opens the same file sees the same moment."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        if is_first := not file.exists():
            file.write_bytes(bytes(_MOMENT.size))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _MOMENT.size)
        if is_first:
            self.advance(0)

    def now(self) -> Millis:
        return Millis(_MOMENT.unpack_from(self._shared)[0])

    def monotonic(self) -> float:
        return self.now() / 1000

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        _MOMENT.pack_into(self._shared, 0, self._now_ms)


_MOMENT = struct.Struct("@q")
