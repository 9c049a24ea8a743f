"""What features may ask about who is here: the narrow side of the hub's presence."""

from collections.abc import Collection
from typing import Protocol


class Presence(Protocol):
    """Who has the app open. A dead device looks open for up to half a minute."""

    async def online(self, people: Collection[str]) -> set[str]:
        """Which of these people have an open connection."""
        ...
