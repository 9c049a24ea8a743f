"""The log is taken into the database beside the writer, and does not grow for ever."""

import threading
from pathlib import Path
from typing import Any

import apsw
import pytest

from server.clock import SystemClock
from server.storage import StoreUnavailable
from server.storage.sqlite import SqliteStore
from server.storage.sqlite.checkpoints import LONG_PAGES, Checkpoints
from server.storage.sqlite.connections import connect_reader, connect_writer

ROW = b"x" * 40_000


@pytest.fixture
def db(tmp_path: Path) -> apsw.Connection:
    db = connect_writer(tmp_path / "log.db")
    list(db.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB)"))
    return db


def written(db: apsw.Connection, checkpoints: Checkpoints, rows: int) -> int:
    """Write row after row without a pause; how long the log became, in pages."""
    longest = 0
    for _ in range(rows):
        list(db.execute("INSERT INTO rows(body) VALUES (?)", (ROW,)))
        checkpoints.look()
        longest = max(longest, Path(f"{db.filename}-wal").stat().st_size // 4096)
    return longest


def test_the_log_begins_anew_under_steady_writing(tmp_path: Path, db: apsw.Connection) -> None:
    checkpoints = Checkpoints(db, lambda: connect_reader(Path(db.filename)))
    checkpoints.start()

    longest = written(db, checkpoints, 2_500)
    checkpoints.stop()

    assert longest < 2 * LONG_PAGES
    [(rows,)] = connect_reader(Path(db.filename)).execute("SELECT count(*) FROM rows")
    assert rows == 2_500


def test_a_reader_that_stays_holds_up_nobody(tmp_path: Path, db: apsw.Connection) -> None:
    checkpoints = Checkpoints(db, lambda: connect_reader(Path(db.filename)))
    checkpoints.start()
    reader = connect_reader(Path(db.filename))
    list(reader.execute("BEGIN"))
    [(before,)] = reader.execute("SELECT count(*) FROM rows")

    written(db, checkpoints, 300)
    [(during,)] = reader.execute("SELECT count(*) FROM rows")
    list(reader.execute("COMMIT"))
    [(after,)] = reader.execute("SELECT count(*) FROM rows")
    checkpoints.stop()

    assert (before, during, after) == (0, 0, 300)


class Stumbling:
    """A connection whose first copies fail in a way that is none of SQLite's."""

    def __init__(self, db: apsw.Connection, times: int) -> None:
        self._db, self.left = db, times

    def wal_checkpoint(self, **how: Any) -> tuple[int, int]:
        self.left -= 1
        if self.left >= 0:
            raise MemoryError("not now")
        return self._db.wal_checkpoint(**how)

    def close(self) -> None:
        self._db.close()


def test_a_copy_that_fails_in_any_way_is_followed_by_the_next(
    tmp_path: Path, db: apsw.Connection
) -> None:
    copying: Any = Stumbling(connect_reader(Path(db.filename)), times=3)
    checkpoints = Checkpoints(db, lambda: copying)
    checkpoints.start()

    written(db, checkpoints, 2_500)
    checkpoints.stop()

    assert copying.left < 0


async def test_a_store_that_gets_no_second_connection_does_not_open_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_left(path: Path) -> apsw.Connection:
        raise apsw.CantOpenError("too many open files")

    store = SqliteStore(tmp_path / "full.db", clock=SystemClock())
    with monkeypatch.context() as patched:
        patched.setattr("server.storage.sqlite.connect_reader", nothing_left)
        with pytest.raises(StoreUnavailable):
            await store.open()

    assert not [each.name for each in threading.enumerate() if each.name.startswith("storage-")]
    again = SqliteStore(tmp_path / "full.db", clock=SystemClock())
    await again.open()
    await again.close()
