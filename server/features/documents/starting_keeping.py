"""How long starts and drafts are kept.

A start's row is what a repeat is answered from, and what puts a kind that somebody used before at the top of
the list: for that a year has to be remembered, since much is asked for once a year. A draft is its person's
until it is sent or thrown away, or has not been touched for as long.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from server.background import repeated
from server.clock import Clock
from server.features.documents.starting_records import Begun, StartDraft
from server.nodes import Leader
from server.retention import drop_old
from server.storage import Store

DAY_MS: Final = 86_400_000
KEPT_MS: Final = 400 * DAY_MS
WITHOUT_END_MS: Final = 2 * 366 * DAY_MS
"""For a start nobody ever learnt the end of."""
KEEP_S: Final = 600.0


class Keeping:
    """Removes old starts and drafts, some at a time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def drop_old(self) -> int:
        """How many were removed."""
        now = self._clock.now()
        bounds = (
            (Begun, "ended_at", KEPT_MS),
            (Begun, "asked_at", WITHOUT_END_MS),
            (StartDraft, "at", KEPT_MS),
        )
        return sum([await drop_old(self._store, kind, by, now - kept) for kind, by, kept in bounds])


@asynccontextmanager
async def keeping(store: Store, clock: Clock, leader: Leader) -> AsyncIterator[Keeping]:
    """While the server lives, on the node that leads."""
    made = Keeping(store, clock)
    run = partial(repeated, "old starts", KEEP_S, made.drop_old)
    async with leader.keep("old starts", run):
        yield made
