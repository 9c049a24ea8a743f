"""kill -9 in the middle of writing: what was acked is there, and nothing is half there."""

import random
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.storage.sqlite import SqliteStore
from tests.storage.dying import everything, write_until_killed


async def kill_and_check(tmp_path: Path, rounds: int) -> None:
    database = tmp_path / "hospital.db"
    chance = random.Random(4_17)
    acked: list[tuple[str, int, str]] = []
    epochs: set[str] = set()
    for turn in range(rounds):
        acked += await write_until_killed(turn, chance.randrange(50, 1_500), str(database))

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
