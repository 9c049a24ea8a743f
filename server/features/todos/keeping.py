"""How long a person's dealings with a document are kept once it waits no more.

They are there so that a document makes one notice ever, and so that a card of one of its comings is none of
another: for that they stay as long as anything is kept of what was done with it (`server.acting.keeping`).
After that nobody takes an old document's return for anything but news. A reminder goes with the dealings that
it lies beside, since they say how often its person was told.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from server.acting.keeping import WITHOUT_END_MS
from server.background import repeated
from server.clock import Clock
from server.features.todos.documents import Todo
from server.nodes import Leader
from server.notify.reminders import Urge
from server.retention import AT_ONCE, drop
from server.storage import Store

KEPT_MS: Final = WITHOUT_END_MS
KEEP_S: Final = 600.0


class Keeping:
    """Removes old dealings, some at a time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def drop_old(self) -> int:
        """How many documents' were removed."""
        name, before = Todo.collection.name, self._clock.now() - KEPT_MS
        docs = await self._store.find(name, "gone_at", lt=before, limit=AT_ONCE)
        urges = await self._store.get_many(Urge.collection.name, [doc["_id"] for doc in docs])
        await drop(self._store, Urge, urges.values())
        return await drop(self._store, Todo, docs)


@asynccontextmanager
async def keeping(store: Store, clock: Clock, leader: Leader) -> AsyncIterator[Keeping]:
    """While the server lives, on the node that leads."""
    made = Keeping(store, clock)
    run = partial(repeated, "old to-dos", KEEP_S, made.drop_old)
    async with leader.keep("old to-dos", run):
        yield made
