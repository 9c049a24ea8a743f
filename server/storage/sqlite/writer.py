"""The writer: one thread, one connection, many batches to a commit.

Batches wait in a queue; the thread takes what is there (up to a bound), runs them, commits once, and tells
the event loop once. The slower the disk, the larger the groups. A batch that fails leaves its neighbours
alone: mostly it fails before it has written anything; otherwise the group is begun again with each batch
inside a savepoint, which costs a batch a copy of each page it touches. The thread also changes what
collections declare (`Change`), and looks after the checkpoints (`checkpoints`).

It is started and stopped by the store, which also bounds the queue. What always holds: nothing is told
before it is committed, and groups are told in the order of their commits. When the disk refuses, the
whole group is told so, and the thread keeps trying by itself until a commit succeeds.
"""

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import apsw

from server.clock import Clock
from server.storage import Completion, Doc, Failure, Op, StorageError, StoreUnavailable
from server.storage.sqlite.checkpoints import Checkpoints
from server.storage.sqlite.history import History
from server.storage.sqlite.operations import Operations
from server.storage.sqlite.tables import Table

logger = logging.getLogger(__name__)

_GROUP: Final = 512
_RETRY_S: Final = 1.0
_DISK_TROUBLE: Final = (
    apsw.FullError,
    apsw.IOError,
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.CorruptError,
    apsw.NoMemError,
    apsw.NotADBError,
)


class Batch:
    """Operations that stand or fall together, and who is told or waits for them."""

    __slots__ = ("error", "failed", "future", "ops", "results", "then")

    def __init__(
        self,
        ops: Sequence[Op],
        then: Completion | None,
        future: asyncio.Future[list[Doc | None]] | None,
        failed: Failure | None,
    ) -> None:
        self.ops = ops
        self.then = then
        self.future = future
        self.failed = failed
        self.results: list[Doc | None] = []
        self.error: Exception | None = None


class Change:
    """A change of what a collection declares, done between two groups."""

    __slots__ = ("error", "future", "make")

    def __init__(self, make: Callable[[], Table], future: asyncio.Future[None]) -> None:
        self.make = make
        self.future = future
        self.error: Exception | None = None


Told = Callable[[Sequence[Batch | Change]], None]


class Writer:
    """The thread and what it knows. `tell` is called on the thread with what has been settled."""

    def __init__(
        self,
        db: apsw.Connection,
        history: History,
        operations: Operations,
        checkpoints: Checkpoints,
        clock: Clock,
        tell: Told,
    ) -> None:
        self._db = db
        self._history = history
        self._operations = operations
        self._checkpoints = checkpoints
        self._clock = clock
        self._tell = tell
        # One cursor for all, so that no half-read statement outlives the next one.
        self._execute = operations.execute
        self._queue: queue.SimpleQueue[Sequence[Batch | Change | None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="storage-writer", daemon=True)
        self.trouble = ""
        self.last_batch = 0
        self.last_commit_ms = 0.0
        self.commits = 0

    def start(self) -> None:
        """Begin. Raises when there is no further connection to be had; then nothing has begun."""
        self._checkpoints.start()
        self._thread.start()

    def put(self, items: Sequence[Batch | Change]) -> None:
        """Do these next, in their order."""
        self._queue.put(items)

    def stop(self) -> None:
        """Finish what is queued, then end; blocks until the thread has ended."""
        self._queue.put((None,))
        self._thread.join()
        self._checkpoints.stop()

    def _run(self) -> None:
        waiting: deque[Batch | Change | None] = deque()
        while True:
            self._take(waiting)
            if not waiting:
                self._commit([])
                continue
            item = waiting.popleft()
            if item is None:
                return
            if isinstance(item, Change):
                self._change(item)
                self._tell([item])
            else:
                group = _group(item, waiting)
                self._commit(group)
                self._tell(group)
            self._checkpoints.look()

    def _take(self, waiting: deque[Batch | Change | None]) -> None:
        """Take all there is; wait for it when nothing is left to do, but not for long while in trouble."""
        try:
            if not waiting:
                waiting.extend(self._queue.get(timeout=_RETRY_S if self.trouble else None))
            while True:
                waiting.extend(self._queue.get_nowait())
        except queue.Empty:
            return

    # Groups

    def _commit(self, group: list[Batch]) -> None:
        started = self._clock.monotonic()
        try:
            self._execute("BEGIN IMMEDIATE")
            if not all(self._do(batch) for batch in group):
                self._begin_again(group)
                for batch in group:
                    self._do_guarded(batch)
            self._end_transaction()
        except Exception as error:
            self._fail(group, error)
            return
        self._mark()
        self.trouble = ""
        self.commits += 1
        self.last_batch = len(group)
        self.last_commit_ms = (self._clock.monotonic() - started) * 1000

    def _do(self, batch: Batch) -> bool:
        """Run a batch; False when it failed half done."""
        operations = self._operations
        before = operations.writes
        try:
            batch.results = operations.run(batch.ops)
        except _DISK_TROUBLE:
            raise
        except Exception as error:
            if not self._db.in_transaction:
                raise
            if operations.writes != before:
                return False
            self._note(batch, error)
        return True

    def _begin_again(self, group: list[Batch]) -> None:
        self._execute("ROLLBACK")
        self._operations.texts.forget()
        for batch in group:
            self._operations.undone(batch.ops)
            batch.error = None
        self._execute("BEGIN IMMEDIATE")

    def _do_guarded(self, batch: Batch) -> None:
        operations = self._operations
        owed = len(operations.texts)
        self._execute("SAVEPOINT batch")
        try:
            batch.results = operations.run(batch.ops)
        except _DISK_TROUBLE:
            raise
        except Exception as error:
            if not self._db.in_transaction:
                raise
            self._execute("ROLLBACK TO batch")
            operations.texts.forget(owed)
            operations.undone(batch.ops)
            self._note(batch, error)
        self._execute("RELEASE batch")

    def _note(self, batch: Batch, error: Exception) -> None:
        batch.error = error
        if isinstance(error, StorageError):
            batch.error = self._operations.repeated(batch.ops) or error

    def _end_transaction(self) -> None:
        self._operations.texts.write(self._execute)
        number = self._history.number + 1
        self._execute("UPDATE meta SET value=? WHERE name='commit_number'", (number,))
        self._execute("COMMIT")
        self._history.number = number

    def _fail(self, group: list[Batch], error: Exception) -> None:
        """Nothing of the group was kept."""
        self._roll_back()
        if not self.trouble:
            logger.error("storage cannot write", exc_info=error)
        self.trouble = str(error)
        for batch in group:
            batch.results = []
            batch.error = StoreUnavailable(f"the store cannot write: {error}")
            batch.error.__cause__ = error

    def _roll_back(self) -> None:
        self._operations.all_undone()
        try:
            if self._db.in_transaction:
                self._execute("ROLLBACK")
        except apsw.Error as error:
            logger.error("storage cannot roll back", exc_info=error)

    def _mark(self) -> None:
        try:
            self._history.mark()
        except OSError as error:
            # The commit stands; only a restored copy might go unnoticed until the next mark.
            logger.warning("storage cannot note its commit number: %s", error)

    # Between groups

    def _change(self, change: Change) -> None:
        try:
            self._execute("BEGIN IMMEDIATE")
            table = change.make()
            self._end_transaction()
        except Exception as error:
            self._roll_back()
            change.error = error
            if isinstance(error, apsw.Error):
                change.error = StoreUnavailable(f"the store cannot write: {error}")
                change.error.__cause__ = error
            return
        # Before the next group: its rows must fill the new columns.
        self._operations.tables[table.name] = table
        self._mark()


def _group(first: Batch, waiting: deque[Batch | Change | None]) -> list[Batch]:
    """The first batch, and those that follow it without a change between them."""
    group = [first]
    while waiting and len(group) < _GROUP:
        following = waiting[0]
        if not isinstance(following, Batch):
            break
        group.append(following)
        waiting.popleft()
    return group
