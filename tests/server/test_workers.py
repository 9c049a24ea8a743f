"""The parent of several workers: what one of them suffers is not the others'."""

import asyncio
from pathlib import Path

import pytest

from server.workers import Worker
from tests.realtime.ward import eventually


async def test_a_worker_that_cannot_be_started_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.workers.FIRST_WAIT_S", 0.01)
    program, came = tmp_path / "program", tmp_path / "came"
    worker, leaving = Worker(0, [str(program)], {}), asyncio.Event()
    running = asyncio.create_task(worker.run(leaving))

    await eventually(lambda: running.done() or worker._wait_s > 0.02)
    (tmp_path / "made").write_text(f"#!/bin/sh\n: > {came}\n")
    (tmp_path / "made").chmod(0o755)
    (tmp_path / "made").rename(program)
    await eventually(lambda: running.done() or came.exists())
    leaving.set()

    await running
    assert came.exists()
