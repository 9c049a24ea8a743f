"""What comes while the writer is busy is committed together."""

import asyncio
import time
from pathlib import Path

from server.clock import SystemClock
from server.storage import Collection, Insert
from server.storage.sqlite import GATHER_S, SqliteStore

MANY = 200


async def opened(folder: Path) -> SqliteStore:
    store = SqliteStore(folder / "groups.db", clock=SystemClock())
    await store.open()
    await store.ensure(Collection("notes"))
    return store


async def test_a_crowd_costs_few_commits(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    commits = store.health().commits
    began = time.monotonic()
    done: list[asyncio.Task[object]] = []
    for number in range(MANY):
        done.append(asyncio.create_task(store.apply(Insert("notes", {"_id": f"n{number}"}))))
        await asyncio.sleep(0)

    await asyncio.gather(*done)

    most = 2 + (time.monotonic() - began) / GATHER_S
    assert store.health().commits - commits <= most
    assert len(await store.scan("notes", limit=MANY)) == MANY
    await store.close()


async def test_nothing_that_was_gathered_is_lost_by_closing(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    first = asyncio.create_task(store.apply(Insert("notes", {"_id": "first"})))
    while not store.health().waiting:
        await asyncio.sleep(0)
    second = asyncio.create_task(store.apply(Insert("notes", {"_id": "second"})))
    await asyncio.sleep(0)

    await store.close()

    assert [[doc["_id"] for doc in docs if doc] for docs in (await first, await second)] == [
        ["first"],
        ["second"],
    ]
