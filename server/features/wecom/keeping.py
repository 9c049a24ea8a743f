"""Clearing away: what was heard and answered some days ago cannot come again and need not be remembered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from server.background import repeated
from server.clock import Clock
from server.features.wecom.documents import Heard, Reply
from server.nodes import Leader
from server.storage import Delete, Store

KEPT_MS: Final = 2 * 86_400_000
"""Longer than WeCom repeats, and than the oldest callback that is let in."""
PRUNE_S: Final = 600.0
AT_ONCE: Final = 500


class Keeping:
    """Removes old marks and answers, some at a time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def prune(self) -> int:
        """How many were removed."""
        gone, before = 0, self._clock.now() - KEPT_MS
        for kind in (Heard, Reply):
            name = kind.collection.name
            docs = await self._store.find(name, "at", lt=before, limit=AT_ONCE)
            if docs:
                await self._store.apply(*(Delete(name, doc["_id"]) for doc in docs))
                gone += len(docs)
        return gone


@asynccontextmanager
async def keeping(store: Store, clock: Clock, leader: Leader) -> AsyncIterator[Keeping]:
    """While the server lives, on the node that leads."""
    made = Keeping(store, clock)
    run = partial(repeated, "old callbacks", PRUNE_S, made.prune)
    async with leader.keep("old callbacks", run):
        yield made
