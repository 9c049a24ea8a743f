"""Clearing away: what was heard and answered some days ago cannot come again and need not be remembered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from server.background import repeated
from server.clock import Clock
from server.features.wecom.documents import Heard, Reply
from server.nodes import Leader
from server.retention import drop_old
from server.storage import Store

KEPT_MS: Final = 2 * 86_400_000
"""Longer than WeCom repeats, and than the oldest callback that is let in."""
PRUNE_S: Final = 600.0


class Keeping:
    """Removes old marks and answers, some at a time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def prune(self) -> int:
        """How many were removed."""
        before = self._clock.now() - KEPT_MS
        return sum([await drop_old(self._store, kind, "at", before) for kind in (Heard, Reply)])


@asynccontextmanager
async def keeping(store: Store, clock: Clock, leader: Leader) -> AsyncIterator[Keeping]:
    """While the server lives, on the node that leads."""
    made = Keeping(store, clock)
    run = partial(repeated, "old callbacks", PRUNE_S, made.prune)
    async with leader.keep("old callbacks", run):
        yield made
