"""Where each channel stands on this node, and what to do when something is missing.

Between nodes arrival is not commit order, and what other nodes tell may be lost. A publication whose
predecessors have not come waits for them a moment; then they are read from storage and delivered, in order
and once, with what they change of a channel's membership. After anything that may have cost publications
every channel heard here is compared with storage; while the line between nodes is not sound that happens
again and again, and slowly at any time. A hub that is alone has none of this.

One task (`start`, `stop`) does all reading, a few channels at a time. Always true: of a channel heard here,
no publication with a position is handed on before an earlier one, and none twice.
"""

import asyncio
import contextlib
import logging
import math
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

from realtime.backplane import Backplane
from realtime.channel import person_channel, person_of
from realtime.clock import Clock
from realtime.membership import Membership
from realtime.metrics import HubMetrics
from realtime.publisher import Publication

log = logging.getLogger("realtime.gaps")

MOST_HELD = 2_000
"""Publications that wait for earlier ones; further ones are not kept, storage has them."""
CHANNELS_COMPARED = 500
"""Channels whose ends are asked for at once."""
CHANNELS_READ = 8
EVENTS_READ = 200
"""Of so many channels so many events each are read at once."""


class History(Protocol):
    """What the product has stored, as far as a hub asks for what it missed. Raises Refused."""

    async def ends(self, channels: Sequence[str]) -> Mapping[str, int]:
        """The position of the last event of each channel that has one."""
        ...

    async def missed(
        self, after: Mapping[str, int], limit: int
    ) -> Mapping[str, Sequence[Publication]]:
        """The first `limit` events after a position of each channel, as they were (or would now be)
        published."""
        ...

    async def channels_of(self, person_id: str) -> Mapping[str, int]:
        """A person's channels, each with the first position the person may see. Whoever gets or loses
        one is told so on the own channel, in the same commit."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds of waiting for what is missing. Comparing is never more than a tenth of the time."""

    hold_s: float = 0.1
    """How long a publication waits for earlier ones before they are read."""
    again_s: float = 0.25
    """Between two comparisons that were asked for."""
    unsound_s: float = 2.0
    """Between two comparisons while the line is not sound."""
    sweep_s: float = 30.0
    """Between two comparisons in any case."""
    noticed_s: float = 5.0
    """A loss is noticed within so long."""
    pause_s: float = 0.5
    """After storage could not be read."""


class _Stand:
    """A channel heard here: the last position handed on (None while nobody knows), and what waits."""

    __slots__ = ("held", "position")

    def __init__(self, position: int | None = None) -> None:
        self.position = position
        self.held: list[Publication] = []


class Gaps:
    """The positions of a hub. `deliver` hands publications to connections."""

    def __init__(
        self,
        history: History,
        backplane: Backplane,
        membership: Membership,
        deliver: Callable[[Sequence[Publication]], None],
        clock: Clock,
        metrics: HubMetrics,
        patience: Patience | None = None,
    ) -> None:
        self._history = history
        self._backplane = backplane
        self._membership = membership
        self._deliver = deliver
        self._clock = clock
        self._metrics = metrics
        self._patience = patience or Patience()
        self._stands: dict[str, _Stand] = {}
        self._held = 0
        self._due: dict[str, float] = {}
        self._fresh: set[str] = set()
        self._wanted = False
        self._compared_at = clock.monotonic()
        self._comparing_s = 0.0
        self._mended_at = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="gaps")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
            self._task = None

    # -- what the hub tells --------------------------------------------------------------------------

    def need(self, channel: str, needed: bool) -> None:
        """A channel has its first listener here, or has lost the last."""
        if needed:
            self._stands.setdefault(channel, _Stand())
        else:
            stand = self._stands.pop(channel, _Stand())
            self._held -= len(stand.held)
            self._due.pop(channel, None)

    async def ready(self, channels: Iterable[str]) -> None:
        """Wait until the position of each of these channels that is heard here is known.

        Whoever is let in after this and then reads what is stored has everything. Raises Refused.
        """
        unknown = [c for c in channels if (s := self._stands.get(c)) and s.position is None]
        for some in _batches(unknown, CHANNELS_COMPARED):
            ends = await self._history.ends(some)
            for channel in some:
                stand = self._stands.get(channel)
                if stand is not None:
                    stand.position = max(stand.position or 0, ends.get(channel, 0))

    def in_order(self, publications: Sequence[Publication]) -> Sequence[Publication]:
        """Those that may be handed on now, and what was waiting for them."""
        ordered: list[Publication] = []
        for publication in publications:
            stand = self._stands.get(publication.channel)
            if publication.position is None:
                ordered.append(publication)
            elif stand is None:
                self._begin(publication)
                ordered.append(publication)
            else:
                self._place(publication, publication.position, stand, ordered)
        return ordered

    def compare(self) -> None:
        """Something may have been missed: compare every channel heard here with storage."""
        self._wanted = True
        self._wake.set()

    def proves_from(self, moment: int) -> float:
        """Only a ping sent later proves anything about what was committed at a moment."""
        if self._wanted or self._due or not self._backplane.is_sound:
            return math.inf
        return max(moment + self._patience.noticed_s * 1000, self._mended_at)

    # -- order ---------------------------------------------------------------------------------------

    def _begin(self, publication: Publication) -> None:
        """Nobody here hears this channel; whoever it brings in hears on from here."""
        if any(self._membership.is_settled(person_id) for person_id in publication.joins):
            self._stands[publication.channel] = _Stand(publication.position)
            self._recheck(publication.channel)

    def _place(
        self, publication: Publication, position: int, stand: _Stand, ordered: list[Publication]
    ) -> None:
        if stand.position is None or position - publication.covers <= stand.position < position:
            ordered.append(publication)
            stand.position = position
            if stand.held:
                self._release(publication.channel, stand, ordered)
        elif position > stand.position:
            self._hold(publication, stand)

    def _hold(self, publication: Publication, stand: _Stand) -> None:
        if self._held < MOST_HELD:
            insort(stand.held, publication, key=attrgetter("position"))
            self._held += 1
        else:
            self._recheck(publication.channel)
        self._read_later(publication.channel)

    def _release(self, channel: str, stand: _Stand, ordered: list[Publication]) -> None:
        """Hand on what need not wait any longer."""
        held, stand.held = stand.held, []
        self._held -= len(held)
        self._due.pop(channel, None)
        for publication in held:
            assert publication.position is not None
            self._place(publication, publication.position, stand, ordered)

    def _read_later(self, channel: str) -> None:
        self._due.setdefault(channel, self._clock.monotonic() + self._patience.hold_s)
        self._wake.set()

    def _recheck(self, channel: str) -> None:
        """Compare this one once the other nodes know that it is heard here."""
        self._fresh.add(channel)
        self._wake.set()

    # -- reading -------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                await self._next()
            except Exception as fault:  # Storage may be away; what is due stays due.
                log.warning("what was missed cannot be read now: %s", fault)
                await asyncio.sleep(self._patience.pause_s)

    async def _next(self) -> None:
        """Do what is due, or wait for something to be."""
        if self._comparison_due() <= self._clock.monotonic():
            await self._compare_all()
        if self._fresh:
            fresh, self._fresh = self._fresh, set()
            await self._backplane.announced()
            await self._compare(fresh)
        now = self._clock.monotonic()
        due = [channel for channel, at in self._due.items() if at <= now]
        for some in _batches(due, CHANNELS_READ):
            await self._mend(some)
        if not due:
            await self._rest()

    async def _rest(self) -> None:
        self._wake.clear()
        moment = min((self._comparison_due(), *self._due.values()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.001, moment - self._clock.monotonic())):
                await self._wake.wait()

    def _comparison_due(self) -> float:
        patience = self._patience
        pause = patience.sweep_s if self._backplane.is_sound else patience.unsound_s
        if self._wanted:
            pause = patience.again_s
        return self._compared_at + max(pause, 9 * self._comparing_s)

    async def _compare_all(self) -> None:
        self._wanted = False
        began_at = self._clock.monotonic()
        try:
            await self._compare(list(self._stands))
        except BaseException:
            self._wanted = True
            raise
        finally:
            self._compared_at = self._clock.monotonic()
            self._comparing_s = self._compared_at - began_at
        self._metrics.comparisons += 1

    async def _compare(self, channels: Iterable[str]) -> None:
        for some in _batches(channels, CHANNELS_COMPARED):
            ends = await self._history.ends(some)
            for channel in some:
                if self._is_behind(channel, ends.get(channel, 0)):
                    self._read_later(channel)

    def _is_behind(self, channel: str, end: int) -> bool:
        stand = self._stands.get(channel)
        return stand is not None and stand.position is not None and stand.position < end

    async def _mend(self, channels: Sequence[str]) -> None:
        """Read what is missing of these channels, and hand it on."""
        after, tops = {}, {}
        for channel in channels:
            stand = self._stands.get(channel)
            if stand is not None and stand.position is not None:
                after[channel] = stand.position
                tops[channel] = stand.held[-1].position if stand.held else 0
        missed = await self._history.missed(after, EVENTS_READ)
        for channel in after:
            person_id = person_of(channel)
            if person_id is not None and missed[channel]:
                await self._reconcile(person_id)
        for channel in after:
            self._fill(channel, missed[channel], tops[channel] or 0)

    def _fill(self, channel: str, missed: Sequence[Publication], top: int) -> None:
        """Hand on what was missed. Nothing else was stored up to `top` when this was read."""
        stand = self._stands.get(channel)
        if stand is None or stand.position is None:
            return
        ordered = []
        for publication in missed:
            if publication.position is not None and publication.position > stand.position:
                ordered.append(publication)
                stand.position = publication.position
        self._metrics.gaps_read += len(ordered)
        if len(missed) < EVENTS_READ:
            stand.position = max(stand.position, top)
            self._release(channel, stand, ordered)
        if ordered:
            self._mended_at = self._clock.now()
            self._deliver(ordered)

    async def _reconcile(self, person_id: str) -> None:
        """A person's own channel had a gap: conversations may have begun or ended for them.

        Where a channel has a gap itself, what is missing there will say so in its place.
        """
        person = self._membership.people.get(person_id)
        if person is None or person.loading is not None:
            return
        changes = person.changes
        channels = await self._history.channels_of(person_id)
        if person.changes != changes:
            self.compare()
            return
        elsewhere = self._due.keys() | {person_channel(person_id)}
        for channel in channels.keys() - person.channels - elsewhere:
            if channel not in self._stands:
                self._stands[channel] = _Stand(channels[channel] - 1)
                self._due[channel] = self._clock.monotonic()
            self._membership.join(channel, (person_id,))
            self._recheck(channel)
        for channel in person.channels - channels.keys() - elsewhere:
            self._membership.leave(channel, (person_id,))


def _batches(channels: Iterable[str], size: int) -> Iterable[list[str]]:
    remaining = list(channels)
    for start in range(0, len(remaining), size):
        yield remaining[start : start + size]
