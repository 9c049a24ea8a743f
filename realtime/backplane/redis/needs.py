"""Which channels are heard on a node, so small that every other node can know it.

A channel is a place in a million, by its hash, and what a node needs is a bit for each place: 128 KiB,
whether it hears ten channels or two hundred thousand. Two channels may share a place; then one is told
that nobody there hears, which costs its telling and nothing else.
"""

import zlib
from array import array
from collections.abc import Iterable

from realtime.backplane.redis.envelope import BadEnvelope, NeedsAll, NeedsChanged

PLACES = 1 << 20


def place_of(channel: str) -> int:
    """The place of a channel, the same on every node."""
    return zlib.crc32(channel.encode()) & (PLACES - 1)


class Needs:
    """What another node has said it needs. Raises BadEnvelope when that is nothing of the kind."""

    def __init__(self, packed: bytes | None = None) -> None:
        self._bits = bytearray(PLACES // 8) if packed is None else _unpacked(packed)

    def __contains__(self, place: int) -> bool:
        return bool(self._bits[place >> 3] & (1 << (place & 7)))

    def add(self, place: int) -> None:
        self._bits[place >> 3] |= 1 << (place & 7)

    def discard(self, place: int) -> None:
        self._bits[place >> 3] &= ~(1 << (place & 7))

    def change(self, added: Iterable[int], removed: Iterable[int]) -> None:
        """What its node has said since."""
        for place in added:
            self.add(place % PLACES)
        for place in removed:
            self.discard(place % PLACES)

    def packed(self) -> bytes:
        """All of it, for a node that knows nothing of it yet."""
        return zlib.compress(self._bits, 1)


def _unpacked(packed: bytes) -> bytearray:
    try:
        bits = zlib.decompressobj().decompress(packed, PLACES // 8)
    except zlib.error as fault:
        raise BadEnvelope(f"needs that cannot be read: {fault}") from None
    if len(bits) != PLACES // 8:
        raise BadEnvelope("these are not the needs of a node")
    return bytearray(bits)


class OwnNeeds:
    """What this node needs, and which of it the others have not been told yet.

    It is told under rising stamps, so that others can say how much they know.
    """

    def __init__(self) -> None:
        self._stamp = 0
        self._needs = Needs()
        self._counts = array("H", bytes(2 * PLACES))
        self._changed: dict[int, bool] = {}
        self._tells_all = False

    @property
    def untold(self) -> bool:
        """Whether there is something to tell."""
        return self._tells_all or bool(self._changed)

    @property
    def latest(self) -> int:
        """The stamp of what is needed now, be it told already or about to be."""
        return self._stamp + self.untold

    def set(self, channel: str, needed: bool) -> None:
        """A channel is heard from now on, or no longer."""
        place = place_of(channel)
        self._counts[place] += 1 if needed else -1
        if self._counts[place] == needed:
            self._changed[place] = needed
            if needed:
                self._needs.add(place)
            else:
                self._needs.discard(place)

    def tell_all(self) -> None:
        """Tell everything again: somebody may not know it."""
        self._tells_all = True

    def take(self) -> NeedsAll | NeedsChanged:
        """What is to be told now."""
        changed, self._changed = self._changed, {}
        tells_all, self._tells_all = self._tells_all, False
        self._stamp += 1
        if tells_all:
            return NeedsAll(self._stamp, self._needs.packed())
        added = [place for place, needed in changed.items() if needed]
        removed = [place for place, needed in changed.items() if not needed]
        return NeedsChanged(self._stamp, added, removed)
