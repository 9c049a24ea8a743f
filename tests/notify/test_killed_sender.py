"""The sender is a real process and is killed while it sends: nothing is lost, no phone rings twice, and
no more calls are repeated than were under way."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from server.clock import SystemClock
from server.storage.sqlite import SqliteStore
from tests.end_to_end.processes import ROOT
from tests.notify.crowd import Crowd, check_arrived, check_limits, gather, repeats
from tests.notify.ward import Ward
from tests.sandbox.running import running_sandbox

MOST_AT_ONCE = 16
SMALL = Crowd(100, most=25, much=20, few=2)
LARGE = Crowd(1_500, most=29, much=20, few=2)


def started(folder: Path, api_base: str) -> subprocess.Popen[bytes]:
    with (folder / "sender.log").open("ab") as log:
        command = [sys.executable, "-m", "tests.notify.sender", str(folder), api_base]
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)


@pytest.mark.parametrize(
    ("crowd", "kills"),
    [
        pytest.param(SMALL, 1, id="small"),
        pytest.param(LARGE, 10, id="large", marks=[pytest.mark.nightly, pytest.mark.timeout(600)]),
    ],
)
async def test_a_killed_sender_loses_nothing_and_rings_no_phone_twice(
    tmp_path: Path, crowd: Crowd, kills: int
) -> None:
    store = SqliteStore(tmp_path / "hospital.db", clock=SystemClock())
    await store.open()
    await gather(await Ward.opened(store, None, SystemClock()), crowd)
    await store.close()
    owed = sum(crowd.owed.values())
    async with running_sandbox(tmp_path, people=crowd.phones) as sandbox:
        for kill in range(1, kills + 1):
            sender = started(tmp_path, f"{sandbox.base}/wecom/cgi-bin/")
            while sandbox.wecom.state.accepted()[0] < owed * kill / (kills + 1):
                assert sender.poll() is None, (tmp_path / "sender.log").read_text()
                await asyncio.sleep(0.002)
            sender.kill()
            sender.wait()
        last = started(tmp_path, f"{sandbox.base}/wecom/cgi-bin/")
        assert await asyncio.to_thread(last.wait, 90) == 0, (tmp_path / "sender.log").read_text()
        accepted = sandbox.wecom.state.accepted()[0]
    print(f"{owed} notices, {kills} kills: {accepted} calls, {repeats(tmp_path)} repeated")
    check_arrived(tmp_path, crowd)
    check_limits(tmp_path)
    assert repeats(tmp_path) <= kills * MOST_AT_ONCE
