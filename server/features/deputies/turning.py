"""Beginnings and ends that come with the clock.

Whether a deputation holds is always asked of the clock, so nothing waits for this: it tells open pages,
and takes back what stands on phones. Done by the node that leads; what was not told while nobody led is
told late, in the version read. What was passed on is forgotten long after it went.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from msgspec.structs import replace

from server.background import repeated
from server.clock import Clock
from server.features.deputies.documents import Deputation, PassedOn
from server.features.deputies.passing import take_all_back
from server.features.deputies.standing import tell
from server.integrations.oa.mirror import Worklist
from server.nodes import Leader
from server.retention import drop_old
from server.storage import Store
from server.work import SystemWork, UnitOfWork

LOOK_S: Final = 5.0
AT_ONCE: Final = 100
KEPT_MS: Final = 400 * 86_400_000
KEEP_S: Final = 600.0


class Turning:
    """Looks for what has begun or ended since."""

    def __init__(self, store: Store, system: SystemWork, clock: Clock, worklist: Worklist) -> None:
        self._store, self._system, self._clock = store, system, clock
        self._worklist = worklist

    async def look(self) -> None:
        """Tell everything that is due, within bounds."""
        now = self._clock.now()
        name = Deputation.collection.name
        for doc in await self._store.find(name, "turns", lt=now + 1, limit=AT_ONCE):
            await self._system.do(partial(self._turn, doc["_id"]))

    async def _turn(self, id: str, work: UnitOfWork) -> None:
        deputation = await work.get(Deputation, id)
        if deputation is None or deputation.turns_at is None or deputation.turns_at > work.now:
            return
        if deputation.is_over(work.now):
            work.put(replace(deputation, turns_at=None))
            seen = await self._worklist.seen(deputation.person_id)
            await take_all_back(work, deputation, seen)
        else:
            work.put(replace(deputation, turns_at=deputation.ends_at))
        tell(work, deputation.person_id, deputation.deputy_id)

    async def drop_old(self) -> int:
        """How many documents that were passed on were forgotten."""
        return await drop_old(self._store, PassedOn, "gone_at", self._clock.now() - KEPT_MS)


@asynccontextmanager
async def turning(
    store: Store, system: SystemWork, clock: Clock, worklist: Worklist, leader: Leader
) -> AsyncIterator[Turning]:
    """While the server lives, on the node that leads."""
    made = Turning(store, system, clock, worklist)
    run = partial(repeated, "deputies", LOOK_S, made.look)
    forget = partial(repeated, "old deputies", KEEP_S, made.drop_old)
    async with leader.keep("deputies", run), leader.keep("old deputies", forget):
        yield made
