"""The order of what is handed on: the last position of every channel heard here, and what waits for it.

Nothing here waits or reads. Always true: of a channel heard here, no publication is handed on before an
earlier one, and none twice. What is missing is filled in by whoever can read it (`realtime.gaps`). What
changes who hears a channel is handed on at once: whether the next one is for anybody depends on it.
"""

from bisect import insort
from collections import OrderedDict
from collections.abc import Callable, Sequence
from operator import attrgetter

from realtime.clock import Clock
from realtime.publisher import Publication

MOST_HELD = 2_000
"""Publications that wait for earlier ones; further ones are not kept, storage has them."""
MOST_LEFT = 10_000
"""Channels that nobody hears any more whose last position is remembered, so that news of long ago that
comes now is recognised."""


class Order:
    """Channels heard on one node. `is_member` says whether a person hears a channel here, None for who is
    not here or just arriving; `deliver` hands on, and tells by `need` what has changed by it."""

    def __init__(
        self,
        clock: Clock,
        is_member: Callable[[str, str], bool | None],
        deliver: Callable[[Sequence[Publication]], None],
    ) -> None:
        self.missing: dict[str, float] = {}
        """Channels of which something has not come, and since when (monotonic) that is known."""
        self.fresh: set[str] = set()
        """Channels to be compared with storage, since they may have been told without this node."""
        self.doubted: set[str] = set()
        """People whose channels have to be read again, since old news says otherwise."""
        self._clock = clock
        self._is_member = is_member
        self._deliver = deliver
        self._ready: list[Publication] = []
        self._is_flushing = False
        self._orphans: list[Publication] = []
        self._positions: dict[str, int | None] = {}
        self._left: OrderedDict[str, int] = OrderedDict()
        self._ends: dict[str, int] = {}
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
            self._leave(channel, self._positions.pop(channel, None))
            self._orphans += self.let_go(channel)
            if not self._is_flushing:
                self._adopt()

    def begin(self, channel: str, position: int) -> None:
        """Hear a channel on from a position, or from where it was left."""
        self._positions[channel] = max(position, self._left.get(channel, position))
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

    def hear(self, publications: Sequence[Publication]) -> None:
        """Hand on what may be handed on now, with what was waiting for it."""
        for publication in publications:
            self._take(publication)
        self._finish()

    def fill(self, channel: str, read: Sequence[Publication], complete_up_to: int | None) -> None:
        """Hand on what was read. `complete_up_to`: nothing else was stored up to there; None when there
        may be more to read."""
        if self.position(channel) is None:
            return
        for publication in read:
            last = self.position(channel)
            if last is None or publication.position is None:
                self._take(publication)  # Nobody hears it any more; this may bring somebody in.
            elif publication.position > last:
                self._hand_on(publication)
        last = self.position(channel)
        if last is not None and complete_up_to is not None:
            self._positions[channel] = max(last, complete_up_to)
            for publication in self.let_go(channel):
                self._take(publication)
        self._finish()

    def give_up(self, channel: str) -> None:
        """Hand on what waits: readers see the gap, and ask for what is missing themselves."""
        for publication in self.let_go(channel):
            self._hand_on(publication)
        self._finish()

    def let_go(self, channel: str) -> Sequence[Publication]:
        """Nothing is missing any more of a channel; what was waiting."""
        held = self._held.pop(channel, [])
        self._holding -= len(held)
        self._ends.pop(channel, None)
        self.missing.pop(channel, None)
        return held

    def miss(self, channel: str, end: int) -> None:
        """Not everything up to there has come of a channel."""
        self._ends[channel] = max(end, self._ends.get(channel, 0))
        self.missing.setdefault(channel, self._clock.monotonic())

    def _take(self, publication: Publication) -> None:
        channel, position = publication.channel, publication.position
        if position is None:
            self._hand_on(publication)
        elif channel not in self._positions:
            self._take_unheard(publication, position)
        else:
            last = self._positions[channel]
            if last is None or position - publication.covers <= last < position:
                self._hand_on(publication)
                if channel in self._held:
                    self._release(channel)
            elif position > last:
                self._hold(publication)
            else:
                self._look_back(publication)

    def _take_unheard(self, publication: Publication, position: int) -> None:
        """Nobody here hears this channel; whoever this brings in hears on from here."""
        if position <= self._left.get(publication.channel, 0):
            self._look_back(publication)
            return
        if self._brings_in(publication):
            self.begin(publication.channel, position)
        self._hand_on(publication)

    def _brings_in(self, publication: Publication) -> bool:
        return any(self._is_member(id, publication.channel) is False for id in publication.joins)

    def _look_back(self, publication: Publication) -> None:
        """It was handed on, or passed over when this channel came to be heard here: then what it says of
        members may be news."""
        for people, is_member in ((publication.joins, False), (publication.leaves, True)):
            self.doubted.update(
                id for id in people if self._is_member(id, publication.channel) is is_member
            )

    def _hold(self, publication: Publication) -> None:
        channel = publication.channel
        if self._holding < MOST_HELD:
            insort(self._held.setdefault(channel, []), publication, key=attrgetter("position"))
            self._holding += 1
        else:
            self.fresh.add(channel)
        self.miss(channel, publication.position or 0)

    def _release(self, channel: str) -> None:
        """A gap is filled; there may be another, or an end that has not come."""
        end = self._ends.get(channel, 0)
        for publication in self.let_go(channel):
            self._take(publication)
        if (self.position(channel) or end) < end:
            self.miss(channel, end)

    def _hand_on(self, publication: Publication) -> None:
        if publication.position is not None and publication.channel in self._positions:
            self._positions[publication.channel] = publication.position
        self._ready.append(publication)
        if publication.joins or publication.leaves or publication.dismisses:
            self._flush()

    def _leave(self, channel: str, position: int | None) -> None:
        if position is not None:
            self._left[channel] = position
            self._left.move_to_end(channel)
            if len(self._left) > MOST_LEFT:
                self._left.popitem(last=False)

    def _flush(self) -> None:
        if self._ready:
            ready, self._ready = self._ready, []
            self._is_flushing = True
            self._deliver(ready)
            self._is_flushing = False

    def _finish(self) -> None:
        self._flush()
        self._adopt()

    def _adopt(self) -> None:
        """What waited in channels that were left meanwhile may still bring somebody in: that is read."""
        orphans, self._orphans = self._orphans, []
        for publication in orphans:
            channel, position = publication.channel, publication.position
            if channel in self._positions:
                self.fresh.add(channel)
            elif position is not None and self._brings_in(publication):
                self.begin(channel, position - 1)
