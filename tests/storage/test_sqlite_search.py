"""A search in many conversations costs what they are, not what all others have said."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from server.clock import SystemClock
from server.storage import Append
from server.storage.promises import TALK
from server.storage.sqlite import SqliteStore, texts
from server.storage.sqlite.tables import Table

MINE = [f"mine{number}" for number in range(201)]


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteStore]:
    # As with many more messages.
    monkeypatch.setattr(texts, "_A_SCOPE", 0)
    store = SqliteStore(tmp_path / "hospital.db", clock=SystemClock())
    await store.open()
    await store.ensure(TALK)
    yield store
    await store.close()


async def say(store: SqliteStore, *streams: str) -> None:
    entries = (
        Append("talk", stream, {"_id": f"{stream}/{number}", "text": "患者三点开会"}, numbered=True)
        for number, stream in enumerate(streams)
    )
    await store.apply(*entries)


def steps(path: Path) -> int:
    """How many steps SQLite takes, by hundreds, to find the few there are in many conversations."""
    taken = 0

    def count() -> bool:
        nonlocal taken
        taken += 1
        return False

    with apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY) as db:
        db.set_progress_handler(count, 100)
        table, scopes = Table(TALK), dict.fromkeys(MINE, 0)
        found = texts.find_text(db.cursor(), table, "三点开会", scopes, None, 50)
    assert [doc["stream"] for doc in found] == ["mine7"]
    return taken


async def test_what_others_say_makes_no_search_longer(store: SqliteStore, tmp_path: Path) -> None:
    await say(store, "mine7", *["elsewhere"] * 1_000)
    before = steps(tmp_path / "hospital.db")
    await say(store, *["elsewhere2"] * 3_000)

    assert steps(tmp_path / "hospital.db") < before * 2


async def test_pages_from_many_conversations_leave_nothing_out(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(7)
    streams = [dice.choice([*MINE[:9], "elsewhere", "elsewhere2"]) for _ in range(400)]
    await say(store, *streams)
    floors = dict.fromkeys(MINE, 0) | {"mine3": 5}
    everything = await store.scan("talk", limit=1_000)
    wanted = {e["_id"] for e in everything if e["seq"] > floors.get(e["stream"], 1_000)}

    for walked in (0, 1, 9):
        monkeypatch.setattr(texts, "_A_SCOPE", walked)
        seen, ranks = [], [2**60]
        while page := await store.search("talk", "三点", floors, before=ranks[-1], limit=30):
            seen += [doc["_id"] for doc in page]
            ranks += [doc["_rank"] for doc in page]
        assert sorted(seen) == sorted(wanted)
        assert ranks == sorted(ranks, reverse=True)
