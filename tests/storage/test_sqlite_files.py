"""The files of the SQLite adapter: one owner, an epoch, snapshots, and a disk that refuses."""

import asyncio
import os
import resource
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import apsw
import pytest

from server.clock import SystemClock
from server.storage import Append, Collection, Insert, Search, StorageError, StoreUnavailable
from server.storage.sqlite import SqliteStore, writer
from server.storage.sqlite.snapshots import restore, write_snapshot

TALK = Collection("talk", search=Search("text", "stream"), log=True)
ROOT = Path(__file__).parents[2]

Open = Callable[[], Awaitable[SqliteStore]]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "hospital.db"


@pytest.fixture
async def open_here(database: Path) -> AsyncIterator[Open]:
    opened: list[SqliteStore] = []

    async def open_store() -> SqliteStore:
        store = SqliteStore(database, clock=SystemClock())
        await store.open()
        opened.append(store)
        await store.ensure(TALK)
        return store

    yield open_store
    for store in opened:
        await store.close()


async def append(store: SqliteStore, *ids: str) -> None:
    for id in ids:
        await store.apply(Append("talk", "a", {"_id": id, "text": "会议"}, numbered=True))


async def ids(store: SqliteStore) -> list[str]:
    return [doc["_id"] for doc in (await store.tails("talk", {"a": 0}, 100_000))["a"]]


async def test_only_the_servers_own_user_may_read_the_files_and_their_copies(
    open_here: Open, database: Path, tmp_path: Path
) -> None:
    before = os.umask(0o022)
    try:
        store = await open_here()
        await append(store, "1")
        await store.snapshot(tmp_path / "elsewhere" / "copy.db")
    finally:
        os.umask(before)
    files = [*tmp_path.glob("hospital.db*"), tmp_path / "elsewhere" / "copy.db"]
    assert {file.name for file in files} >= {"hospital.db", "hospital.db-wal", "copy.db"}
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


# One owner


async def test_a_second_owner_is_refused_with_the_file_and_the_process(
    open_here: Open, database: Path
) -> None:
    store = await open_here()

    with pytest.raises(StoreUnavailable) as caught:
        await SqliteStore(database, clock=SystemClock()).open()

    assert str(database) in str(caught.value)
    assert f"process {os.getpid()}" in str(caught.value)
    await append(store, "m1")


async def test_another_process_is_refused(open_here: Open, database: Path) -> None:
    await open_here()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests/storage/dying_writer.py"),
        "1",
        str(database),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    acks, complaint = await process.communicate()

    assert acks == b""
    assert f"in use by process {os.getpid()}" in complaint.decode()


async def test_a_closed_database_may_be_owned_again(open_here: Open, database: Path) -> None:
    first = await open_here()
    await append(first, "m1")
    await first.close()

    second = await open_here()

    assert await ids(second) == ["m1"]
    assert not (database.parent / "copy.db").exists()


async def test_a_file_that_is_no_database_is_unavailable_and_left_as_it_is(database: Path) -> None:
    database.write_text("this is a letter, not a database " * 100)

    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await SqliteStore(database, clock=SystemClock()).open()

    assert database.read_text().startswith("this is a letter")


async def test_a_database_of_a_later_format_is_refused(open_here: Open, database: Path) -> None:
    await (await open_here()).close()
    db = apsw.Connection(str(database))
    db.execute("UPDATE meta SET value = 99 WHERE name = 'format'")
    db.close()

    with pytest.raises(StorageError, match="format 99"):
        await SqliteStore(database, clock=SystemClock()).open()


async def test_the_database_is_a_synced_write_ahead_log(open_here: Open, database: Path) -> None:
    store = await open_here()
    await append(store, "m1")

    assert (database.parent / "hospital.db-wal").stat().st_size > 0
    # SQLite: 2 is FULL, which syncs the log at every commit.
    assert list(store._db.execute("PRAGMA synchronous")) == [(2,)]


# Epoch


async def test_the_epoch_stays_while_history_goes_on(open_here: Open) -> None:
    store = await open_here()
    epoch = store.epoch
    for number in range(3):
        await append(store, f"m{number}")
        await store.close()
        store = await open_here()

    assert store.epoch == epoch != ""


async def test_a_restored_older_copy_begins_a_new_epoch(
    open_here: Open, database: Path, tmp_path: Path
) -> None:
    store = await open_here()
    await append(store, "m1")
    backup = await store.snapshot(tmp_path / "backup.db")
    await append(store, "m2")
    epoch = store.epoch
    await store.close()

    shutil.copy(backup.path, database)
    restored = await open_here()
    await append(restored, "m3")

    assert backup.epoch == epoch
    assert restored.epoch != epoch
    assert await ids(restored) == ["m1", "m3"]
    again = restored.epoch
    await restored.close()
    assert (await open_here()).epoch == again


async def test_a_copy_of_this_very_state_keeps_the_epoch(
    open_here: Open, database: Path, tmp_path: Path
) -> None:
    store = await open_here()
    await append(store, "m1")
    backup = await store.snapshot(tmp_path / "backup.db")
    await store.close()

    shutil.copy(backup.path, database)

    assert (await open_here()).epoch == backup.epoch


async def test_a_copy_from_before_an_earlier_restore_begins_a_new_epoch(
    open_here: Open, database: Path, tmp_path: Path
) -> None:
    store = await open_here()
    early = await store.snapshot(tmp_path / "early.db")
    await append(store, "m1", "m2", "m3", "m4", "m5")
    late = await store.snapshot(tmp_path / "late.db")
    await store.close()
    shutil.copy(early.path, database)
    await (await open_here()).close()

    shutil.copy(late.path, database)
    restored = await open_here()

    assert restored.epoch not in (early.epoch, late.epoch)


@pytest.mark.parametrize("mark", [None, b"", b"torn"])
async def test_a_database_without_its_mark_begins_a_new_epoch(
    open_here: Open, database: Path, mark: bytes | None
) -> None:
    store = await open_here()
    await append(store, "m1")
    epoch = store.epoch
    await store.close()
    marked = database.with_name("hospital.db.mark")
    marked.unlink()
    if mark is not None:
        marked.write_bytes(mark)

    assert (await open_here()).epoch != epoch


# Snapshots


async def test_a_snapshot_under_load_is_a_consistent_state(open_here: Open, tmp_path: Path) -> None:
    store = await open_here()
    await store.ensure(Collection("notes"))
    stop = False

    async def write(name: int) -> None:
        number = 0
        while not stop:
            id = f"{name}.{number}"
            await store.apply(
                Append("talk", "a", {"_id": id, "text": "会议"}, numbered=True),
                Insert("notes", {"_id": id}),
            )
            number += 1

    writers = [asyncio.create_task(write(name)) for name in range(20)]
    await append(store, *(f"m{number}" for number in range(20)))

    backups = [await store.snapshot(tmp_path / f"backup{n}.db") for n in range(3)]

    stop = True
    await asyncio.gather(*writers)
    commits = [backup.commit_number for backup in backups]
    assert commits == sorted(commits)
    copy = SqliteStore(backups[-1].path, clock=SystemClock())
    await copy.open()
    entries = (await copy.tails("talk", {"a": 0}, 100_000))["a"]
    notes = await copy.scan("notes", limit=100_000)
    hits = await copy.search("talk", "会议", {"a": 0}, limit=100_000)
    await copy.close()
    assert [entry["position"] for entry in entries] == list(range(1, len(entries) + 1))
    assert len(entries) == len(notes) + 20 == len(hits)
    assert backups[-1].bytes > 0


async def test_a_snapshot_replaces_a_former_one_and_leaves_no_pieces(
    open_here: Open, tmp_path: Path
) -> None:
    store = await open_here()
    target = tmp_path / "backups" / "daily.db"
    first = await store.snapshot(target)
    (tmp_path / "backups" / "daily.db.part").write_text("left by a crash")
    await append(store, "m1")

    second = await store.snapshot(target)

    assert second.commit_number > first.commit_number
    assert [path.name for path in target.parent.iterdir()] == ["daily.db"]


async def test_a_restore_is_taken_back_with_all_that_a_killed_server_had_acked(
    open_here: Open, database: Path, tmp_path: Path
) -> None:
    store = await open_here()
    await append(store, "m1")
    backup = await store.snapshot(tmp_path / "backup.db")
    await append(store, "m2", "m3")
    killed = tmp_path / "killed" / database.name
    killed.parent.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{database}{suffix}", f"{killed}{suffix}")

    replaced = restore(backup.path, killed)
    assert replaced is not None
    second = restore(replaced, killed)

    back = SqliteStore(killed, clock=SystemClock())
    await back.open()
    assert await ids(back) == ["m1", "m2", "m3"]
    await back.close()
    assert second not in (None, replaced)


async def test_what_was_there_is_kept_however_often_one_restores(
    open_here: Open, database: Path, tmp_path: Path
) -> None:
    store = await open_here()
    backup = await store.snapshot(tmp_path / "backup.db")
    await append(store, "m1")
    await store.close()
    newest = database.read_bytes()

    kept = [restore(backup.path, database) for _ in range(3)]

    assert len(set(kept)) == 3
    assert kept[0] is not None
    assert kept[0].read_bytes() == newest


async def test_a_snapshot_never_takes_the_place_of_its_own_database(
    open_here: Open, database: Path
) -> None:
    store = await open_here()
    inode = database.stat().st_ino

    with pytest.raises(StoreUnavailable, match="the database itself"):
        await store.snapshot(database.parent / "." / database.name)

    assert database.stat().st_ino == inode


async def test_a_snapshot_to_nowhere_is_unavailable(open_here: Open, tmp_path: Path) -> None:
    store = await open_here()
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreUnavailable, match="no snapshot"):
        await store.snapshot(tmp_path / "file" / "backup.db")


# A disk that refuses


@pytest.fixture
def full_disk(database: Path) -> Callable[[bool], None]:
    """Let no file of this process grow beyond what the log has now; or let them again."""
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)

    def switch(is_full: bool) -> None:
        size = database.with_name("hospital.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5_000, kept[1]) if is_full else kept)

    return switch


async def test_a_full_disk_refuses_whole_batches_and_recovers(
    open_here: Open, full_disk: Callable[[bool], None]
) -> None:
    store = await open_here()
    await append(store, "m1", "m2")

    full_disk(True)
    try:
        refused = await asyncio.gather(
            *(
                store.apply(
                    Append("talk", "a", {"_id": f"x{n}", "text": "会议" * 2_000}, numbered=True)
                )
                for n in range(20)
            ),
            return_exceptions=True,
        )
        health = store.health()
        still_read = await ids(store)
    finally:
        full_disk(False)
    await append(store, "m3")

    assert {type(result) for result in refused} == {StoreUnavailable}
    assert not health.ready
    assert health.detail
    assert still_read == ["m1", "m2"]
    entries = (await store.tails("talk", {"a": 0}, 100))["a"]
    assert [(entry["_id"], entry["seq"]) for entry in entries] == [("m1", 1), ("m2", 2), ("m3", 3)]
    assert len(await store.search("talk", "会议", {"a": 0})) == 3
    assert store.health().ready


async def test_after_trouble_the_store_finds_out_by_itself_that_it_can_write_again(
    open_here: Open, full_disk: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_RETRY_S", 0.01)
    store = await open_here()
    full_disk(True)
    try:
        with pytest.raises(StoreUnavailable):
            await store.apply(Append("talk", "a", {"_id": "x", "text": "会议" * 9_000}))
    finally:
        full_disk(False)

    async with asyncio.timeout(10):
        while not store.health().ready:
            await asyncio.sleep(0.01)

    assert await ids(store) == []


async def test_the_log_is_taken_into_the_database_while_work_goes_on(
    open_here: Open, database: Path
) -> None:
    store = await open_here()
    text = "查房记录" * 500
    for start in range(0, 2_400, 100):
        await asyncio.gather(
            *(
                store.apply(Append("talk", "a", {"_id": f"m{n}", "text": text}))
                for n in range(start, start + 100)
            )
        )

    log = database.with_name("hospital.db-wal").stat().st_size
    written = database.stat().st_size

    assert written > 4_000_000
    assert log < 40_000_000
    await store.close()
    assert not database.with_name("hospital.db-wal").exists()


def test_a_copy_of_nothing_is_refused_with_the_place_that_was_looked_at(tmp_path: Path) -> None:
    missing = tmp_path / "elsewhere" / "yuanxin.db"

    with pytest.raises(StoreUnavailable, match=f"no database at {missing}"):
        write_snapshot(missing, tmp_path / "copy.db")
