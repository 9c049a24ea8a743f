"""Who can be reached now, on any node. Small, short-lived, and never a proof.

Promise: `online` may be wrong for as long as a dead device looks alive (a ping's period and time-out).
`reach` answers REACHED only for a proof: a pong to a ping that was sent after the event was written.
Asking about somebody whose proof is missing asks their devices for a sign of life, so the answer to the
same question a moment later is better. When a node does not answer, its people are AWAY.
"""

from collections.abc import Collection
from typing import Protocol

from realtime.application import Reach


class Presence(Protocol):
    """Reachability of people across all nodes."""

    async def reach(self, people: Collection[str], since: int) -> dict[str, Reach]:
        """How far what was committed at `since` (ms) has come to each of these people."""
        ...

    async def online(self, people: Collection[str]) -> set[str]:
        """Which of these people have an open connection."""
        ...
