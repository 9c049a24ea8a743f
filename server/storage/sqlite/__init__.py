"""SQLite: the embedded adapter, for one process on one machine.

One thread writes and commits many batches at a time (`writer`), two threads read, and one searches, so
that no read waits behind searches (`readers`). This class belongs to the event loop that opened it,
bounds what waits, and completes batches there in the order of their commits. Files beside the database:
`.lock` (who owns it), `.mark` (how far it had come), and SQLite's own `-wal` and `-shm`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import apsw

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
    StoreBusy,
    StoreHealth,
    StoreUnavailable,
)
from server.storage.bigrams import SHORTEST, bigrams
from server.storage.sqlite import declarations, queries, snapshots, tables, texts
from server.storage.sqlite.checkpoints import Checkpoints
from server.storage.sqlite.connections import connect_reader, connect_writer
from server.storage.sqlite.history import History
from server.storage.sqlite.lock import OwnerLock
from server.storage.sqlite.operations import Operations
from server.storage.sqlite.readers import Readers
from server.storage.sqlite.tables import Table, Tables
from server.storage.sqlite.writer import Batch, Change, Writer

logger = logging.getLogger(__name__)

QUEUE_LIMIT: Final = 10_000
"""Operations waiting at most; at 10,000 appends a second that is one second."""

SEARCH_LIMIT: Final = 100
"""Searches waiting at most; one through thousands of scopes may take a tenth of a second."""

K = TypeVar("K")
T = TypeVar("T")

GATHER_S: Final = 0.004
"""While a group is being committed, the next is handed over this long after it at the earliest."""


class SqliteStore:
    """The storage port on one SQLite file; see `server.storage` for what it promises."""

    def __init__(self, path: Path, *, queue_limit: int = QUEUE_LIMIT, clock: Clock) -> None:
        self._path = path
        self._limit = queue_limit
        self._clock = clock
        self._lock = OwnerLock(path)
        self._history = History(path)
        self._tables = Tables()
        self._waiting = 0
        self._handing: list[Batch | Change] = []
        self._handed_at = 0.0
        self._committing = 0
        self._open = False
        self._snapshots = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop
        self._db: apsw.Connection
        self._writer: Writer
        self._readers: Readers
        self._searcher: Readers

    @property
    def epoch(self) -> str:
        return self._history.epoch

    # Life

    async def open(self) -> None:
        """Claim the file (StoreUnavailable when another process has it) and start the threads."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._start)
        self._open = True

    def _start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.take()
        try:
            self._db = connect_writer(self._path)
            self._history.open(self._db)
            self._tables = tables.load(self._db)
            operations = Operations(self._db, self._tables)
            checkpoints = Checkpoints(self._db, lambda: connect_reader(self._path))
            self._writer = Writer(
                self._db, self._history, operations, checkpoints, self._clock, self._tell
            )
            self._readers = self._reading("reader", 2, self._limit)
            self._searcher = self._reading("search", 1, min(SEARCH_LIMIT, self._limit))
            self._writer.start()
        except BaseException as error:
            self._release()
            if isinstance(error, apsw.Error | OSError):
                raise StoreUnavailable(f"{self._path} cannot be opened: {error}") from error
            raise
        self._readers.start()
        self._searcher.start()

    def _reading(self, name: str, threads: int, limit: int) -> Readers:
        return Readers(
            lambda: connect_reader(self._path), self._loop, name=name, threads=threads, limit=limit
        )

    async def close(self) -> None:
        if not self._open:
            return
        self._open = False
        async with self._snapshots:
            self._hand_over()
            await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._writer.stop()
        self._readers.stop()
        self._searcher.stop()
        self._release()

    def _release(self) -> None:
        if hasattr(self, "_db"):
            # The last connection to close takes the log into the database and removes it.
            self._db.close()
        self._history.close()
        self._lock.release()

    def health(self) -> StoreHealth:
        if not self._open:
            return StoreHealth(False, self._waiting, 0, 0.0, 0, "closed")
        writer = self._writer
        return StoreHealth(
            ready=not writer.trouble,
            waiting=self._waiting,
            last_batch=writer.last_batch,
            last_commit_ms=writer.last_commit_ms,
            commits=writer.commits,
            detail=writer.trouble,
            reads=self._readers.reads + self._searcher.reads,
        )

    # Writing

    async def apply(self, *ops: Op, then: Completion | None = None) -> list[Doc | None]:
        future: asyncio.Future[list[Doc | None]] = self._loop.create_future()
        self._put(Batch(ops, then, future, None))
        return await future

    def submit(self, *ops: Op, then: Completion, failed: Failure) -> None:
        self._put(Batch(ops, then, None, failed))

    def _put(self, batch: Batch) -> None:
        self._check_open()
        count = len(batch.ops)
        if not count:
            raise ValueError("nothing to apply")
        # A batch larger than the bound is accepted only when nothing else waits.
        if self._waiting and self._waiting + count > self._limit:
            raise StoreBusy(f"{self._waiting} operations are waiting")
        self._waiting += count
        self._hand(batch)

    def _hand(self, item: Batch | Change) -> None:
        """Give it to the writer at the end of this tick of the loop, with whatever else it brings: what
        arrived together is committed together, and the thread is woken once. While the writer is busy,
        what comes is gathered for a moment, since a commit costs the same for one as for many."""
        if not self._handing:
            if self._committing:
                self._loop.call_at(self._handed_at + GATHER_S, self._hand_over)
            else:
                self._loop.call_soon(self._hand_over)
        self._handing.append(item)

    def _hand_over(self) -> None:
        if self._handing:
            items, self._handing = self._handing, []
            self._committing += len(items)
            self._handed_at = self._loop.time()
            self._writer.put(items)

    def _tell(self, settled: Sequence[Batch | Change]) -> None:
        """On the writer's thread: hand over to the loop."""
        try:
            self._loop.call_soon_threadsafe(self._complete, settled)
        except RuntimeError:
            logger.warning("the event loop closed before its store")

    def _complete(self, settled: Sequence[Batch | Change]) -> None:
        self._committing -= len(settled)
        for item in settled:
            if isinstance(item, Batch):
                self._waiting -= len(item.ops)
                self._finish(item)
            elif not item.future.done():
                _settle(item.future, None, item.error)

    def _finish(self, batch: Batch) -> None:
        try:
            if batch.error is None:
                if batch.then is not None:
                    batch.then(batch.results)
            elif batch.failed is not None:
                batch.failed(batch.error)
        except Exception:
            logger.exception("a completion failed after its commit")
        if batch.future is not None and not batch.future.done():
            _settle(batch.future, batch.results, batch.error)

    async def ensure(self, collection: Collection) -> None:
        await self._change(lambda: declarations.ensure(self._db, self._tables, collection))

    async def drop_index(self, coll: str, name: str) -> None:
        await self._change(lambda: declarations.drop_index(self._db, self._tables, coll, name))

    async def _change(self, make: Callable[[], Table]) -> None:
        self._check_open()
        future: asyncio.Future[None] = self._loop.create_future()
        self._hand(Change(make, future))
        await future

    # Reading

    async def get(self, coll: str, id: str) -> Doc | None:
        table = self._table(coll)
        return await self._readers.read(lambda cursor: queries.get(cursor, table, id))

    async def get_many(self, coll: str, ids: Sequence[str]) -> dict[str, Doc]:
        table = self._table(coll)
        return await self._readers.read(lambda cursor: queries.get_many(cursor, table, ids))

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
        table = self._table(coll)
        return await self._readers.read(
            lambda cursor: queries.find(cursor, table, index, eq, gt, lt, reverse, limit)
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
        table = self._table(coll)
        return await self._readers.read(
            lambda cursor: queries.find_as(kind, cursor, table, index, eq, limit)
        )

    async def count(
        self, coll: str, index: str, eq: Sequence[str | int | bool] = (), *, cap: int = 1000
    ) -> int:
        table = self._table(coll)
        return await self._readers.read(lambda cursor: queries.count(cursor, table, index, eq, cap))

    async def heads(
        self, coll: str, streams: Sequence[str], *, numbered: bool = False
    ) -> dict[str, Doc]:
        table = self._table(coll)
        return await self._readers.read(
            lambda cursor: queries.heads(cursor, table, streams, numbered)
        )

    async def positions(self, coll: str, streams: Sequence[str]) -> dict[str, tuple[int, int]]:
        table = self._table(coll)
        return await self._readers.read(lambda cursor: queries.positions(cursor, table, streams))

    async def tails(self, coll: str, after: Mapping[str, int], limit: int) -> dict[str, list[Doc]]:
        table = self._table(coll)
        return await self._readers.read(lambda cursor: queries.tails(cursor, table, after, limit))

    async def missed(
        self, kind: type[L], coll: str, after: Mapping[str, int], *, most: int, room: int
    ) -> Missed[L]:
        table = self._table(coll)
        return await self._readers.read(
            lambda cursor: queries.missed(kind, cursor, table, after, most, room)
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
        table = self._table(coll)
        if not bigrams(text):
            raise ValueError(f"search needs {SHORTEST} characters")
        if not scopes:
            return []
        return await self._searcher.read(
            lambda cursor: texts.find_text(cursor, table, text, scopes, before, limit)
        )

    async def scan(self, coll: str, after_id: str | None = None, limit: int = 500) -> list[Doc]:
        table = self._table(coll)
        return await self._readers.read(lambda cursor: queries.scan(cursor, table, after_id, limit))

    async def snapshot(self, target: Path) -> BackupInfo:
        async with self._snapshots:
            self._check_open()
            return await asyncio.to_thread(snapshots.write_snapshot, self._path, target)

    def _table(self, coll: str) -> Table:
        self._check_open()
        return self._tables[coll]

    def _check_open(self) -> None:
        if not self._open:
            raise StoreUnavailable("the store is closed")


def _settle(future: asyncio.Future[T], result: T, error: Exception | None) -> None:
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
