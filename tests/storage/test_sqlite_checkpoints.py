"""The log is taken into the database beside the writer, and does not grow for ever."""

from pathlib import Path

import apsw
import pytest

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
