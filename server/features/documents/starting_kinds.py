"""What each person may start, kept for some minutes: the OA is asked several calls for it, and it hardly
ever changes. While the OA cannot be asked the last answer is given and says how old it is.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from server.clock import Clock, Millis
from server.integrations.oa import OAError, RefusedByOA
from server.integrations.oa.documents import Documents, StartKind

KEPT_MS: Final = 5 * 60_000
MOST_PEOPLE: Final = 500


@dataclass(frozen=True, slots=True)
class Known:
    """What somebody may start, as the OA said at a moment."""

    kinds: tuple[StartKind, ...]
    as_of: Millis
    stale: bool = False


class StartKinds:
    """Asks, and remembers; whoever has not asked for longest is forgotten first."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock
        self._known: dict[tuple[str, str], Known] = {}

    async def of(self, person_id: str, oa_user: str, *, fresh: bool = False) -> Known:
        """Raises OAError where there is nothing from before."""
        key = (person_id, oa_user)
        known = self._known.get(key)
        now = self._clock.now()
        if known is not None and not fresh and now - known.as_of < KEPT_MS:
            return known
        try:
            kinds = await self._documents.kinds(oa_user)
        except RefusedByOA:
            raise
        except OAError:
            if known is None:
                raise
            return Known(known.kinds, known.as_of, stale=True)
        self._known.pop(key, None)
        while len(self._known) >= MOST_PEOPLE:
            del self._known[next(iter(self._known))]
        self._known[key] = Known(kinds, now)
        return self._known[key]


@asynccontextmanager
async def start_kinds(documents: Documents, clock: Clock) -> AsyncIterator[StartKinds]:
    """As a service."""
    yield StartKinds(documents, clock)
