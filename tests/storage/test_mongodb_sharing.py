"""Several servers on one MongoDB: its history, its migrations, and one of them dying while it writes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from pymongo import AsyncMongoClient

from server.app import opened_store
from server.clock import SystemClock
from server.settings import Settings
from server.storage import Collection, Index, Insert, Search, StorageError
from server.storage.migrate import LEDGER, pending
from server.storage.mongodb import MongoStore
from server.storage.mongodb.history import META, begin_new_epoch
from server.stores import bring_to_this_version
from tests.storage.dying import everything, write_until_killed
from tests.storage.mongodb import database_for, server_url

SHARED = Settings(storage_url="mongodb://used-by-nobody")


async def opened(folder: Path) -> MongoStore:
    store = MongoStore(server_url(), database=database_for(folder), clock=SystemClock())
    await store.open()
    return store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[MongoStore]:
    store = await opened(tmp_path)
    yield store
    await store.close()


# History


async def test_every_server_reads_the_same_epoch(store: MongoStore, tmp_path: Path) -> None:
    others = await asyncio.gather(*(opened(tmp_path) for _ in range(3)))

    assert {other.epoch for other in others} == {store.epoch}
    for other in others:
        await other.close()


async def test_a_restored_dump_begins_a_new_epoch(store: MongoStore, tmp_path: Path) -> None:
    """mongorestore makes the collections anew: what is written in them then speaks of others."""
    async with AsyncMongoClient(server_url()) as client:
        meta = client[database_for(tmp_path)][META]
        await meta.update_one({"_id": "history"}, {"$set": {"identity": "the one dumped"}})

    restored, again = await opened(tmp_path), await opened(tmp_path)

    assert restored.epoch != store.epoch
    assert restored.epoch == again.epoch
    await restored.close()
    await again.close()


async def test_an_operator_may_begin_a_new_epoch(tmp_path: Path) -> None:
    name = database_for(tmp_path)
    before = await opened(tmp_path)

    epoch = await begin_new_epoch(server_url(), name)

    after = await opened(tmp_path)
    assert after.epoch == epoch != before.epoch
    await before.close()
    await after.close()


# Declarations and migrations


async def test_two_servers_may_declare_at_once(tmp_path: Path) -> None:
    first, second = await opened(tmp_path), await opened(tmp_path)
    notes = [
        Collection("notes", indexes=(Index(name, (name,)),)) for name in ("a", "b", "c", "d", "e")
    ]

    await asyncio.gather(*(store.ensure(each) for store in (first, second) for each in notes))
    third = await opened(tmp_path)
    await third.apply(Insert("notes", {"_id": "n1", "e": "x"}))

    assert [await third.count("notes", name) for name in "abcde"] == [1] * 5
    for store in (first, second, third):
        await store.close()


async def test_two_servers_that_start_on_an_empty_store_both_find_it_current(
    tmp_path: Path,
) -> None:
    stores = await asyncio.gather(opened(tmp_path), opened(tmp_path))

    await asyncio.gather(
        *(bring_to_this_version(store, SHARED, SystemClock(), upgrade=False) for store in stores)
    )

    assert [await pending(store) for store in stores] == [[], []]
    for store in stores:
        await store.close()


async def test_a_shared_store_that_is_behind_is_migrated_only_when_told_to(
    store: MongoStore, tmp_path: Path
) -> None:
    folder = tmp_path / "steps"
    folder.mkdir()
    (folder / "0001_first.py").write_text(
        '"""One."""\nID = "0001_first"\nasync def up(store): pass\n'
    )
    clock = SystemClock()
    await bring_to_this_version(store, SHARED, clock, upgrade=False, folder=folder)
    (folder / "0002_next.py").write_text(
        '"""Two."""\nID = "0002_next"\nasync def up(store): pass\n'
    )

    with pytest.raises(StorageError, match="lacks 0002_next; stop every server"):
        await bring_to_this_version(store, SHARED, clock, upgrade=False, folder=folder)
    await bring_to_this_version(store, SHARED, clock, upgrade=True, folder=folder)

    assert await pending(store, folder=folder) == []
    assert await store.get(LEDGER.name, "lease") is None


# Dying


async def kill_and_check(tmp_path: Path, rounds: int, acks: int) -> None:
    """Two servers write to the same streams; both are killed; nothing that was acked is missing."""
    name = database_for(tmp_path)
    store = await opened(tmp_path)
    await store.ensure(Collection("talk", search=Search("text", "stream"), log=True))
    await store.ensure(Collection("notes"))
    acked: list[tuple[str, int, str]] = []
    for turn in range(rounds):
        parts = await asyncio.gather(
            write_until_killed(2 * turn, acks, server_url(), name),
            write_until_killed(2 * turn + 1, acks, server_url(), name),
        )
        acked += [ack for part in parts for ack in part]
        entries, notes = await everything(store, "talk"), await everything(store, "notes")

        assert all(
            (entries[id]["stream"], entries[id]["seq"]) == (stream, seq)
            for stream, seq, id in acked
        )
        assert {id: note["seq"] for id, note in notes.items()} == {
            id: entry["seq"] for id, entry in entries.items()
        }
        for stream in {entry["stream"] for entry in entries.values()}:
            seqs = sorted(e["position"] for e in entries.values() if e["stream"] == stream)
            assert seqs == list(range(1, len(seqs) + 1))
    await store.close()


async def test_servers_that_are_killed_lose_no_ack_and_leave_no_gap(tmp_path: Path) -> None:
    await kill_and_check(tmp_path, rounds=1, acks=60)


@pytest.mark.nightly
@pytest.mark.timeout(600)
async def test_servers_that_are_killed_again_and_again_lose_no_ack(tmp_path: Path) -> None:
    await kill_and_check(tmp_path, rounds=10, acks=400)


# The command line


async def test_the_server_opens_the_store_of_its_url(tmp_path: Path) -> None:
    name = database_for(tmp_path)
    url = urlunsplit(urlsplit(server_url())._replace(path=f"/{name}"))
    settings = Settings(storage_url=url, data_dir=tmp_path)

    async with opened_store(settings, SystemClock()) as store:
        await store.apply(Insert("audit", {"_id": "a1", "at": 1}))

    later = await opened(tmp_path)
    assert await later.get("audit", "a1") == {"_id": "a1", "at": 1, "_v": 1}
    assert not list(tmp_path.glob("*.db"))
    await later.close()
