"""Migrations run once, in order, by one process, and again after a crash."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.storage import Conflict, Put
from server.storage.migrate import LEDGER, MigrationError, load, migrate, pending
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock

FIRST = """
'''Words and their index.'''
from server.storage import Collection, Index, Insert

ID = "0001_initial"

async def up(store):
    await store.ensure(Collection("words", indexes=(Index("by_word", ("word",)),)))
"""
SECOND = """
'''Every word knows its length.'''
from server.storage import Insert, Patch

ID = "0002_lengths"

async def up(store):
    after = None
    while page := await store.scan("words", after, limit=2):
        for doc in page:
            if "length" not in doc:
                await store.apply(Patch("words", doc["_id"], {"length": len(doc["word"])}))
            if doc["word"] == "crash":
                raise OSError("the power went")
        after = page[-1]["_id"]

async def check(store):
    assert all("length" in doc for doc in await store.scan("words"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "steps"
    folder.mkdir()
    (folder / "0001_initial.py").write_text(FIRST)
    (folder / "__init__.py").write_text("")
    (folder / "notes.txt").write_text("not a step")
    return folder


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "hospital.db", clock=SystemClock())
    await store.open()
    yield store
    await store.close()


async def put_words(store: SqliteStore, *words: str) -> None:
    await store.apply(*(Put("words", {"_id": word, "word": word}, expect=None) for word in words))


async def test_an_empty_store_is_taken_to_the_head(store: SqliteStore, folder: Path) -> None:
    (folder / "0002_lengths.py").write_text(SECOND)
    before = await pending(store, folder=folder)
    clock = ManualClock()

    taken = await migrate(store, clock=clock, folder=folder, app_version="1.2")

    assert before == taken == ["0001_initial", "0002_lengths"]
    assert await pending(store, folder=folder) == []
    assert await migrate(store, clock=clock, folder=folder) == []
    entry = await store.get("_migrations", "0002_lengths")
    assert entry is not None
    assert (entry["app_version"], entry["started"]) == ("1.2", clock.now())
    assert entry["finished"] == clock.now()


async def test_an_older_store_takes_only_what_is_new(
    store: SqliteStore, folder: Path, tmp_path: Path
) -> None:
    await migrate(store, clock=ManualClock(), folder=folder, backup=tmp_path / "none")
    await put_words(store, "one", "three", "seven")
    (folder / "0002_lengths.py").write_text(SECOND)

    taken = await migrate(store, clock=ManualClock(), folder=folder, backup=tmp_path / "backups")

    assert taken == ["0002_lengths"]
    assert {doc["_id"]: doc["length"] for doc in await store.scan("words")} == {
        "one": 3,
        "three": 5,
        "seven": 5,
    }
    assert not (tmp_path / "none").exists()
    copy = SqliteStore(tmp_path / "backups" / "before-0002_lengths.db", clock=SystemClock())
    await copy.open()
    assert all("length" not in doc for doc in await copy.scan("words"))
    await copy.close()


async def test_a_step_that_broke_half_way_runs_again(store: SqliteStore, folder: Path) -> None:
    await migrate(store, clock=ManualClock(), folder=folder)
    await put_words(store, "a", "b", "crash", "d")
    (folder / "0002_lengths.py").write_text(SECOND)
    with pytest.raises(OSError, match="power"):
        await migrate(store, clock=ManualClock(), folder=folder)
    half = [doc["_id"] for doc in await store.scan("words") if "length" in doc]
    assert await pending(store, folder=folder) == ["0002_lengths"]

    await put_words(store, "crash")
    (folder / "0002_lengths.py").write_text(SECOND.replace("crash", "never"))
    await migrate(store, clock=ManualClock(), folder=folder)

    assert half == ["a", "b", "crash"]
    assert all("length" in doc for doc in await store.scan("words"))


async def test_a_step_that_is_repeated_leaves_the_copy_from_before_it_alone(
    store: SqliteStore, folder: Path, tmp_path: Path
) -> None:
    await migrate(store, clock=ManualClock(), folder=folder)
    await put_words(store, "a", "b", "crash", "d")
    (folder / "0002_lengths.py").write_text(SECOND)

    for _ in range(2):
        with pytest.raises(OSError, match="power"):
            await migrate(store, clock=ManualClock(), folder=folder, backup=tmp_path)

    copy = SqliteStore(tmp_path / "before-0002_lengths.db", clock=SystemClock())
    await copy.open()
    assert all("length" not in doc for doc in await copy.scan("words"))
    await copy.close()


async def test_a_result_that_fails_its_check_is_not_finished(
    store: SqliteStore, folder: Path
) -> None:
    (folder / "0002_bad.py").write_text(
        '"""Bad."""\nID = "0002_bad"\nasync def up(store): pass\n'
        'async def check(store): raise AssertionError("words are missing")\n'
    )

    with pytest.raises(AssertionError, match="missing"):
        await migrate(store, clock=ManualClock(), folder=folder)

    assert await pending(store, folder=folder) == ["0002_bad"]


async def test_an_applied_step_must_not_change(store: SqliteStore, folder: Path) -> None:
    await migrate(store, clock=ManualClock(), folder=folder)
    (folder / "0001_initial.py").write_text(FIRST + "# changed\n")

    with pytest.raises(MigrationError, match="0001_initial was changed"):
        await pending(store, folder=folder)


async def test_line_ends_are_no_change(store: SqliteStore, folder: Path) -> None:
    await migrate(store, clock=ManualClock(), folder=folder)
    (folder / "0001_initial.py").write_bytes(FIRST.replace("\n", "\r\n").encode())

    assert await pending(store, folder=folder) == []


async def test_a_store_from_a_later_version_is_refused(store: SqliteStore, folder: Path) -> None:
    (folder / "0002_lengths.py").write_text(SECOND)
    await migrate(store, clock=ManualClock(), folder=folder)
    (folder / "0002_lengths.py").unlink()

    with pytest.raises(MigrationError, match="does not know"):
        await migrate(store, clock=ManualClock(), folder=folder)


async def test_a_step_cannot_be_put_before_an_applied_one(store: SqliteStore, folder: Path) -> None:
    await migrate(store, clock=ManualClock(), folder=folder)
    (folder / "0000_earlier.py").write_text(FIRST.replace("0001_initial", "0000_earlier"))

    with pytest.raises(MigrationError, match="comes before"):
        await pending(store, folder=folder)


async def test_a_step_without_its_own_id_is_refused(folder: Path) -> None:
    (folder / "0002_copy.py").write_text(FIRST)

    with pytest.raises(MigrationError, match="needs ID = '0002_copy'"):
        load(folder)


async def test_only_one_of_two_migrates(store: SqliteStore, folder: Path) -> None:
    results = await asyncio.gather(
        migrate(store, clock=ManualClock(), folder=folder),
        migrate(store, clock=ManualClock(), folder=folder),
        return_exceptions=True,
    )

    assert ["0001_initial"] in results
    [other] = [result for result in results if result != ["0001_initial"]]
    assert other == [] or isinstance(other, MigrationError)
    assert await store.get("_migrations", "lease") is None


async def test_a_lease_of_a_dead_process_expires(store: SqliteStore, folder: Path) -> None:
    clock = ManualClock()
    await pending(store, folder=folder)
    lease = {"_id": "lease", "holder": "dead", "until": clock.now() + 60_000}
    await store.apply(Put(LEDGER.name, lease, expect=0))
    with pytest.raises(MigrationError, match="another process"):
        await migrate(store, clock=clock, folder=folder)

    clock.advance(61)
    taken = await migrate(store, clock=clock, folder=folder)

    assert taken == ["0001_initial"]
    assert await store.get("_migrations", "lease") is None


async def test_who_is_alone_does_not_wait_for_a_lease(store: SqliteStore, folder: Path) -> None:
    clock = ManualClock()
    await pending(store, folder=folder)
    lease = {"_id": "lease", "holder": "dead", "until": clock.now() + 60_000}
    await store.apply(Put(LEDGER.name, lease, expect=0))

    assert await migrate(store, clock=clock, folder=folder, alone=True) == ["0001_initial"]


async def test_a_lost_lease_ends_the_migration(
    store: SqliteStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.storage.migrate._RENEW_S", 0.0)
    (folder / "0002_slow.py").write_text(
        '"""Waits until it is ended."""\nimport asyncio\nfrom server.storage import Put\n'
        'ID = "0002_slow"\n'
        "async def up(store):\n"
        '    lease = {"_id": "lease", "holder": "thief", "until": 2**50}\n'
        '    await store.apply(Put("_migrations", lease, expect=None))\n'
        "    await asyncio.Event().wait()\n"
    )

    with pytest.raises((MigrationError, Conflict), match="lease"):
        await migrate(store, clock=ManualClock(), folder=folder)

    held = await store.get("_migrations", "lease")
    assert held is not None
    assert held["holder"] == "thief"
    assert await pending(store, folder=folder) == ["0002_slow"]
