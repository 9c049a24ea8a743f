"""How long acts are kept.

An act's row serves whoever acted: a repeat is answered from it, and the document, when it is opened again,
says what became of it. Half a year after its end nobody asks for either; who told the OA what, and what it
answered, stays in the audit. What nobody ever learnt the end of is kept for two years.
"""

from typing import Final

from server.acting.documents import Act
from server.clock import Clock
from server.retention import AT_ONCE, drop, drop_old
from server.storage import Doc, Store

DAY_MS: Final = 86_400_000
KEPT_MS: Final = 183 * DAY_MS
WITHOUT_END_MS: Final = 2 * 366 * DAY_MS


class Keeping:
    """Removes old acts, some at a time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def drop_old(self) -> int:
        """How many were removed."""
        now = self._clock.now()
        docs = await self._store.find(
            Act.collection.name, "ended_at", lt=now - KEPT_MS, limit=AT_ONCE
        )
        over = {doc["_id"]: doc for ended in docs for doc in (ended, *await self._before(ended))}
        gone = await drop(self._store, Act, over.values())
        return gone + await drop_old(self._store, Act, "asked_at", now - WITHOUT_END_MS)

    async def _before(self, ended: Doc) -> list[Doc]:
        """What the same person did on the document before. It goes too, or an old act nobody knows the end
        of would be the last one again, and be read back."""
        if ended["number"] == 1:
            return []
        place = (ended["person_id"], ended["request_id"])
        return await self._store.find(
            Act.collection.name, "document", place, lt=ended["number"], limit=AT_ONCE
        )
