"""Reader threads: reads never wait for the writer, and the event loop never waits for the disk.

Each thread has a connection that can neither write nor checkpoint. A read is one call: it sees one state
of the database. Started and stopped by the store; the queue is bounded.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import apsw

from server.storage import StoreBusy, StoreUnavailable

T = TypeVar("T")
_Job = tuple[Callable[[apsw.Cursor], Any], asyncio.Future[Any]]


class Readers:
    """The threads, their connections and what waits for them."""

    def __init__(
        self,
        connect: Callable[[], apsw.Connection],
        loop: asyncio.AbstractEventLoop,
        *,
        name: str,
        threads: int,
        limit: int,
    ) -> None:
        self._loop = loop
        self._limit = limit
        self._waiting = 0
        self.reads = 0
        """How many were asked since the start."""
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(
                target=self._run, args=(connect(),), name=f"storage-{name}-{n}", daemon=True
            )
            for n in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is queued, then end; blocks until the threads have ended."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    async def read(self, call: Callable[[apsw.Cursor], T]) -> T:
        if self._waiting >= self._limit:
            raise StoreBusy("too many reads are waiting")
        self._waiting += 1
        self.reads += 1
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put((call, future))
        return await future

    def _run(self, db: apsw.Connection) -> None:
        while job := self._queue.get():
            call, future = job
            result: Any = None
            error: Exception | None = None
            try:
                if not future.cancelled():
                    result = call(db.cursor())
            except apsw.Error as cause:
                error = StoreUnavailable(f"the store cannot read: {cause}")
                error.__cause__ = cause
            except Exception as cause:
                error = cause
            try:
                self._loop.call_soon_threadsafe(self._settle, future, result, error)
            except RuntimeError:
                break  # The loop is gone, and with it whoever asked.
        db.close()

    def _settle(self, future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
        self._waiting -= 1
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
