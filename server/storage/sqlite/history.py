"""Which history this database belongs to: its epoch, and how far it has come.

Every commit counts up a number inside the database; the number is also kept in a small file beside it
(the mark), written after each commit and not synced, so it can lag but never lead. A database that is
behind its mark, or that comes without the mark of its own epoch, was put there from elsewhere, usually
a restored backup: positions handed out before may now mean something else, so a new epoch begins.
"""

import os
import secrets
from pathlib import Path
from typing import Final

import apsw

from server.storage import StorageError

_FORMAT: Final = 1
_MARK_BYTES: Final = 64


class History:
    """Epoch and commit number of an opened database. Used by the writer's thread only, but for `epoch`."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".mark")
        self._file = -1
        self.epoch = ""
        self.number = 0

    def open(self, db: apsw.Connection) -> None:
        """Read or begin the history; call inside no transaction."""
        list(
            db.execute(
                "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
                f"INSERT OR IGNORE INTO meta VALUES ('format', {_FORMAT}), ('commit_number', 0)"
            )
        )
        kept = dict(db.execute("SELECT name, value FROM meta"))
        if kept["format"] != _FORMAT:
            raise StorageError(
                f"database has format {kept['format']}, this version reads {_FORMAT}"
            )
        self.number = int(kept["commit_number"])
        self.epoch = str(kept.get("epoch", ""))
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        marked_epoch, marked_number = self._read_mark()
        if not self.epoch or marked_epoch != self.epoch or marked_number > self.number:
            self.epoch = secrets.token_hex(8)
            db.execute("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)", (self.epoch,))
        self.mark()
        os.fsync(self._file)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def mark(self) -> None:
        """Note the commit number beside the database; after the commit, before it is told to anybody."""
        line = f"{self.epoch} {self.number}\n".encode().ljust(_MARK_BYTES)
        os.pwrite(self._file, line, 0)

    def _read_mark(self) -> tuple[str, int]:
        words = os.pread(self._file, _MARK_BYTES, 0).split()
        try:
            return words[0].decode("ascii"), int(words[1])
        except (IndexError, ValueError):
            return "", 0
