"""The parent of several workers: what one of them suffers is not the others'."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from server.workers import Worker
from tests.operating import operate
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


def test_a_worker_whose_parent_died_while_it_started_ends_too(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as parent:
        pass
    worker = operate("run", "--worker", 0, "--parent", parent.pid, folder=tmp_path, http_port="0")

    assert (worker.returncode, "Yuanxin serves" in worker.stdout) == (0, True)
