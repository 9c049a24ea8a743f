"""One of several nodes: says that it lives, leads when nobody else does, and sees who else is there.

Every second each node writes its own document anew and reads those of all (`beat`). The lead is one more
document, taken and held by writing it in the version that was read. Machines' clocks are never compared:
whether another node lives is judged by the own clock, from how long its document has not changed.

Who leads stops after `VALID_S` without having renewed the lease, counted from before the writing; others
take it over `TAKEN_OVER_S` after they last saw it change. The time between is for the work to end in.
The store being away ends the lead everywhere, and nobody takes it; Redis plays no part.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

from realtime.tasks import ended
from server.clock import Clock
from server.nodes import NODES, Run
from server.nodes.charges import Charges
from server.storage import Conflict, Delete, Doc, Op, Put, StorageError, Store

log = logging.getLogger(__name__)

BEAT_S: Final = 1.0
VALID_S: Final = 4.0
TAKEN_OVER_S: Final = 9.0
LOST_S: Final = 6.0
"""A node that has not been seen for so long has no share of anything."""
FORGOTTEN_S: Final = 60.0
PATIENCE_S: Final = 10.0
LEASE: Final = "lead"
MOST_NODES: Final = 500


class Elected:
    """Keeps the promise of `Leader`. `beat` may be called by hand; `elected` does it for a server."""

    is_alone = False

    def __init__(self, store: Store, clock: Clock, *, node_id: str | None = None) -> None:
        self.id = node_id or f"node:{secrets.token_hex(8)}"
        self._store = store
        self._clock = clock
        self._charges = Charges()
        self._demand = 1.0
        self._seen: dict[str, tuple[Doc, float]] = {}
        self._beaten_at = float("-inf")
        self._held_at = float("-inf")
        self._resigned = False
        self._in_trouble = False

    @property
    def leads(self) -> bool:
        return self._charges.is_on

    def keep(self, name: str, run: Run) -> AbstractAsyncContextManager[None]:
        return self._charges.keep(name, run)

    def share(self, demand: float) -> float:
        self._demand = demand
        now = self._clock.monotonic()
        if now - self._beaten_at > LOST_S:
            return 0.0
        return demand / (demand + sum(self._others(now)))

    @property
    def nodes(self) -> int:
        return 1 + len(self._others(self._clock.monotonic()))

    def _others(self, now: float) -> list[float]:
        """What each of the other nodes that live wants."""
        return [
            float(doc["demand"])
            for id, (doc, changed_at) in self._seen.items()
            if id not in (LEASE, self.id) and now - changed_at <= LOST_S
        ]

    async def resign(self) -> None:
        self._resigned = True
        await self._charges.end()
        with suppress(StorageError, TimeoutError):
            async with asyncio.timeout(BEAT_S):
                await self._store.apply(Delete(NODES.name, self.id))
                lease = await self._store.get(NODES.name, LEASE)
                if lease is not None and lease["holder"] == self.id:
                    await self._store.apply(Delete(NODES.name, LEASE, lease["_v"]))

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(BEAT_S)

    async def beat(self) -> None:
        """Live for another while; take the lead when it is free, hold it when it is ours."""
        try:
            async with asyncio.timeout(self._left_s() if self.leads else PATIENCE_S):
                holds = await self._renew()
        except Exception as fault:
            if not self._in_trouble:
                log.warning("the other nodes cannot be told that this one lives: %r", fault)
            self._in_trouble = True
            holds = self.leads and self._left_s() > 0
        else:
            self._in_trouble = False
        if holds and not self.leads:
            log.info("this node leads", extra={"node": self.id})
            self._charges.begin()
        elif self.leads and not holds:
            log.warning("this node leads no more", extra={"node": self.id})
            await self._charges.end()

    async def _renew(self) -> bool:
        """Write that this node lives and, if it may, that it leads; whether it does."""
        began = self._clock.monotonic()
        docs = await self._store.scan(NODES.name, limit=MOST_NODES)
        # What a slow reading shows may have been written just before it came.
        self._look(docs, self._clock.monotonic())
        lease, _ = self._seen.get(LEASE, (None, began))
        leading = not self._resigned and self._may_lead(began)
        ops: list[Op] = [Put(NODES.name, {"_id": self.id, "demand": self._demand}, None)]
        if leading:
            held: Doc = {"_id": LEASE, "holder": self.id}
            ops.append(Put(NODES.name, held, lease["_v"] if lease else 0))
            ops += [Delete(NODES.name, id) for id in self._forgotten(began)]
        try:
            await self._store.apply(*ops)
        except Conflict:
            return False  # somebody was faster
        self._beaten_at = began
        if leading:
            self._held_at = began
        return leading and not self._resigned

    def _left_s(self) -> float:
        """How long the lead is still ours without being renewed."""
        return max(0.0, self._held_at + VALID_S - self._clock.monotonic())

    def _look(self, docs: Iterable[Doc], now: float) -> None:
        """Note who has changed since the last time."""
        before, self._seen = self._seen, {}
        for doc in docs:
            known = before.get(doc["_id"])
            is_same = known is not None and known[0]["_v"] == doc["_v"]
            self._seen[doc["_id"]] = known if known is not None and is_same else (doc, now)

    def _may_lead(self, now: float) -> bool:
        if LEASE not in self._seen:
            return True
        lease, changed_at = self._seen[LEASE]
        return lease["holder"] == self.id or now - changed_at >= TAKEN_OVER_S

    def _forgotten(self, now: float) -> list[str]:
        return [
            id
            for id, (_, changed_at) in self._seen.items()
            if id not in (LEASE, self.id) and now - changed_at >= FORGOTTEN_S
        ]


@asynccontextmanager
async def elected(store: Store, clock: Clock) -> AsyncIterator[Elected]:
    """One of several nodes, until it ends."""
    leader = Elected(store, clock)
    await leader.beat()
    task = asyncio.create_task(leader.run(), name="beat")
    try:
        yield leader
    finally:
        await ended(task)
        await leader.resign()
