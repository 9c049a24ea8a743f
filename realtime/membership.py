"""Which people hear which channels on this node, and which connections only look on.

Membership is kept per person, so that a second connection costs nothing and a leaving person costs as
many steps as they have channels. Their own channel is theirs without being entered anywhere. A person
who has just come is `loading`: what is published about their membership meanwhile is newer than the
snapshot being read, and wins over it.
"""

import asyncio
import sys
from collections.abc import Callable, Collection, Container, Iterable, Iterator

from realtime.channel import person_channel
from realtime.connection import Connection

_OWN = person_channel("")


class Person:
    """Somebody with at least one socket on this node."""

    __slots__ = (
        "arriving",
        "changes",
        "channels",
        "connections",
        "id",
        "loading",
        "overrides",
    )

    def __init__(self, person_id: str) -> None:
        self.id = person_id
        self.connections: list[Connection] = []
        self.channels: set[str] = set()
        self.changes = 0
        self.arriving: list[Connection] = []
        self.loading: asyncio.Task[bool] | None = None
        self.overrides: dict[str, bool] | None = {}

    @property
    def is_gone(self) -> bool:
        return not self.connections and not self.arriving


class Membership:
    """People by channel, channels by person, watchers by channel.

    `on_need` is told of each channel that gets its first listener here, and that loses its last one. The
    own channel of a person counts from the moment the person arrives.
    """

    def __init__(self, on_need: Callable[[str, bool], None] | None = None) -> None:
        self._on_need = on_need
        self.people: dict[str, Person] = {}
        self._members: dict[str, set[Person]] = {}
        self._watchers: dict[str, set[Connection]] = {}

    def arrive(self, person_id: str) -> Person:
        """Register a person, before their snapshot is read."""
        person = self.people[person_id] = Person(person_id)
        if self._on_need is not None:
            self._on_need(person_channel(person_id), True)
        return person

    def settle(self, person: Person, snapshot: Iterable[str]) -> None:
        """The snapshot is here: join what it says, except where something newer was told."""
        overrides, person.overrides = person.overrides or {}, None
        # One string for all who hear it, not one for each who read its name.
        channels = set(map(sys.intern, snapshot))
        for channel, is_member in overrides.items():
            (channels.add if is_member else channels.discard)(channel)
        channels.discard(person_channel(person.id))
        person.channels = channels
        for channel in channels:
            members = self._members.get(channel)
            (members if members is not None else self._first(channel)).add(person)

    def depart(self, person: Person) -> None:
        """Forget a person whose last connection has ended."""
        if self.people.get(person.id) is person:
            del self.people[person.id]
            if self._on_need is not None:
                self._on_need(person_channel(person.id), False)
        for channel in person.channels:
            self._discard(person, channel)
        person.channels.clear()

    def join(self, channel: str, person_ids: Iterable[str]) -> None:
        """People have become members; those who are not here are met in their next snapshot."""
        for person in self._changing(person_ids):
            if person.overrides is not None:
                person.overrides[channel] = True
            else:
                self._add(person, channel)

    def leave(self, channel: str, person_ids: Iterable[str]) -> None:
        """People are members no longer."""
        for person in self._changing(person_ids):
            if person.overrides is not None:
                person.overrides[channel] = False
            else:
                person.channels.discard(channel)
                self._discard(person, channel)

    def watch(self, connection: Connection, channel: str) -> None:
        connection.watched |= {channel}
        if channel not in self._watchers:
            self._watchers[channel] = set()
            self._needs(channel, True, self._members)
        self._watchers[channel].add(connection)

    def unwatch(self, connection: Connection, channel: str) -> None:
        connection.watched -= {channel}
        watchers = self._watchers.get(channel)
        if watchers is not None:
            watchers.discard(connection)
            if not watchers:
                del self._watchers[channel]
                self._needs(channel, False, self._members)

    def dismiss(self, channel: str) -> None:
        """Nobody watches a channel any more; members stay."""
        watchers = self._watchers.pop(channel, None)
        if watchers is not None:
            for connection in watchers:
                connection.watched -= {channel}
            self._needs(channel, False, self._members)

    def listeners(self, channel: str) -> list[Connection]:
        """Every connection that hears a channel, each once."""
        members: Collection[Person] = self._members.get(channel, ())
        if channel.startswith(_OWN):
            person = self.people.get(channel[len(_OWN) :])
            members = () if person is None else (person,)
            listening = [] if person is None else person.connections.copy()
        else:
            listening = [connection for person in members for connection in person.connections]
        for connection in self._watchers.get(channel, ()):
            if self.people.get(connection.person_id) not in members:
                listening.append(connection)
        return listening

    def member(self, person_id: str, channel: str) -> bool | None:
        """Whether a person hears a channel; None for who is not here, or whose channels are being read."""
        person = self.people.get(person_id)
        if person is None or person.overrides is not None:
            return None
        return channel in person.channels

    def channels_of(self, person_id: str) -> frozenset[str]:
        """What a person who is here hears, their own channel included."""
        person = self.people.get(person_id)
        return (
            frozenset()
            if person is None
            else frozenset({*person.channels, person_channel(person_id)})
        )

    def is_member(self, person_id: str, channel: str) -> bool:
        person = self.people.get(person_id)
        return person is not None and (
            channel in person.channels or channel == person_channel(person_id)
        )

    def _changing(self, person_ids: Iterable[str]) -> Iterator[Person]:
        for person_id in person_ids:
            person = self.people.get(person_id)
            if person is not None:
                person.changes += 1
                yield person

    def _add(self, person: Person, channel: str) -> None:
        if channel.startswith(_OWN):
            return
        person.channels.add(channel)
        members = self._members.get(channel)
        (members if members is not None else self._first(channel)).add(person)

    def _first(self, channel: str) -> set[Person]:
        """The members of a channel that has none yet."""
        members = self._members[channel] = set()
        self._needs(channel, True, self._watchers)
        return members

    def _discard(self, person: Person, channel: str) -> None:
        members = self._members.get(channel)
        if members is not None:
            members.discard(person)
            if not members:
                del self._members[channel]
                self._needs(channel, False, self._watchers)

    def _needs(self, channel: str, needed: bool, others: Container[str]) -> None:
        """A channel has got its first, or lost its last, member or watcher: does it matter?"""
        if self._on_need is not None and channel not in others:
            self._on_need(channel, needed)
