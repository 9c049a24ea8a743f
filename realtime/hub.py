"""The hub: which connections of this node hear an event, and the handing over of it.

It is synchronous and belongs to the event loop's thread: a publication is encoded once and put on its
way to every listener in the same tick of the loop, in the order given. What the first call of a tick
brings goes at once; what follows goes at the tick's end, everything of one channel in a row as one write,
so that a busy room costs each member one write a tick. The gateway opens
and closes connections here; the product publishes and asks. Nothing waits for a reader: each wire has
its own bound. Always true: a connection that `leave` was called for hears nothing any more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

from realtime.application import Reach
from realtime.backplane import Backplane
from realtime.channel import ChannelKind, kind_of, person_channel
from realtime.clock import Clock
from realtime.connection import Connection
from realtime.errors import Busy, Closing, Refused, Unauthenticated, Unavailable
from realtime.farewells import Farewells
from realtime.frames import Frame, event_packet, on_wire
from realtime.gaps import Gaps, History, Patience
from realtime.lateness import Lateness
from realtime.limits import ConnectionLimits
from realtime.membership import Membership, Person
from realtime.metrics import HubMetrics
from realtime.publisher import Publication

log = logging.getLogger("realtime.hub")

MOST_TOGETHER = 16 * 1024
"""Bytes written at once; more would pass a reader's bound before anybody sees that it is slow."""
MOST_LATER = 256
"""Publications that may wait for the end of the tick."""

ChannelsOf = Callable[[str], Awaitable[Sequence[str]]]


class Hub:
    """Connections of this node, by person. Keeps the promise of `Publisher`."""

    def __init__(
        self,
        clock: Clock,
        metrics: HubMetrics | None = None,
        limits: ConnectionLimits | None = None,
        backplane: Backplane | None = None,
        history: History | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.clock = clock
        self.metrics = metrics or HubMetrics()
        self.limits = limits or ConnectionLimits()
        self.farewells = Farewells(clock)
        self.on_gone: Callable[[str], None] | None = None
        """Told a person's id when their last connection here has ended."""
        self.on_visible: Callable[[str, bool], None] | None = None
        """Told a person's id when the first page of theirs is looked at, and when the last no more."""
        self._backplane = backplane
        self._membership = Membership(None if backplane is None else self._need)
        self._gaps: Gaps | None = None
        if backplane is not None and history is not None:
            self._gaps = Gaps(
                history,
                backplane,
                self._membership,
                self._hand_over,
                self._deliver_late,
                clock,
                self.metrics,
                patience,
            )
        self._lateness = Lateness(self.limits.settling_ms)
        self._later: list[Publication] = []
        self._tick: asyncio.Handle | None = None

    async def start(self) -> None:
        """Begin to hear other nodes."""
        if self._gaps is not None:
            await self._gaps.start()
        if self._backplane is not None:
            await self._backplane.start(self)

    async def stop(self) -> None:
        """Stop hearing other nodes; connections are the gateway's to close."""
        if self._gaps is not None:
            await self._gaps.stop()
        if self._backplane is not None:
            await self._backplane.stop()

    # -- connections: what the gateway tells ---------------------------------------------------------

    async def open(self, connection: Connection, channels_of: ChannelsOf) -> None:
        """Let a connection hear its person's channels, reading them if it is the person's first.

        Raises Busy when the person has too many connections, Unavailable when the channels cannot be
        read, Unauthenticated when the session was ended meanwhile.
        """
        person = self._membership.people.get(connection.person_id)
        if person is None:
            person = self._membership.arrive(connection.person_id)
        if len(person.connections) + len(person.arriving) >= self.limits.connections_per_person:
            raise Busy("too many open connections of one person; close a page and try again")
        person.arriving.append(connection)
        try:
            if person.overrides is not None or person.loading is not None:
                await self._load(person, channels_of)
            if connection not in person.arriving:
                raise Unauthenticated("this session has just been ended")
        except BaseException:
            if connection in person.arriving:
                person.arriving.remove(connection)
            if person.is_gone:
                self._membership.depart(person)
            raise
        person.arriving.remove(connection)
        connection.joined_at = self.clock.now()
        connection.is_open = True
        person.connections.append(connection)
        self.metrics.connections += 1
        if len(person.connections) == 1:
            self.metrics.people += 1

    def leave(self, connection: Connection, reason: Closing | None = None) -> None:
        """A connection has ended, or is about to. Calling it again changes nothing."""
        if not connection.is_open:
            return
        connection.is_open = False
        if reason is not None:
            self.farewells.remember(connection.session_id, reason)
        for channel in tuple(connection.watched):
            self._membership.unwatch(connection, channel)
        person = self._membership.people[connection.person_id]
        if connection.visible:
            self.set_visible(connection, False)
        person.connections.remove(connection)
        self.metrics.connections -= 1
        if not person.connections:
            self.metrics.people -= 1
            if person.is_gone:
                self._membership.depart(person)
            if self.on_gone is not None:
                self.on_gone(person.id)

    # -- what the product says -----------------------------------------------------------------------

    def publish(self, publications: Sequence[Publication]) -> None:
        """Tell channels what has been stored: here at once, on other nodes as hints."""
        self.deliver(publications)
        if self._backplane is not None:
            self._backplane.broadcast(publications)

    def disconnect(
        self, person_id: str, reason: Closing, *, session_ids: frozenset[str] | None = None
    ) -> None:
        """End the connections of a person (of these sessions only, if given) on every node."""
        self.close_connections(person_id, reason, session_ids)
        if self._backplane is not None:
            self._backplane.disconnect(person_id, reason, session_ids)

    def watch(self, connection: Connection, channel: str) -> None:
        """Let one connection hear a channel its person is no member of. Raises Busy at its limit."""
        if connection.is_open:
            if len(connection.watched) >= self.limits.watched_channels:
                raise Busy("this page watches too many channels; stop watching another first")
            self._membership.watch(connection, channel)

    async def hears(self, channels: Iterable[str]) -> None:
        """Wait until everything that is told of these channels from now on is heard here: whoever reads
        afterwards misses nothing. Raises Refused."""
        if self._backplane is not None:
            await self._backplane.announced()
        if self._gaps is not None:
            await self._gaps.ready(channels)

    def unwatch(self, connection: Connection, channel: str) -> None:
        """Stop `watch`."""
        self._membership.unwatch(connection, channel)

    def set_visible(self, connection: Connection, visible: bool) -> None:
        """Note whether the page behind a connection is on screen."""
        before = self.is_visible(connection.person_id)
        connection.visible = visible
        after = self.is_visible(connection.person_id)
        if before != after and self.on_visible is not None:
            self.on_visible(connection.person_id, after)

    def mark_caught_up(self, connection: Connection) -> None:
        """All that was stored until now has been read for this connection's catch-up."""
        connection.caught_up_at = self.clock.now()

    # -- what the product asks -----------------------------------------------------------------------

    def connections_of(self, person_id: str) -> tuple[Connection, ...]:
        """The open connections of a person on this node."""
        person = self._membership.people.get(person_id)
        return tuple(person.connections) if person is not None else ()

    def is_online(self, person_id: str) -> bool:
        """Whether a person has an open connection on this node."""
        return bool(self.connections_of(person_id))

    def is_visible(self, person_id: str) -> bool:
        """Whether any page of a person is on screen."""
        return any(connection.visible for connection in self.connections_of(person_id))

    def online_people(self) -> frozenset[str]:
        """Everybody with an open connection on this node."""
        return frozenset(
            person.id for person in self._membership.people.values() if person.connections
        )

    def channels_of(self, person_id: str) -> frozenset[str]:
        """What a person who is here hears by membership."""
        return self._membership.channels_of(person_id)

    def is_member(self, person_id: str, channel: str) -> bool:
        """Whether a person who is here hears a channel by membership."""
        return self._membership.is_member(person_id, channel)

    def reach(self, person_id: str, since: int) -> Reach:
        """How far what was committed at `since` has come to a person on this node.

        A connection without the proof is asked for a sign of life, so that asking again soon tells more.
        """
        connections = self.connections_of(person_id)
        for connection in connections:
            held_from = connection.hears_since(since)
            if held_from is not None and connection.confirmed_at > self._proves_from(held_from):
                return Reach.REACHED
        for connection in connections:
            held_from = connection.hears_since(since)
            if held_from is not None and self.clock.now() > self._proves_from(held_from):
                connection.wire.ping()
        return Reach.PENDING if connections else Reach.AWAY

    def _proves_from(self, held_from: int) -> float:
        """Only a ping sent later proves anything about what was told until then."""
        told_at = self._lateness.told_by(held_from)
        settled = max(held_from + self.limits.settling_ms, told_at)
        return settled if self._gaps is None else max(settled, self._gaps.proves_from(held_from))

    # -- what other nodes say ------------------------------------------------------------------------

    def deliver(self, publications: Sequence[Publication]) -> None:
        """Hand publications to the connections of this node, in order."""
        if self._gaps is not None:
            self._gaps.hear(publications)
        else:
            self._hand_over(publications)

    def _hand_over(self, publications: Sequence[Publication]) -> None:
        if self._tick is None:
            self._tick = asyncio.get_running_loop().call_soon(self._end_tick)
            self._deliver_runs(publications)
            return
        self._later += publications
        if len(self._later) > MOST_LATER:
            self._deliver_late()
            return
        for publication in publications:
            if publication.joins or publication.leaves or publication.dismisses:
                # Membership is asked for in between.
                self._deliver_late()
                return

    def missed_some(self) -> None:
        """Publications of other nodes may not have come: compare with storage."""
        if self._gaps is not None:
            self._gaps.compare()

    def close_connections(
        self, person_id: str, reason: Closing, session_ids: frozenset[str] | None
    ) -> None:
        """End connections of a person on this node, once they were told what was published before."""
        self._deliver_late()
        person = self._membership.people.get(person_id)
        if person is None:
            return
        for connection in (*person.connections, *person.arriving):
            if session_ids is None or connection.session_id in session_ids:
                if connection.is_open:
                    connection.close(reason)
                elif connection in person.arriving:
                    # `open` refuses it when it finds itself taken out.
                    person.arriving.remove(connection)

    # -- inside --------------------------------------------------------------------------------------

    def _end_tick(self) -> None:
        self._tick = None
        self._deliver_late()

    def _deliver_late(self) -> None:
        if self._later:
            late, self._later = self._later, []
            self._deliver_runs(late)

    def _deliver_runs(self, publications: Sequence[Publication]) -> None:
        """Deliver in order, what follows one another in one channel together."""
        start = 0
        while start < len(publications):
            end = _end_of_run(publications, start)
            run = publications[start:end]
            try:
                self._deliver(run)
            except Exception:  # The promise: what was stored is never undone by telling it.
                log.exception("delivery failed", extra={"event": run[0].name})
            start = end

    def _deliver(self, publications: Sequence[Publication]) -> None:
        """Deliver to the same listeners: the first may bring people in, the last may let some go."""
        first, last, metrics = publications[0], publications[-1], self.metrics
        channel = first.channel
        if first.joins:
            self._membership.join(channel, first.joins)
        # A list: a reader that is too slow is closed while it is walked.
        listeners = self._membership.listeners(channel)
        if listeners:
            data = on_wire(event_packet(first.name, first.body))
            for publication in publications[1:]:
                data += on_wire(event_packet(publication.name, publication.body))
            frames: list[Frame] = []
            for connection in listeners:
                way = connection.wire.way
                if way is not None:
                    way.write_frames(data)
                else:
                    frames = frames or [_frame(publication) for publication in publications]
                    _send(connection, publications, frames)
            metrics.deliveries += len(listeners) * len(publications)
            metrics.delivered_bytes += len(listeners) * len(data)
        metrics.publications += len(publications)
        now = self.clock.now()
        for publication in publications:
            self._lateness.note(publication.at, now)
        if last.leaves:
            self._membership.leave(channel, last.leaves)
        if last.dismisses:
            self._membership.dismiss(channel)

    async def _load(self, person: Person, channels_of: ChannelsOf) -> None:
        # One reading for all connections that come meanwhile; none of them may cancel it for the others.
        if person.loading is None:
            person.loading = asyncio.create_task(self._read_channels(person, channels_of))
        if not await asyncio.shield(person.loading):
            raise Unavailable("your channels cannot be read now; try again")

    async def _read_channels(self, person: Person, channels_of: ChannelsOf) -> bool:
        try:
            # What is told about this person from now on is heard, or missed in their own channel.
            await self.hears((person_channel(person.id),))
            snapshot = await channels_of(person.id)
            if self._membership.people.get(person.id) is person:
                self._membership.settle(person, snapshot)
                await self.hears((person_channel(person.id), *person.channels))
        except Refused as refused:
            log.warning("the channels of a person cannot be read: %s", refused.code)
            self._membership.depart(person)
            return False
        except Exception:
            log.exception("the channels of a person cannot be read")
            self._membership.depart(person)
            return False
        person.loading = None
        return True

    def _need(self, channel: str, needed: bool) -> None:
        """A channel has its first listener here, or has lost the last one."""
        if self._gaps is not None:
            self._gaps.need(channel, needed)
        if self._backplane is not None:
            self._backplane.need(channel, needed)


def _end_of_run(publications: Sequence[Publication], start: int) -> int:
    """Up to where publications go to the same listeners, and are not too much for one write."""
    last = publications[start]
    channel, size = last.channel, len(last.body)
    end = start + 1
    while end < len(publications) and not (last.leaves or last.dismisses):
        last = publications[end]
        size += len(last.body)
        if last.channel != channel or last.joins or size > MOST_TOGETHER:
            break
        end += 1
    return end


def _frame(publication: Publication) -> Frame:
    packet = event_packet(publication.name, publication.body)
    return Frame(packet, partial=publication.partial)


def _send(
    connection: Connection, publications: Sequence[Publication], frames: Sequence[Frame]
) -> None:
    """Send to somebody for whom more waits already."""
    for publication, frame in zip(publications, frames, strict=True):
        key = None
        if publication.key is not None and kind_of(publication.channel) is ChannelKind.STATE:
            key = f"{publication.channel}\n{publication.key}"
        connection.wire.send(frame, key=key, ephemeral=publication.position is None)
