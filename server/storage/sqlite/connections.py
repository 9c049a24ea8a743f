"""Opening connections: the one that writes and those that only read."""

import os
from pathlib import Path

import apsw

_STATEMENTS = 512
_BUSY_MS = 5_000


def create_private(path: Path) -> None:
    """Make an empty file there, unless there is one, that only the user of this process may read; SQLite
    gives its log and index the same rights."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def connect_writer(path: Path) -> apsw.Connection:
    """Write-ahead log, every commit on disk before it counts; checkpoints are left to the writer."""
    create_private(path)
    db = apsw.Connection(str(path), statementcachesize=_STATEMENTS)
    db.set_busy_timeout(_BUSY_MS)
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "wal_autocheckpoint=0",
        "journal_size_limit=67108864",
        "temp_store=MEMORY",
        "cache_size=-16384",
    ):
        list(db.execute(f"PRAGMA {pragma}"))
    return db


def connect_reader(path: Path) -> apsw.Connection:
    db = apsw.Connection(str(path), statementcachesize=_STATEMENTS)
    db.set_busy_timeout(_BUSY_MS)
    for pragma in ("query_only=1", "wal_autocheckpoint=0", "cache_size=-32768"):
        list(db.execute(f"PRAGMA {pragma}"))
    return db
