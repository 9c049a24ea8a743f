"""The one thing others may ask of the hub: tell a channel what was stored, or end a connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from realtime.errors import Closing


@dataclass(frozen=True, slots=True)
class Publication:
    """One event on its way to a channel.

    `body` is the event object as JSON with channel and position in it. `position` None marks an
    ephemeral event, which a slow reader may never see. On a state channel `key` names the value that
    this one replaces. People in `joins` become members of the channel before the event is delivered;
    those in `leaves` hear it as the last one.
    """

    channel: str
    name: str
    body: bytes
    position: int | None
    key: str | None = None
    joins: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()


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
