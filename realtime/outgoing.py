"""The bounded buffer between the hub and a reader that is slower than the news.

While a reader keeps up nothing is ever kept here. When it does not: a newer value of the same key takes
the older one's place (partial values are laid over it), ephemeral events go as soon as the buffer is half
full, and beyond the bound the connection has to end, because what a log loses it must say. What is owed
(acks, last words) is always kept and does not count against that bound: who owes it bounds it, by reading
no further commands.
"""

from typing import NamedTuple

from realtime.frames import Frame, laid_over


class _Waiting(NamedTuple):
    frame: Frame
    key: str | None
    is_owed: bool


class Outgoing:
    """Frames in order; of those not owed at most so many and so many bytes."""

    __slots__ = (
        "_by_key",
        "_ephemeral",
        "_next",
        "_told",
        "_told_bytes",
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
        """Bytes of all that waits."""
        self.high_water = 0
        self._told = 0
        self._told_bytes = 0
        self._next = 0
        self._waiting: dict[int, _Waiting] = {}
        self._by_key: dict[str, int] = {}
        self._ephemeral: set[int] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, frame: Frame, *, key: str | None = None, ephemeral: bool = False) -> bool:
        """Keep a frame. False when that would pass the bound; then nothing was kept."""
        if key is not None and key in self._by_key:
            older = self._waiting[self._by_key[key]].frame
            self._drop(self._by_key[key])
            if older.partial and frame.partial:
                frame = laid_over(older, frame)
        if self._is_half_full:
            for number in list(self._ephemeral):
                self._drop(number)
            if ephemeral:
                return True
        if self._told and (
            self._told >= self.max_frames or self._told_bytes + len(frame) > self.max_bytes
        ):
            return False
        self._keep(_Waiting(frame, key, is_owed=False), ephemeral)
        return True

    def force(self, frame: Frame) -> None:
        """Keep a frame whatever the bound says: an ack, or the last words of a connection."""
        self._keep(_Waiting(frame, None, is_owed=True), False)

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
        self.size = self._told = self._told_bytes = 0

    @property
    def _is_half_full(self) -> bool:
        return len(self._waiting) * 2 >= self.max_frames or self.size * 2 >= self.max_bytes

    def _keep(self, waiting: _Waiting, ephemeral: bool) -> None:
        number = self._next
        self._next += 1
        self._waiting[number] = waiting
        self._count(waiting, 1)
        self.high_water = max(self.high_water, len(self._waiting))
        if waiting.key is not None:
            self._by_key[waiting.key] = number
        if ephemeral:
            self._ephemeral.add(number)

    def _drop(self, number: int) -> None:
        waiting = self._waiting.pop(number)
        self._count(waiting, -1)
        self._ephemeral.discard(number)
        if waiting.key is not None:
            self._by_key.pop(waiting.key, None)

    def _count(self, waiting: _Waiting, sign: int) -> None:
        size = sign * len(waiting.frame)
        self.size += size
        if not waiting.is_owed:
            self._told += sign
            self._told_bytes += size
