"""The order of what is handed on: the last position of every channel heard here, and what waits for it.

Nothing here waits or reads. Always true: of a channel heard here, no publication is handed on before an
earlier one, and none twice. What is missing is filled in by whoever can read it (`realtime.gaps`).
"""

from bisect import insort
from collections.abc import Callable, Sequence
from operator import attrgetter

from realtime.clock import Clock
from realtime.publisher import Publication

MOST_HELD = 2_000
"""Publications that wait for earlier ones; further ones are not kept, storage has them."""


class Order:
    """Channels heard on one node. `is_here` says whether a person's memberships are known here."""

    def __init__(self, clock: Clock, is_here: Callable[[str], bool]) -> None:
        self.missing: dict[str, float] = {}
        """Channels of which something has not come, and since when (monotonic) that is known."""
        self.fresh: set[str] = set()
        """Channels to be compared with storage, since they may have been told without this node."""
        self._clock = clock
        self._is_here = is_here
        self._positions: dict[str, int | None] = {}
        self._held: dict[str, list[Publication]] = {}
        self._holding = 0

    def __contains__(self, channel: str) -> bool:
        return channel in self._positions

    def __len__(self) -> int:
        return len(self._positions)

    def need(self, channel: str, needed: bool) -> None:
        """A channel has its first listener here, or has lost the last. Its position is not known yet."""
        if needed:
            self._positions.setdefault(channel, None)
        else:
            self._positions.pop(channel, None)
            self.let_go(channel)

    def begin(self, channel: str, position: int) -> None:
        """Hear a channel on from a position."""
        self._positions[channel] = position
        self.fresh.add(channel)

    def learn(self, channel: str, end: int) -> None:
        """Where a channel stands in storage: whoever is let in after this reads that for themselves."""
        if channel in self._positions:
            self._positions[channel] = max(self._positions[channel] or 0, end)

    def channels(self) -> list[str]:
        """All that are heard."""
        return list(self._positions)

    def is_unknown(self, channel: str) -> bool:
        """Whether a channel is heard whose position is not known."""
        return channel in self._positions and self._positions[channel] is None

    def position(self, channel: str) -> int | None:
        """The last position handed on, if it is known."""
        return self._positions.get(channel)

    def top_held(self, channel: str) -> int:
        """The highest position that waits; 0 when none does."""
        held = self._held.get(channel)
        return held[-1].position or 0 if held else 0

    def sort(self, publications: Sequence[Publication]) -> list[Publication]:
        """Those that may be handed on now, with what was waiting for them."""
        ordered: list[Publication] = []
        for publication in publications:
            if publication.position is None:
                ordered.append(publication)
            elif publication.channel in self._positions:
                self._place(publication, publication.position, ordered)
            else:
                # Nobody here hears this channel; whoever it brings in hears on from here.
                if any(self._is_here(person_id) for person_id in publication.joins):
                    self.begin(publication.channel, publication.position)
                ordered.append(publication)
        return ordered

    def fill(
        self, channel: str, read: Sequence[Publication], complete_up_to: int | None
    ) -> list[Publication]:
        """What may be handed on after this was read. `complete_up_to`: nothing else was stored up to
        there; None when there may be more to read."""
        position = self._positions.get(channel)
        if position is None:
            return []
        ordered = []
        for publication in read:
            if publication.position is not None and publication.position > position:
                ordered.append(publication)
                position = publication.position
        if complete_up_to is None:
            self._positions[channel] = position
        else:
            self._positions[channel] = max(position, complete_up_to)
            self._release(channel, ordered)
        return ordered

    def give_up(self, channel: str) -> Sequence[Publication]:
        """Hand on what waits: readers see the gap, and ask for what is missing themselves."""
        held = self.let_go(channel)
        if held:
            self._positions[channel] = held[-1].position
        return held

    def let_go(self, channel: str) -> Sequence[Publication]:
        """Nothing is missing any more of a channel; what was waiting."""
        held = self._held.pop(channel, [])
        self._holding -= len(held)
        self.missing.pop(channel, None)
        return held

    def miss(self, channel: str) -> None:
        """Something of a channel has not come."""
        self.missing.setdefault(channel, self._clock.monotonic())

    def _place(self, publication: Publication, position: int, ordered: list[Publication]) -> None:
        channel = publication.channel
        last = self._positions[channel]
        if last is None or position - publication.covers <= last < position:
            ordered.append(publication)
            self._positions[channel] = position
            if channel in self._held:
                self._release(channel, ordered)
        elif position > last:
            self._hold(publication)

    def _hold(self, publication: Publication) -> None:
        channel = publication.channel
        if self._holding < MOST_HELD:
            insort(self._held.setdefault(channel, []), publication, key=attrgetter("position"))
            self._holding += 1
        else:
            self.fresh.add(channel)
        self.miss(channel)

    def _release(self, channel: str, ordered: list[Publication]) -> None:
        for publication in self.let_go(channel):
            assert publication.position is not None
            self._place(publication, publication.position, ordered)
