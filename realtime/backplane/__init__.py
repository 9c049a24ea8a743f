"""Between nodes: what one hub was told, the others hear.

Promise: hints only. A publication reaches every other node at most once and may be lost; two
publications of one node on one channel arrive in the order given. Nothing here waits, blocks or fails
its caller. What is lost shows as a missing position, and the reader asks storage; so losing everything
a backplane carries loses nothing. Own publications do not come back.
"""

from collections.abc import Sequence
from typing import Protocol

from realtime.errors import Closing
from realtime.publisher import Publication


class Receiver(Protocol):
    """Who hears what other nodes say: a hub."""

    def deliver(self, publications: Sequence[Publication]) -> None:
        """Publications of another node."""
        ...

    def close_connections(
        self, person_id: str, reason: Closing, session_ids: frozenset[str] | None
    ) -> None:
        """Another node was asked to end connections of a person."""
        ...


class Backplane(Protocol):
    """One node's plug into the line between nodes."""

    async def start(self, receiver: Receiver) -> None:
        """Begin to hear the other nodes."""
        ...

    async def stop(self) -> None:
        """Stop hearing and speaking."""
        ...

    def broadcast(self, publications: Sequence[Publication]) -> None:
        """Tell the other nodes."""
        ...

    def disconnect(
        self, person_id: str, reason: Closing, session_ids: frozenset[str] | None
    ) -> None:
        """Tell the other nodes to end connections of a person."""
        ...
