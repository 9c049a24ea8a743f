"""Finding out what became of acts whose answer was lost, on the node that leads.

Every second the acts that are due are looked at, a few side by side; each look opens the document once for
whoever acted. What is due stands in the store, so a kill loses nothing: whoever leads next looks on.
"""

import asyncio
import logging
from typing import Final

from server.acting.acts import Acts
from server.acting.documents import Act
from server.clock import Clock
from server.storage import Store
from server.storage.document import from_doc

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
AT_ONCE: Final = 4
MOST_DUE: Final = 20


class Looking:
    """`look` does what is due; `run` goes on until cancelled."""

    def __init__(self, acts: Acts, store: Store, clock: Clock) -> None:
        self._acts = acts
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Look until cancelled. A look that is cut short is taken anew by whoever leads next."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("acts in the OA cannot be looked at")
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look at everything that is due now."""
        docs = await self._store.find(
            Act.collection.name, "look_at", lt=self._clock.now() + 1, limit=MOST_DUE
        )
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(act: Act) -> None:
            async with slots:
                await self._acts.look(act)

        looks = [one(from_doc(Act, doc)) for doc in docs]
        for fault in await asyncio.gather(*looks, return_exceptions=True):
            if isinstance(fault, Exception):
                log.error("an act in the OA was not looked at", exc_info=fault)
