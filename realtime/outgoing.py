"""The bounded buffer between the hub and a reader that is slower than the news.

While a reader keeps up nothing is ever kept here. When it does not: a newer value of the same key takes
the older one's place, ephemeral events go as soon as the buffer is half full, and beyond the bound the
connection has to end, because what a log loses it must say.
"""

from typing import NamedTuple

from realtime.frames import Frame


class _Waiting(NamedTuple):
    frame: Frame
    key: str | None


class Outgoing:
    """Frames in order, at most so many and so many bytes."""

    __slots__ = (
        "_by_key",
        "_ephemeral",
        "_next",
        "_waiting",
        "high_water",
        "max_bytes",
        "max_frames",
        "size",
    )

    def __init__(self, max_frames: int, max_bytes: int) -> None:
        self.max_frames = max_frames
        self.max_bytes = max_bytes
        self.size = 0
        self.high_water = 0
        self._next = 0
        self._waiting: dict[int, _Waiting] = {}
        self._by_key: dict[str, int] = {}
        self._ephemeral: set[int] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, frame: Frame, *, key: str | None = None, ephemeral: bool = False) -> bool:
        """Keep a frame. False when that would pass the bound; then nothing was kept."""
        if key is not None and key in self._by_key:
            self._drop(self._by_key[key])
        if self._is_half_full:
            for number in list(self._ephemeral):
                self._drop(number)
            if ephemeral:
                return True
        if self._waiting and (
            len(self._waiting) >= self.max_frames or self.size + len(frame) > self.max_bytes
        ):
            return False
        self._keep(frame, key, ephemeral)
        return True

    def force(self, frame: Frame) -> None:
        """Keep a frame whatever the bound says: the few last words of a connection."""
        self._keep(frame, None, False)

    def take(self) -> Frame | None:
        """The oldest frame, no longer kept; None when there is none."""
        for number, waiting in self._waiting.items():
            self._drop(number)
            return waiting.frame
        return None

    def clear(self) -> None:
        """Forget everything and give the memory back."""
        self._waiting.clear()
        self._by_key.clear()
        self._ephemeral.clear()
        self.size = 0

    @property
    def _is_half_full(self) -> bool:
        return len(self._waiting) * 2 >= self.max_frames or self.size * 2 >= self.max_bytes

    def _keep(self, frame: Frame, key: str | None, ephemeral: bool) -> None:
        number = self._next
        self._next += 1
        self._waiting[number] = _Waiting(frame, key)
        self.size += len(frame)
        self.high_water = max(self.high_water, len(self._waiting))
        if key is not None:
            self._by_key[key] = number
        if ephemeral:
            self._ephemeral.add(number)

    def _drop(self, number: int) -> None:
        waiting = self._waiting.pop(number)
        self.size -= len(waiting.frame)
        self._ephemeral.discard(number)
        if waiting.key is not None:
            self._by_key.pop(waiting.key, None)
