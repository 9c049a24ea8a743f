"""MongoDB: the adapter for several servers that share one store, a replica set or a sharded cluster.

One task writes, one transaction for many batches (`writer`); reads go side by side, each of one state, and
searches behind a gate of their own so that no read waits behind them. This class belongs to the event loop
that opened it and bounds what waits. Beside the declared collections the database holds `<log>.heads`,
`yuanxin.collections` and `yuanxin.meta`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import pymongo

from server.clock import Clock
from server.storage import (
    BackupInfo,
    Collection,
    Completion,
    Doc,
    Failure,
    L,
    Missed,
    Op,
    StorageError,
    StoreBusy,
    StoreHealth,
    StoreUnavailable,
)
from server.storage.bigrams import SHORTEST, bigrams
from server.storage.mongodb import declarations, history, queries
from server.storage.mongodb.connection import (
    OPERATION_S,
    Client,
    Database,
    asking_again,
    check_server,
    connect,
    translating,
)
from server.storage.mongodb.facts import check
from server.storage.mongodb.layout import Layout, Layouts
from server.storage.mongodb.writer import PATIENCE_S, Batch, Writer

QUEUE_LIMIT: Final = 10_000
"""Operations waiting at most, and reads."""

SEARCH_LIMIT: Final = 100
"""Searches waiting at most."""

_SEARCHES_AT_ONCE: Final = 4

K = TypeVar("K")
T = TypeVar("T")


class MongoStore:
    """The storage port on a MongoDB replica set; see `server.storage` for what it promises."""

    def __init__(
        self,
        url: str,
        *,
        database: str | None = None,
        queue_limit: int = QUEUE_LIMIT,
        clock: Clock,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._url = url
        self._name = database
        self._limit = queue_limit
        self._clock = clock
        self._patience_s = patience_s
        self._layouts = Layouts()
        self._epoch = ""
        self._waiting = 0
        self._reading = 0
        self._reads = 0
        self._searching = 0
        self._gate = asyncio.Semaphore(_SEARCHES_AT_ONCE)
        self._open = False
        self._client: Client
        self._database: Database
        self._writer: Writer

    @property
    def epoch(self) -> str:
        return self._epoch

    # Life

    async def open(self) -> None:
        """Reach the servers, and refuse them if they cannot keep the promises. Raises StorageError."""
        self._client, self._database = connect(self._url, self._name)
        try:
            await check_server(self._client)
            with translating():
                self._epoch = await history.open_history(self._database)
                self._layouts |= await declarations.load(self._database)
        except BaseException:
            await self._client.close()
            raise
        self._writer = Writer(
            self._client,
            self._database,
            self._layouts,
            self._clock,
            self._done,
            self._patience_s,
        )
        self._writer.start()
        self._open = True

    async def close(self) -> None:
        if not self._open:
            return
        self._open = False
        await self._writer.stop()
        await self._client.close()

    def health(self) -> StoreHealth:
        if not self._open:
            return StoreHealth(False, self._waiting, 0, 0.0, 0, "closed")
        writer = self._writer
        trouble = writer.trouble
        if not trouble and not self._client.topology_description.has_writable_server():
            trouble = "the store has no primary"
        return StoreHealth(
            ready=not trouble,
            waiting=self._waiting,
            last_batch=writer.last_batch,
            last_commit_ms=writer.last_commit_ms,
            commits=writer.commits,
            detail=trouble,
            reads=self._reads,
        )

    # Writing

    async def apply(self, *ops: Op, then: Completion | None = None) -> list[Doc | None]:
        future: asyncio.Future[list[Doc | None]] = asyncio.get_running_loop().create_future()
        self._put(ops, then, future, None)
        return await future

    def submit(self, *ops: Op, then: Completion, failed: Failure) -> None:
        self._put(ops, then, None, failed)

    def _put(
        self,
        ops: Sequence[Op],
        then: Completion | None,
        future: asyncio.Future[list[Doc | None]] | None,
        failed: Failure | None,
    ) -> None:
        self._check_open()
        if not ops:
            raise ValueError("nothing to apply")
        check(ops)
        # A batch larger than the bound is accepted only when nothing else waits.
        if self._waiting and self._waiting + len(ops) > self._limit:
            raise StoreBusy(f"{self._waiting} operations are waiting")
        self._waiting += len(ops)
        self._writer.put(Batch(ops, then, future, failed, self._clock.monotonic()))

    def _done(self, ops: int) -> None:
        self._waiting -= ops

    async def ensure(self, collection: Collection) -> None:
        self._check_open()
        async with self._writer.between_groups:
            with translating():
                self._layouts[collection.name] = await declarations.ensure(
                    self._database, self._layouts, collection
                )

    async def drop_index(self, coll: str, name: str) -> None:
        self._check_open()
        async with self._writer.between_groups:
            with translating():
                self._layouts[coll] = await declarations.drop_index(
                    self._database, self._layouts, coll, name
                )

    # Reading

    async def get(self, coll: str, id: str) -> Doc | None:
        layout = self._layout(coll)
        return await self._read(lambda: queries.get(self._database, layout, id))

    async def get_many(self, coll: str, ids: Sequence[str]) -> dict[str, Doc]:
        layout = self._layout(coll)
        return await self._read(lambda: queries.get_many(self._database, layout, ids))

    async def find(
        self,
        coll: str,
        index: str,
        eq: Sequence[str | int | bool] = (),
        *,
        gt: str | int | None = None,
        lt: str | int | None = None,
        reverse: bool = False,
        limit: int = 100,
    ) -> list[Doc]:
        layout = self._layout(coll)
        return await self._read(
            lambda: queries.find(self._database, layout, index, eq, gt, lt, reverse, limit)
        )

    async def find_as(
        self,
        kind: type[K],
        coll: str,
        index: str,
        eq: Sequence[str | int | bool] = (),
        *,
        limit: int = 100,
    ) -> list[K]:
        return [queries.read_as(kind, doc) for doc in await self.find(coll, index, eq, limit=limit)]

    async def count(
        self, coll: str, index: str, eq: Sequence[str | int | bool] = (), *, cap: int = 1000
    ) -> int:
        layout = self._layout(coll)
        return await self._read(lambda: queries.count(self._database, layout, index, eq, cap))

    async def heads(
        self, coll: str, streams: Sequence[str], *, numbered: bool = False
    ) -> dict[str, Doc]:
        layout = self._layout(coll)
        return await self._read(lambda: queries.heads(self._database, layout, streams, numbered))

    async def positions(self, coll: str, streams: Sequence[str]) -> dict[str, tuple[int, int]]:
        layout = self._layout(coll)
        return await self._read(lambda: queries.positions(self._database, layout, streams))

    async def tails(self, coll: str, after: Mapping[str, int], limit: int) -> dict[str, list[Doc]]:
        layout = self._layout(coll)
        return await self._read(lambda: queries.tails(self._database, layout, after, limit))

    async def missed(
        self, kind: type[L], coll: str, after: Mapping[str, int], *, most: int, room: int
    ) -> Missed[L]:
        layout = self._layout(coll)
        return await self._read(
            lambda: queries.missed(kind, self._database, layout, after, most, room)
        )

    async def search(
        self,
        coll: str,
        text: str,
        scopes: Mapping[str, int],
        *,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Doc]:
        layout = self._layout(coll)
        if not bigrams(text):
            raise ValueError(f"search needs {SHORTEST} characters")
        if not scopes:
            return []
        if layout.search is None:
            raise StorageError(f"{coll}: declared without search")
        if not layout.log and any(scopes.values()):
            raise ValueError(f"{coll} is not a log: its documents have no floor")
        if self._searching >= min(SEARCH_LIMIT, self._limit):
            raise StoreBusy("too many searches are waiting")
        self._searching += 1
        self._reads += 1
        try:
            async with self._gate:
                return await self._asked(
                    lambda: queries.search(self._database, layout, text, scopes, before, limit)
                )
        finally:
            self._searching -= 1

    async def scan(self, coll: str, after_id: str | None = None, limit: int = 500) -> list[Doc]:
        layout = self._layout(coll)
        return await self._read(lambda: queries.scan(self._database, layout, after_id, limit))

    async def snapshot(self, target: Path) -> BackupInfo:
        raise StorageError(
            "a MongoDB is backed up with MongoDB's own tools (mongodump --oplog, or snapshots of the "
            "disks); see the operations page"
        )

    async def _read(self, ask: Callable[[], Awaitable[T]]) -> T:
        if self._reading >= self._limit:
            raise StoreBusy("too many reads are waiting")
        self._reading += 1
        self._reads += 1
        try:
            return await self._asked(ask)
        finally:
            self._reading -= 1

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        with translating(), pymongo.timeout(OPERATION_S):
            return await asking_again(ask)

    def _layout(self, coll: str) -> Layout:
        self._check_open()
        return self._layouts[coll]

    def _check_open(self) -> None:
        if not self._open:
            raise StoreUnavailable("the store is closed")
