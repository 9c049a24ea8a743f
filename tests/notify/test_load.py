"""A hospital that is away all at once: everything arrives, in time, in order, and nobody is flooded.

Time is injected: the notifier, its client and the stand-in for WeCom live by one clock that the test
moves when nothing is left to do at a moment. The stand-in is a process of its own, so that what makes
this loop late is our own sending and nothing else.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.integrations.wecom import UNREACHABLE, Sent, WeCom
from server.integrations.wecom.client import WeComClient
from server.storage.sqlite import SqliteStore
from tests.clocks import SharedClock
from tests.notify.crowd import (
    Crowd,
    check_arrived,
    check_limits,
    check_urgent_first,
    gather,
    repeats,
)
from tests.notify.ward import Ward
from tests.sandbox.running import ReachedSandbox, sandbox_apart

SMALL = Crowd(300, most=200, much=20, few=2)
LARGE = Crowd(3_000)
SIZES = [
    pytest.param(SMALL, id="small"),
    pytest.param(LARGE, id="large", marks=[pytest.mark.nightly, pytest.mark.timeout(900)]),
]
STEP_S = 0.5
WECOM_A_MINUTE = 30
SLACK = 1.1
MOST_AT_ONCE = 16
NO_FAULTS: Mapping[float, tuple[str, float]] = {}
BAD_DAY: Mapping[float, tuple[str, float]] = {
    2.0: ("rate_limited", 5),
    70.0: ("lost_answer", 2),
    75.0: ("down", 10),
    120.0: ("rate_limited", 5),
    185.0: ("slow", 2),
    190.0: ("reset", 10),
    250.0: ("concurrency", 5),
    260.0: ("busy", 10),
}
"""Bursts of "too often", outages of ten seconds, answers that are lost or late."""
BEYOND_ALL_S = 1_800.0


class Counted:
    """Counts the calls that are made, and those under way at once."""

    def __init__(self, wecom: WeCom) -> None:
        self._wecom = wecom
        self.made = 0

    async def send(self, request: bytes) -> Sent:
        self.made += 1
        return await self._wecom.send(request)


class Hospital:
    """A crowd, a notifier and a WeCom by one clock."""

    def __init__(self, folder: Path, ward: Ward, wecom: Counted, sandbox: ReachedSandbox) -> None:
        self.folder, self.ward, self.wecom, self.sandbox = folder, ward, wecom, sandbox
        self.lags: list[float] = []

    async def work(self) -> None:
        """Everything there is to do at this moment."""
        while await self.ward.notifier.look_step():
            pass
        made = -1
        while made != self.wecom.made:
            made = self.wecom.made
            await self.ward.notifier.send_step()
            await self.ward.notifier.quiet()

    async def until_empty(
        self, at_most_s: float, faults: Mapping[float, tuple[str, float]] = NO_FAULTS
    ) -> float:
        """Let time go by until nobody is owed anything; how long that took. `faults` says when WeCom
        does what, and for how long."""
        gone_s = 0.0
        while await self._is_waiting():
            assert gone_s <= at_most_s, f"{gone_s} s and not done"
            if gone_s in faults:
                await self.sandbox.fault(*faults[gone_s])
            self.ward.clock.advance(STEP_S)
            gone_s += STEP_S
            await self.work()
        return gone_s

    async def _is_waiting(self) -> bool:
        for state in ("queued", "sending"):
            for priority in range(4):
                if await self.ward.store.count("notices", "state", (state, priority), cap=1):
                    return True
        return False

    async def watch(self) -> None:
        """How late the loop wakes up, as everybody else on it would notice."""
        while True:
            due = time.perf_counter() + 0.005
            await asyncio.sleep(0.005)
            self.lags.append(time.perf_counter() - due)


@asynccontextmanager
async def hospital(
    folder: Path, crowd: Crowd, patience_s: float, **sandbox: Any
) -> AsyncIterator[Hospital]:
    clock = SharedClock(folder / "clock")
    store = SqliteStore(folder / "hospital.db", clock=clock)
    await store.open()
    told = {"clock": str(folder / "clock"), "people": crowd.phones, **sandbox}
    async with sandbox_apart(folder, **told) as running:
        client = WeComClient(running.config(total_timeout_s=patience_s), running.http, clock)
        wecom = Counted(client)
        ward = await Ward.opened(store, wecom, clock)
        ward.started(notice_calls_per_second=50)
        made = Hospital(folder, ward, wecom, running)
        await gather(ward, crowd)
        clock.advance(9)
        watch = asyncio.create_task(made.watch())
        try:
            yield made
        finally:
            watch.cancel()
            await store.close()


def report(name: str, hospital: Hospital, gone_s: float, took_s: float) -> None:
    lags = sorted(hospital.lags)
    late_ms = lags[int(len(lags) * 0.99)] * 1000
    print(
        f"{name}: {hospital.wecom.made} calls in {gone_s:.0f} s of the clock, {took_s:.1f} s real,"
        f" loop lag p99 {late_ms:.1f} ms, worst {lags[-1] * 1000:.1f} ms"
    )


@pytest.mark.parametrize("crowd", SIZES)
async def test_all_arrive_in_time_urgent_first_and_nobody_is_flooded(
    tmp_path: Path, crowd: Crowd
) -> None:
    async with hospital(tmp_path, crowd, patience_s=30) as at_work:
        owed = sum(crowd.owed.values())
        by_member_s = (crowd.most - WECOM_A_MINUTE) / WECOM_A_MINUTE * 60
        by_calls_s = owed / 50
        begun = time.perf_counter()
        await at_work.work()
        gone_s = await at_work.until_empty(max(by_member_s, by_calls_s) * SLACK)
        report("quiet", at_work, gone_s, time.perf_counter() - begun)

        assert at_work.wecom.made == owed
    check_arrived(tmp_path, crowd)
    check_limits(tmp_path)
    check_urgent_first(tmp_path)
    assert repeats(tmp_path) == 0


@pytest.mark.parametrize(
    "crowd",
    [
        pytest.param(replace(SMALL, most=90, has_invalid=True), id="small"),
        pytest.param(
            replace(LARGE, has_invalid=True),
            id="large",
            marks=[pytest.mark.nightly, pytest.mark.timeout(900)],
        ),
    ],
)
async def test_a_bad_day_loses_nothing_and_no_phone_rings_twice(
    tmp_path: Path, crowd: Crowd
) -> None:
    async with hospital(tmp_path, crowd, patience_s=0.3, token_calls=200, slow_s=0.4) as at_work:
        begun = time.perf_counter()
        await at_work.work()
        gone_s = await at_work.until_empty(BEYOND_ALL_S, BAD_DAY)
        report("bad day", at_work, gone_s, time.perf_counter() - begun)

        refused = [
            notice.person_id
            for notice in await at_work.ward.notices()
            if (notice.state, notice.reason) == ("refused", UNREACHABLE)
        ]
        assert Counter(refused) == {name: crowd.owed[name] for name in crowd.invalid}
        counts = (await at_work.sandbox.counts())["calls"]
        assert counts["gettoken"] <= counts["message/send"] / 200 + 20
    check_arrived(tmp_path, crowd)
    check_limits(tmp_path)
    assert repeats(tmp_path) <= 2 * MOST_AT_ONCE
