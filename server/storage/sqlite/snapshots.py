"""A consistent copy of the database while work goes on.

`VACUUM INTO` reads one state and writes a compact file; the stepwise backup of SQLite starts again at
every write and may never end. The copy counts only once it is checked and on disk: until then it has
another name. To restore, stop the server, remove the database with its `-wal` and `-shm`, and put the
copy in its place; the mark beside it (see `history`) then begins a new epoch.
"""

import contextlib
import os
from pathlib import Path

import apsw

from server.storage import BackupInfo, StorageError, StoreUnavailable


def write_snapshot(database: Path, target: Path) -> BackupInfo:
    """Copy `database` to `target`; blocks. On failure what was at `target` before is still there."""
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        _copy(database, part)
        number, epoch = _check(part)
        _sync(part)
        size = part.stat().st_size
        part.replace(target)
        _sync(target.parent)
    except (apsw.Error, OSError, StorageError) as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise StoreUnavailable(f"no snapshot to {target}: {error}") from error
    return BackupInfo(target, size, number, epoch)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(database: Path, part: Path) -> None:
    source = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        source.set_busy_timeout(5_000)
        source.execute("VACUUM INTO ?", (str(part),))
    finally:
        source.close()


def _check(part: Path) -> tuple[int, str]:
    copy = apsw.Connection(str(part), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        found = [text for (text,) in copy.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise StorageError(f"the snapshot is damaged: {found[:3]}")
        kept = dict(copy.execute("SELECT name, value FROM meta"))
    finally:
        copy.close()
    return int(kept["commit_number"]), str(kept["epoch"])
