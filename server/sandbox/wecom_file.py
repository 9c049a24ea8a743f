"""What the WeCom stand-in remembers over a restart: small SQLite files, written in whole commits."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_file(path: Path, tables: str) -> sqlite3.Connection:
    """The file with these tables, made if it is not there yet; whoever opens it closes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("pragma journal_mode = wal")
    # A killed process loses nothing at this level; only a power cut could.
    db.execute("pragma synchronous = normal")
    db.executescript(tables)
    return db


@contextmanager
def committed(db: sqlite3.Connection) -> Iterator[None]:
    """All that is done within is kept together, or nothing of it."""
    db.execute("begin immediate")
    try:
        yield
    except BaseException:
        db.execute("rollback")
        raise
    db.execute("commit")
