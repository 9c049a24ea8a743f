"""How long events and facts of the HIS are kept: as long as something may change their day.

Nothing older than `CLOSED_AFTER_DAYS` is taken, so that what is older still can neither be repeated nor
corrected, and is dropped. Sums stay.
"""

from typing import Final

from server.background import repeated
from server.clock import Clock
from server.features.dashboard.documents import Fact, TakenEvent
from server.retention import drop_old
from server.storage import Store
from server.storage.document import Document

DAY_MS: Final = 86_400_000
CLOSED_AFTER_DAYS: Final = 35
KEPT_DAYS: Final = 40
KEEP_S: Final = 60.0

KINDS: Final[tuple[type[Document], ...]] = (TakenEvent, Fact)


class Keeping:
    """Drops what is old, some of it each time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Drop what is old until cancelled."""
        await repeated("old facts of the HIS", KEEP_S, self.drop_old)

    async def drop_old(self) -> int:
        """Drop some of each kind; how many it were."""
        before = self._clock.now() - KEPT_DAYS * DAY_MS
        return sum([await drop_old(self._store, kind, "at", before) for kind in KINDS])
