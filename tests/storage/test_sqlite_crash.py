"""kill -9 in the middle of writing: what was acked is there, and nothing is half there."""

import asyncio
import os
import random
import sys
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.storage import Doc
from server.storage.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]


async def write_until_killed(database: Path, turn: int, acks: int) -> list[tuple[str, int, str]]:
    """Every ack that a writer told before it was killed, at least so many."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests/storage/dying_writer.py"),
        str(turn),
        str(database),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(acks)]
    process.kill()
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    whole = [line.decode().split() for line in lines if line.endswith(b"\n")]
    return [(stream, int(seq), id) for stream, seq, id in whole]


async def everything(store: SqliteStore, coll: str) -> dict[str, Doc]:
    docs: dict[str, Doc] = {}
    after: str | None = None
    while page := await store.scan(coll, after, limit=5_000):
        docs |= {doc["_id"]: doc for doc in page}
        after = page[-1]["_id"]
    return docs


async def kill_and_check(tmp_path: Path, rounds: int) -> None:
    database = tmp_path / "hospital.db"
    chance = random.Random(4_17)
    acked: list[tuple[str, int, str]] = []
    epochs: set[str] = set()
    for turn in range(rounds):
        acked += await write_until_killed(database, turn, chance.randrange(50, 1_500))

        store = SqliteStore(database, clock=SystemClock())
        await store.open()
        entries, notes = await everything(store, "talk"), await everything(store, "notes")
        # A snapshot is checked for integrity before it counts.
        await store.snapshot(tmp_path / "copy.db")
        epochs.add(store.epoch)
        await store.close()

        assert [ack for ack in acked if ack[2] not in entries] == []
        assert [ack for ack in acked if entries[ack[2]]["number"] != ack[1]] == []
        assert {id: note["seq"] for id, note in notes.items()} == {
            id: entry["number"] for id, entry in entries.items()
        }
        for stream in {entry["stream"] for entry in entries.values()}:
            taken = sorted(e["position"] for e in entries.values() if e["stream"] == stream)
            assert taken == list(range(1, len(taken) + 1))
    assert len(epochs) == 1


async def test_a_killed_writer_loses_no_ack_and_leaves_no_gap(tmp_path: Path) -> None:
    await kill_and_check(tmp_path, rounds=3)


@pytest.mark.nightly
@pytest.mark.timeout(600)
async def test_a_writer_killed_many_times_loses_no_ack_and_leaves_no_gap(tmp_path: Path) -> None:
    await kill_and_check(tmp_path, rounds=20)
