"""One process owns a database file.

SQLite would let several processes write, but positions, epochs and the order of completion rest on
there being one writer. The claim is an flock on a file beside the database: the kernel drops it with
the process, however that ends. The file stays; only the lock on it means anything.
"""

import fcntl
import os
from pathlib import Path

from server.storage import StoreUnavailable


class OwnerLock:
    """The claim of this store on its file."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".lock")
        self._file = -1

    def take(self) -> None:
        """Claim the file; StoreUnavailable says who has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreUnavailable(
                f"{self._database} is in use by process {owner}; "
                "one process at a time may own a database file"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._file = descriptor

    def release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
