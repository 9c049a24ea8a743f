"""Catching up, and listening to more: the commands that every feature's events rely on.

A client that comes back names the epoch and the position it has of each channel, and gets what it
missed, or is told to reload. The connection already hears its channels live before anything is read
here, so nothing falls between; an event that comes twice is recognised by its position.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, cast

import msgspec
from msgspec import Meta

from realtime.channel import ChannelKind, kind_of, person_channel
from realtime.hub import Hub
from realtime.protocol import Command, Event, Nothing, Result
from server.directory import Directory
from server.errors import Invalid, NotFound
from server.feature import Feature, Rate, allow, staff
from server.storage import Missed, Store
from server.work import UnitOfWork
from server.work.entry import Stored

EVENTS_PER_CHANNEL = 200
VALUES_PER_CHANNEL = 1_000
"""A state channel that is watched holds at most so many values; more are not answered."""
ENTRIES_PER_READ = 1_000
"""What is missed is read for all channels at once, so many entries at most."""
MOST_BEHIND = 5_000
"""Whoever is further behind in a channel loads afresh, which is cheaper for both."""
BYTES_PER_ANSWER = 256 * 1024
"""What one answer carries at most, so that it fits the bound of a connection's buffer."""
BYTES_KEPT = 16 * 1024 * 1024
"""Event objects kept for the next who missed them."""
EVENT_OVERHEAD = 64
"""What an answer needs around an event's own object."""
BYTES_PER_READ = 2 * BYTES_PER_ANSWER
"""Stored entries are longer than the events they give."""

Position = Annotated[int, Meta(ge=0, le=2**53)]


class CatchUp(Command, frozen=True):
    """Ask for what was missed. Without positions: where every channel of the person stands now."""

    wire_name: ClassVar[str] = "stream.catch_up"
    epoch: Annotated[str, Meta(max_length=64)] | None = None
    positions: dict[str, Position] | None = None


class LoggedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event that was missed, as it would have been told."""

    event: str
    position: int
    data: dict[str, Any]


class ChannelTail(msgspec.Struct, frozen=True, kw_only=True):
    """What was missed of a channel. `position` is where the client stands after applying it; when it
    is not `complete`, ask again from there."""

    events: list[LoggedEvent]
    position: int
    complete: bool


class CaughtUp(Result, frozen=True):
    """`reload` tells the client to drop what it holds and load afresh. `last_close` is why the
    server ended this session's last connection, if it did."""

    epoch: str
    reload: bool
    channels: dict[str, ChannelTail]
    last_close: str | None = None


class Watch(Command, frozen=True):
    """Hear a channel that one is not a member of (a board, a dashboard)."""

    wire_name: ClassVar[str] = "stream.watch"
    channel: Annotated[str, Meta(max_length=128)]


class Unwatch(Command, frozen=True):
    """Stop hearing a watched channel."""

    wire_name: ClassVar[str] = "stream.unwatch"
    channel: Annotated[str, Meta(max_length=128)]


class Watched(Result, frozen=True):
    """Where the channel stands, and for a state channel its newest values by key."""

    position: int
    state: dict[str, Any]


class Visible(Command, frozen=True):
    """Tell whether the page is on the screen; figures and lists are fresher for those who look."""

    wire_name: ClassVar[str] = "stream.visible"
    visible: bool


class Streams:
    """What the commands here need to know of the features: their events and their channels."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.events: Mapping[str, type[Event]] = {
            event.wire_name: event for feature in features for event in feature.events
        }
        self._bodies: dict[tuple[str, int], bytes] = {}
        self._bodies_bytes = 0
        self._sources = [f.channels_of for f in features if f.channels_of is not None]
        self._watching = {family: check for f in features for family, check in f.watching.items()}

    async def channels_of(self, store: Store, person_id: str) -> dict[str, int]:
        """A person's channels, each with the first position the person may see."""
        channels = {person_channel(person_id): 0}
        for source in self._sources:
            channels.update(await source(store, person_id))
        return channels

    def told(self, entry: Stored) -> bytes:
        """The event object of a stored entry; kept for a while, since many come back to the same."""
        key = (entry.id, entry.version)
        body = self._bodies.get(key)
        if body is None:
            body = entry.body(self.events)
            self._bodies_bytes += len(body)
            if self._bodies_bytes > BYTES_KEPT:
                self._bodies.clear()
                self._bodies_bytes = len(body)
            self._bodies[key] = body
        return body

    async def check_watching(self, work: UnitOfWork, channel: str, directory: Directory) -> None:
        """Whether the actor may watch a channel. Raises NotFound or what its feature says."""
        check = self._watching.get(channel.partition(":")[0])
        if check is None:
            raise NotFound("there is no such channel to watch")
        await check(work, channel, directory)


async def catch_up(command: CatchUp, work: UnitOfWork, streams: Streams, hub: Hub) -> CaughtUp:
    """Answer what was missed, or that everything has to be loaded again."""
    last_close = None
    if work.connection is not None:
        last_close = hub.farewells.take(work.connection.session_id)
    epoch, positions = work.store.epoch, command.positions or {}
    if not positions:
        tails = await _standing(work, streams)
        return CaughtUp(epoch=epoch, reload=False, channels=tails, last_close=last_close)
    after = await _reached(work, streams, hub, positions)
    missed = await work.log.missed(after, most=ENTRIES_PER_READ, room=BYTES_PER_READ)
    # Asked after the reading: whoever was removed meanwhile gets nothing that may have been said since.
    firsts = await streams.channels_of(work.store, work.actor.person_id)
    is_of_another = command.epoch is not None and command.epoch != epoch
    missing = None if is_of_another else _tails(missed, streams, positions, after, firsts)
    if missing is None:
        ends = {c: missed.ends.get(c, 0) for c in firsts if c in after}
        tails = {c: ChannelTail(events=[], position=end, complete=True) for c, end in ends.items()}
        return CaughtUp(epoch=epoch, reload=True, channels=tails, last_close=last_close)
    if work.connection is not None and all(tail.complete for tail in missing.values()):
        hub.mark_caught_up(work.connection)
    return CaughtUp(epoch=epoch, reload=False, channels=missing, last_close=last_close)


async def _standing(work: UnitOfWork, streams: Streams) -> dict[str, ChannelTail]:
    """Where every channel of the actor stands now."""
    channels = await streams.channels_of(work.store, work.actor.person_id)
    ends = await work.log.ends(list(channels))
    return {
        channel: ChannelTail(events=[], position=ends.get(channel, (0, 0))[0], complete=True)
        for channel in channels
    }


async def _reached(
    work: UnitOfWork, streams: Streams, hub: Hub, positions: Mapping[str, int]
) -> dict[str, int]:
    """The actor's channels, and up to where the actor needs nothing of each.

    A connection hears its channels already, so that the hub knows them. Only where the client does not
    know one of them is it asked from where on the actor may see it.
    """
    heard = hub.channels_of(work.actor.person_id) if work.connection is not None else frozenset()
    if heard and heard <= positions.keys():
        return {channel: positions[channel] for channel in heard}
    firsts = await streams.channels_of(work.store, work.actor.person_id)
    return {c: max(positions.get(c, 0), first - 1) for c, first in firsts.items()}


def _tails(
    missed: Missed[Stored],
    streams: Streams,
    positions: Mapping[str, int],
    after: Mapping[str, int],
    firsts: Mapping[str, int],
) -> dict[str, ChannelTail] | None:
    """What each channel holds beyond where the client stands, as much as one answer may carry. A channel
    whose end is not known, since the actor came to it a moment ago, is to be asked for again.

    None when everything has to be loaded again: a channel ends before where the client stands, or too far
    behind it. One pass, since people are in hundreds of channels and come back by the thousand.
    """
    tails: dict[str, ChannelTail] = {}
    room = BYTES_PER_ANSWER
    for channel, first in firsts.items():
        stands = positions.get(channel, 0)
        position = max(stands, first - 1)
        if channel not in after:
            tails[channel] = ChannelTail(events=[], position=position, complete=False)
            continue
        end = missed.ends.get(channel, 0)
        if stands > end or end - max(after[channel], first - 1) > MOST_BEHIND:
            return None
        if position >= end:
            tails[channel] = ChannelTail(events=[], position=position, complete=True)
            continue
        found = [e for e in missed.entries.get(channel, ()) if e.position > position]
        tails[channel], used = _tail(found, streams, position, end, room)
        room -= used
    return tails


def _tail(
    found: Sequence[Stored], streams: Streams, position: int, end: int, room: int
) -> tuple[ChannelTail, int]:
    """As many of the entries as fit, and the bytes they take."""
    events: list[LoggedEvent] = []
    used = 0
    for entry in found[:EVENTS_PER_CHANNEL]:
        body = streams.told(entry)
        used += len(body) + EVENT_OVERHEAD
        if used > room:
            break
        # JSON already, and encoded as what the class says it is.
        data = cast(dict[str, Any], msgspec.Raw(body))
        events.append(LoggedEvent(event=entry.event, position=entry.position, data=data))
    if events:
        position = events[-1].position
    return ChannelTail(events=events, position=position, complete=position >= end), used


async def watch(
    command: Watch, work: UnitOfWork, streams: Streams, hub: Hub, directory: Directory
) -> Watched:
    """Hear a channel from now on, and where it stands."""
    channel = command.channel
    await streams.check_watching(work, channel, directory)
    if work.connection is not None:
        # Join before reading: a change in between is heard twice, never missed.
        hub.watch(work.connection, channel)
        try:
            # Whoever lost the right while it was being checked was not there to be dismissed.
            await streams.check_watching(work, channel, directory)
            await hub.hears([channel])
        except BaseException:
            hub.unwatch(work.connection, channel)
            raise
    position, _ = (await work.log.ends([channel])).get(channel, (0, 0))
    newest: list[Stored] = []
    if kind_of(channel) is ChannelKind.STATE:
        newest = await work.log.values(channel, VALUES_PER_CHANNEL)
    state = {entry.key: msgspec.Raw(streams.told(entry)) for entry in newest if entry.key}
    return Watched(position=position, state=state)


async def unwatch(command: Unwatch, work: UnitOfWork, hub: Hub) -> Nothing:
    """Hear it no more."""
    if work.connection is not None:
        hub.unwatch(work.connection, command.channel)
    return Nothing()


async def set_visible(command: Visible, work: UnitOfWork, hub: Hub) -> Nothing:
    """Remember of this connection whether somebody looks at it."""
    if work.connection is None:
        raise Invalid("only a socket has a page to look at")
    hub.set_visible(work.connection, command.visible)
    return Nothing()


feature = Feature(
    "stream",
    commands=allow(
        staff, catch_up, watch, unwatch, set_visible, rate=Rate(burst=60, per_second=10)
    ),
)
