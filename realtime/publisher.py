"""The one thing others may ask of the hub: tell a channel what was stored, or end a connection."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from realtime.errors import Closing


class Publication(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event on its way to a channel.

    `body` is the event object as JSON with channel and position in it. `position` None marks an
    ephemeral event, which a slow reader may never see. On a state channel `key` names the value that
    this one replaces. One that is `partial` tells only some of a channel's values: its body has them, by
    key, in `values`, and for a slow reader they are laid over those of an unsent one under the same
    `key`. People in `joins` become members of the channel before the event is delivered;
    those in `leaves` hear it as the last one, and so do all who merely watch if it `dismisses`: whoever
    may still watch asks again. `covers` is how many positions of the channel it tells, its own the last.
    `at` is when the work that stored it began (ms), 0 where nothing was stored.
    """

    channel: str
    name: str
    body: bytes
    position: int | None
    key: str | None = None
    joins: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    partial: bool = False
    dismisses: bool = False
    covers: int = 1
    at: int = 0

    def completes(self, before: "Publication") -> bool:
        """Whether both are partial news of one channel, and may be told as one."""
        return self.partial and before.partial and self.channel == before.channel


def laid_over(older: Publication, newer: Publication) -> Publication:
    """One publication for two partial ones of a channel: the newer, with the values only the older has."""
    body = merged_values(older.body, newer.body)
    return replace(newer, body=body, covers=older.covers + newer.covers)


def merged_values(older: bytes, newer: bytes) -> bytes:
    """Two bodies of partial events as one."""
    body = msgspec.json.decode(newer)
    body["values"] = {**msgspec.json.decode(older)["values"], **body["values"]}
    return msgspec.json.encode(body)


class Publisher(Protocol):
    """What the product may ask of the hub. Never blocks and never fails the caller.

    Promise: publications of one channel reach every connection in the order given here, at most once;
    what is lost on the way is noticed by its missing position and read again from storage.
    """

    def publish(self, publications: Sequence[Publication]) -> None:
        """Tell channels what has been stored, in commit order."""
        ...

    def disconnect(
        self, person_id: str, reason: Closing, *, session_ids: frozenset[str] | None = None
    ) -> None:
        """End the connections of a person (of these sessions only, if given) on every node."""
        ...
