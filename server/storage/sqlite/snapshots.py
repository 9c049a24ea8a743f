"""A consistent copy of the database while work goes on.

`VACUUM INTO` reads one state and writes a compact file; the stepwise backup of SQLite starts again at
every write and may never end. The copy counts only once it is checked and on disk: until then it has
another name. Restoring puts it in the database's place, while no server has it open; what was there is
kept under another name, each time under a new one, so that a restore can be taken back, also one of a
wrong copy. As the mark (see `history`) is gone, a new epoch begins.
"""

import contextlib
import itertools
import os
from pathlib import Path

import apsw

from server.storage import BackupInfo, StorageError, StoreUnavailable
from server.storage.sqlite.connections import create_private
from server.storage.sqlite.lock import OwnerLock


def write_snapshot(database: Path, target: Path) -> BackupInfo:
    """Copy `database` to `target`; blocks. On failure what was at `target` before is still there."""
    part = target.with_name(target.name + ".part")
    try:
        if target.resolve() == database.resolve():
            raise StorageError("this is the database itself")
        if not database.exists():
            raise StorageError(f"there is no database at {database.absolute()}")
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


def restore(copy: Path, database: Path) -> Path | None:
    """Put a snapshot in the database's place; blocks. Where the database that was there lies now.

    Raises StoreUnavailable when the snapshot is unfit or a server has the database; nothing is changed.
    """
    part = database.with_name(database.name + ".part")
    replaced = _unused(database.with_name(database.name + ".replaced"))
    lock = OwnerLock(database)
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        lock.take()
        _check(copy)
        part.unlink(missing_ok=True)
        # With its log, which a database has that was replaced after its server had been killed.
        _copy(copy, part)
        _sync(part)
        there = database.exists()
        # The log goes along with its database: with another one it would be taken for that one's.
        for suffix in ("-wal", ""):
            if _beside(database, suffix).exists():
                _beside(database, suffix).replace(_beside(replaced, suffix))
        for suffix in ("-shm", ".mark"):
            _beside(database, suffix).unlink(missing_ok=True)
        part.replace(database)
        _sync(database.parent)
    except (apsw.Error, OSError, KeyError) as error:
        part.unlink(missing_ok=True)
        raise StoreUnavailable(f"{copy} cannot be restored: {error}") from error
    finally:
        lock.release()
    return replaced if there else None


def _unused(wanted: Path) -> Path:
    """A name beside it, or this one, under which there is neither a database nor the log of one."""
    names = itertools.chain([wanted], (_beside(wanted, f"-{n}") for n in itertools.count(2)))
    return next(n for n in names if not (n.exists() or _beside(n, "-wal").exists()))


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


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
        create_private(part)
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
