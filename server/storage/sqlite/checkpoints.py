"""Checkpoints: taking the log into the database while the writer goes on, so that no ack waits for it.

A thread with a connection that cannot write copies what has come, whenever it is enough. That alone never
lets the log begin anew under steady writing, since something was always added meanwhile: once the log is
long, the writer takes in that little by itself, between two groups, right after the thread has done the
rest. Two connections checkpoint, never both at once; SQLite before 3.51.3 could lose a commit that way.

Started and stopped by the writer; everything but the copying happens on the writer's thread.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

import apsw

logger = logging.getLogger(__name__)

ENOUGH_PAGES: Final = 1_000
"""The more at once, the longer the disk keeps a commit waiting; the fewer, the oftener a page is copied."""
LONG_PAGES: Final = 8_000
_SAFE_SQLITE: Final = 3_051_003


class Checkpoints:
    """The thread and how far it has come. `db` is the writer's connection."""

    def __init__(self, db: apsw.Connection, connect: Callable[[], apsw.Connection]) -> None:
        if apsw.SQLITE_VERSION_NUMBER < _SAFE_SQLITE:
            raise RuntimeError("SQLite 3.51.3 or newer is needed")
        self._db = db
        self._connect = connect
        self._pages = 0
        self._taken_in = 0
        self._tried_at = 0
        """How long the log was when the thread last began: a reader may keep it from taking all in."""
        self._is_wanted = threading.Event()
        self._is_copying = False
        self._has_copied = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="storage-checkpoints", daemon=True)
        db.set_wal_hook(self._note)

    def start(self) -> None:
        """Open the thread's own connection and begin. Raises what opening raises; then nothing has begun."""
        self._copying = self._connect()
        self._thread.start()

    def stop(self) -> None:
        """End; blocks until a copy under way has ended."""
        self._stopping = True
        self._is_wanted.set()
        self._thread.join()

    def _note(self, db: apsw.Connection, name: str, pages: int) -> int:
        if pages < self._pages:
            self._taken_in = self._tried_at = 0  # The log has begun anew.
        self._pages = pages
        return apsw.SQLITE_OK

    def look(self) -> None:
        """Have done what is due; between two groups."""
        if self._is_copying:
            return
        if self._has_copied:
            self._has_copied = False
            if self._pages >= LONG_PAGES:
                self._take_in(self._db)
        elif self._pages - max(self._taken_in, self._tried_at) >= ENOUGH_PAGES:
            self._tried_at = self._pages
            self._is_copying = True
            self._is_wanted.set()

    def _run(self) -> None:
        while True:
            self._is_wanted.wait()
            self._is_wanted.clear()
            if self._stopping:
                break
            self._take_in(self._copying)
            self._has_copied, self._is_copying = True, False
        self._copying.close()

    def _take_in(self, db: apsw.Connection) -> None:
        # Passive: never waits for a reader, nor for the writer.
        try:
            _, self._taken_in = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except Exception as error:
            # Whatever it is, the log goes on growing unless the next one is tried.
            logger.warning("storage cannot checkpoint: %s", error)
