"""Between nodes: what one hub was told, the others hear.

Promise: hints only. A publication reaches every other node that needs its channel, or its people, at most
once, and may be lost; those of one node arrive in the order given. Nodes that do not need it may hear it too.
Own publications do not come back. Nothing here fails its caller, and nothing but `announced` waits. A node
that may have missed something is told so (`missed_some`), soon after it was missed and again when all is
well; so losing everything a backplane carries loses nothing that is stored.
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

    def missed_some(self) -> None:
        """Publications of other nodes may not have come: ask storage where the channels stand."""
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

    def need(self, channel: str, needed: bool) -> None:
        """A channel has its first listener here, or has lost the last one."""
        ...

    async def announced(self) -> None:
        """Wait, for about a second at most, until the other nodes know what is needed here."""
        ...

    @property
    def is_sound(self) -> bool:
        """Whether everything arrives, as far as can be known; a loss is noticed within seconds."""
        ...

    def disconnect(
        self, person_id: str, reason: Closing, session_ids: frozenset[str] | None
    ) -> None:
        """Tell the other nodes to end connections of a person."""
        ...
