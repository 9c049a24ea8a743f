"""What did not come from other nodes is read from storage, and delivered in its place.

Between nodes arrival is not commit order, and what is told may be lost. A publication whose predecessors
have not come waits for them a moment (`realtime.order`); then they are read, and delivered with what they
change of a channel's membership. After anything that may have cost publications every channel heard here is
compared with storage; while the line between nodes is not sound that happens again and again, and slowly at
any time. A hub that is alone has none of this.

One task (`start`, `stop`) does all reading, a few channels at a time; nothing here fails its caller but
`ready`.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from realtime.backplane import Backplane
from realtime.channel import person_channel, person_of
from realtime.clock import Clock
from realtime.errors import Refused
from realtime.membership import Membership
from realtime.metrics import HubMetrics
from realtime.order import Order
from realtime.publisher import Publication
from realtime.tasks import ended

log = logging.getLogger("realtime.gaps")

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
    """Seconds of waiting for what is missing. Comparing takes a tenth of the time at most, half when it is
    asked for."""

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


class Gaps:
    """What a hub misses. `deliver` hands publications to connections, `flush` the last of them."""

    def __init__(
        self,
        history: History,
        backplane: Backplane,
        membership: Membership,
        deliver: Callable[[Sequence[Publication]], None],
        flush: Callable[[], None],
        clock: Clock,
        metrics: HubMetrics,
        patience: Patience | None = None,
    ) -> None:
        self._history = history
        self._backplane = backplane
        self._membership = membership
        self._flush = flush
        self._clock = clock
        self._metrics = metrics
        self._patience = patience or Patience()
        self._order = Order(clock, membership.member, deliver)
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
            await ended(self._task)
            self._task = None

    # -- what the hub tells --------------------------------------------------------------------------

    def need(self, channel: str, needed: bool) -> None:
        """A channel has its first listener here, or has lost the last."""
        self._order.need(channel, needed)

    async def ready(self, channels: Iterable[str]) -> None:
        """Wait until the position of each of these channels that is heard here is known.

        Whoever is let in after this and then reads what is stored has everything. Raises Refused.
        """
        unknown = [channel for channel in channels if self._order.is_unknown(channel)]
        for some in _batches(unknown, CHANNELS_COMPARED):
            ends = await self._history.ends(some)
            for channel in some:
                self._order.learn(channel, ends.get(channel, 0))

    def hear(self, publications: Sequence[Publication]) -> None:
        """Hand on what may be handed on now; the rest when its turn has come."""
        missing = len(self._order.missing)
        self._order.hear(publications)
        if len(self._order.missing) > missing or self._order.fresh or self._order.doubted:
            self._wake.set()

    def compare(self) -> None:
        """Something may have been missed: compare every channel heard here with storage."""
        self._wanted = True
        self._wake.set()

    def proves_from(self, moment: int) -> float:
        """Only a ping sent later proves anything about what was committed at a moment."""
        order = self._order
        is_whole = not (self._wanted or order.missing or order.fresh or order.doubted)
        if not is_whole or not self._backplane.is_sound:
            return math.inf
        return max(moment + self._patience.noticed_s * 1000, self._mended_at)

    # -- what is to be done --------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                await self._next()
            except Refused as refused:  # What is missing stays missing.
                log.warning("what was missed cannot be read now: %s", refused.code)
                await asyncio.sleep(self._patience.pause_s)
            except Exception:
                log.exception("what was missed cannot be read")
                await asyncio.sleep(self._patience.pause_s)

    async def _next(self) -> None:
        """Do what is due, or wait for something to be."""
        if self._comparison_due() <= self._clock.monotonic():
            await self._compare_all()
        if self._order.fresh:
            await self._compare_fresh()
        for person_id in list(self._order.doubted):
            if await self._reconcile(person_id):
                self._order.doubted.discard(person_id)
        overdue = self._clock.monotonic() - self._patience.hold_s
        due = [channel for channel, since in self._order.missing.items() if since <= overdue]
        for some in _batches(due, CHANNELS_READ):
            await self._mend_each(some)
        if not due:
            await self._rest()

    async def _rest(self) -> None:
        self._wake.clear()
        first = min(self._order.missing.values(), default=math.inf)
        moment = min(self._comparison_due(), first + self._patience.hold_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.001, moment - self._clock.monotonic())):
                await self._wake.wait()

    # -- comparing -----------------------------------------------------------------------------------

    def _comparison_due(self) -> float:
        patience = self._patience
        if self._wanted:
            return self._compared_at + max(patience.again_s, self._comparing_s)
        pause = patience.sweep_s if self._backplane.is_sound else patience.unsound_s
        return self._compared_at + max(pause, 9 * self._comparing_s)

    async def _compare_all(self) -> None:
        self._wanted = False
        began_at = self._clock.monotonic()
        try:
            await self._compare(self._order.channels())
        except BaseException:
            self._wanted = True
            raise
        finally:
            self._compared_at = self._clock.monotonic()
            self._comparing_s = self._compared_at - began_at
        self._metrics.comparisons += 1

    async def _compare_fresh(self) -> None:
        """Compare what is heard here as of now, once the other nodes know that it is."""
        fresh, self._order.fresh = self._order.fresh, set()
        await self._backplane.announced()
        try:
            await self._compare(fresh)
        except BaseException:
            self._order.fresh |= fresh
            raise

    async def _compare(self, channels: Iterable[str]) -> None:
        for some in _batches(channels, CHANNELS_COMPARED):
            ends = await self._history.ends(some)
            for channel in some:
                position, end = self._order.position(channel), ends.get(channel, 0)
                if position is not None and position < end:
                    self._order.miss(channel, end)

    # -- mending -------------------------------------------------------------------------------------

    async def _mend_each(self, channels: Sequence[str]) -> None:
        """Mend these channels; one that cannot be read keeps no other from it."""
        try:
            await self._mend(channels)
        except Refused:
            raise
        except Exception:
            if len(channels) > 1:
                for channel in channels:
                    await self._mend_each((channel,))
            else:
                log.exception("what was missed of a channel cannot be read")
                self._order.give_up(channels[0])

    async def _mend(self, channels: Sequence[str]) -> None:
        """Read what is missing of these channels, and hand it on."""
        after: dict[str, int] = {}
        tops: dict[str, int] = {}
        for channel in channels:
            position = self._order.position(channel)
            if position is None:
                self._order.let_go(channel)
            else:
                after[channel] = position
                tops[channel] = self._order.top_held(channel)
        missed = await self._history.missed(after, EVENTS_READ)
        for channel in after:
            person_id = person_of(channel)
            if person_id is None or not missed[channel] or await self._reconcile(person_id):
                complete_up_to = tops[channel] if len(missed[channel]) < EVENTS_READ else None
                self._order.fill(channel, missed[channel], complete_up_to)
                self._metrics.gaps_read += len(missed[channel])
                self._mended_at = self._clock.now()

    async def _reconcile(self, person_id: str) -> bool:
        """Conversations may have begun or ended for a person who was not told: read which there are. False
        when that has to be done again, since more happened meanwhile.

        Where a channel has a gap itself, what is missing there will say so in its place.
        """
        person = self._membership.people.get(person_id)
        if person is None or person.loading is not None:
            return True
        changes = person.changes
        channels = await self._history.channels_of(person_id)
        differing = (person.channels ^ channels.keys()) - {person_channel(person_id)}
        await self._compare([channel for channel in differing if channel in self._order])
        if person.changes != changes:
            return False
        self._flush()
        waits = False
        for channel in differing:
            if channel in channels:
                self._bring_in(person_id, channel, channels[channel])
            elif channel in self._order.missing:
                waits = True
            else:
                self._membership.leave(channel, (person_id,))
        return not waits

    def _bring_in(self, person_id: str, channel: str, first: int) -> None:
        """Somebody has been a member since an event that did not come. Where others hear the channel and
        it is still to be read, it will say so in its place."""
        position = self._order.position(channel)
        if channel not in self._order:
            self._order.begin(channel, first - 1)
        if position is None or first <= position:
            self._membership.join(channel, (person_id,))


def _batches(channels: Iterable[str], size: int) -> Iterable[list[str]]:
    remaining = list(channels)
    for start in range(0, len(remaining), size):
        yield remaining[start : start + size]
