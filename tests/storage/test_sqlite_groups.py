"""What comes while the writer is busy is gathered for a moment, and nothing of it is lost. That it makes
fewer commits is shown by `benchmarks/chat.py`."""

import asyncio
from pathlib import Path

from server.clock import SystemClock
from server.storage import Collection, Insert
from server.storage.sqlite import SqliteStore

MUCH = 4_000


async def test_nothing_that_was_gathered_is_lost_by_closing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "groups.db", clock=SystemClock())
    await store.open()
    await store.ensure(Collection("notes"))
    much = (Insert("notes", {"_id": f"m{n:04d}"}) for n in range(MUCH))
    first = asyncio.create_task(store.apply(*much))
    for _ in range(3):  # It is handed over, and keeps the writer busy.
        await asyncio.sleep(0)
    second = asyncio.create_task(store.apply(Insert("notes", {"_id": "second"})))
    await asyncio.sleep(0)

    await store.close()

    assert len(await first) == MUCH
    assert [doc["_id"] for doc in await second if doc] == ["second"]
