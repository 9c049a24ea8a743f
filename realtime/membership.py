"""Which people hear which channels on this node, and which connections only look on.

Membership is kept per person, so that a second connection costs nothing and a leaving person costs as
many steps as they have channels. A person who has just come is `loading`: what is published about their
membership meanwhile is newer than the snapshot being read, and wins over it.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator

from realtime.channel import person_channel
from realtime.connection import Connection


class Person:
    """Somebody with at least one socket on this node."""

    __slots__ = ("arriving", "channels", "connections", "id", "loading", "overrides")

    def __init__(self, person_id: str) -> None:
        self.id = person_id
        self.connections: list[Connection] = []
        self.channels: set[str] = set()
        self.arriving: set[Connection] = set()
        self.loading: asyncio.Task[bool] | None = None
        self.overrides: dict[str, bool] | None = {}

    @property
    def is_gone(self) -> bool:
        return not self.connections and not self.arriving


class Membership:
    """People by channel, channels by person, watchers by channel."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self._members: dict[str, set[Person]] = {}
        self._watchers: dict[str, set[Connection]] = {}

    def arrive(self, person_id: str) -> Person:
        """Register a person, before their snapshot is read."""
        person = self.people[person_id] = Person(person_id)
        return person

    def settle(self, person: Person, snapshot: Iterable[str]) -> None:
        """The snapshot is here: join what it says, except where something newer was told."""
        overrides, person.overrides = person.overrides or {}, None
        joined = {channel for channel in snapshot if overrides.get(channel, True)}
        joined.update(channel for channel, is_member in overrides.items() if is_member)
        joined.add(person_channel(person.id))
        for channel in joined:
            # One string for all who hear it, not one for each who read its name.
            self._add(person, sys.intern(channel))

    def depart(self, person: Person) -> None:
        """Forget a person whose last connection has ended."""
        if self.people.get(person.id) is person:
            del self.people[person.id]
        for channel in person.channels:
            self._discard(person, channel)
        person.channels.clear()

    def join(self, channel: str, person_ids: Iterable[str]) -> None:
        """People have become members; those who are not here are met in their next snapshot."""
        for person in self._here(person_ids):
            if person.overrides is not None:
                person.overrides[channel] = True
            else:
                self._add(person, channel)

    def leave(self, channel: str, person_ids: Iterable[str]) -> None:
        """People are members no longer."""
        for person in self._here(person_ids):
            if person.overrides is not None:
                person.overrides[channel] = False
            else:
                person.channels.discard(channel)
                self._discard(person, channel)

    def watch(self, connection: Connection, channel: str) -> None:
        connection.watched.add(channel)
        self._watchers.setdefault(channel, set()).add(connection)

    def unwatch(self, connection: Connection, channel: str) -> None:
        connection.watched.discard(channel)
        watchers = self._watchers.get(channel)
        if watchers is not None:
            watchers.discard(connection)
            if not watchers:
                del self._watchers[channel]

    def dismiss(self, channel: str) -> None:
        """Nobody watches a channel any more; members stay."""
        for connection in self._watchers.pop(channel, ()):
            connection.watched.discard(channel)

    def listeners(self, channel: str) -> Iterator[Connection]:
        """Every connection that hears a channel, each once."""
        members = self._members.get(channel, ())
        for person in members:
            yield from person.connections
        for connection in self._watchers.get(channel, ()):
            if self.people.get(connection.person_id) not in members:
                yield connection

    def channels_of(self, person_id: str) -> frozenset[str]:
        person = self.people.get(person_id)
        return frozenset(person.channels) if person is not None else frozenset()

    def is_member(self, person_id: str, channel: str) -> bool:
        person = self.people.get(person_id)
        return person is not None and channel in person.channels

    def _here(self, person_ids: Iterable[str]) -> Iterator[Person]:
        for person_id in person_ids:
            person = self.people.get(person_id)
            if person is not None:
                yield person

    def _add(self, person: Person, channel: str) -> None:
        person.channels.add(channel)
        self._members.setdefault(channel, set()).add(person)

    def _discard(self, person: Person, channel: str) -> None:
        members = self._members.get(channel)
        if members is not None:
            members.discard(person)
            if not members:
                del self._members[channel]
