"""The stand-in HIS against the real door: whatever goes wrong on the way, both count the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.features.dashboard.documents import DaySums
from server.sandbox.config import HisTarget, SandboxConfig, SandboxDepartment
from server.sandbox.his import MOST_PENDING, HisStandIn
from server.sandbox.his_day import HOUR_MS, plan_day
from server.sandbox.his_journal import totals
from tests.clocks import ManualClock
from tests.sandbox.running import running_sandbox
from tests.server.house import House, open_house

WARD = SandboxDepartment("ward", outpatients=200, beds=40, operations=9)
MIDNIGHT = ManualClock().now() - 16 * HOUR_MS  # the clock stands at 16:00 in Shanghai


@pytest.fixture
async def house(tmp_path: Path, clock: ManualClock) -> AsyncIterator[House]:
    async with open_house(tmp_path / "house", clock, his_keys="his:secret") as opened:
        yield opened


@asynccontextmanager
async def living(folder: Path, clock: ManualClock, url: str) -> AsyncIterator[HisStandIn]:
    """A HIS whose steps the test takes."""
    config = SandboxConfig(data_dir=folder, people=(), clock=clock, departments=[WARD])
    his = HisStandIn(config, HisTarget(url=url, key_id="his", secret="secret"))
    await his.open()
    try:
        yield his
    finally:
        await his.close()


@pytest.fixture
async def his(tmp_path: Path, clock: ManualClock, house: House) -> AsyncIterator[HisStandIn]:
    async with living(tmp_path, clock, house.url) as opened:
        yield opened


@pytest.fixture
async def desk(his: HisStandIn) -> AsyncIterator[TestClient[Any, Any]]:
    """What one may ask of it, over HTTP."""
    app = web.Application()
    app.add_routes(his.routes())
    async with TestClient(TestServer(app)) as client:
        yield client


async def catch_up(his: HisStandIn) -> None:
    while await his.step():
        await his.send()
    await his.send()


async def live(his: HisStandIn, clock: ManualClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.advance(1)
        await his.step()
        await his.send()


async def written(his: HisStandIn) -> list[dict[str, Any]]:
    return await his.journal.events()


async def own_totals(his: HisStandIn) -> dict[str, int]:
    """The HIS's count of the ward's day."""
    counted = totals(await written(his), his.day)
    assert list(counted) == ["2026-01-05"]
    return counted["2026-01-05"]["ward"]


async def kept_totals(house: House) -> dict[str, int]:
    """What Yuanxin keeps of it, in the same form."""
    [doc] = await house.server.store.scan(DaySums.collection.name)
    found = {key: sum(hours) for key, hours in doc["counts"].items()}
    last = max(doc["readings"].values(), key=lambda reading: reading["order"])
    return {key: n for key, n in found.items() if n} | {"inpatients": last["value"]}


async def test_a_fresh_day_is_caught_up_with_and_both_count_the_same(
    his: HisStandIn, house: House
) -> None:
    await catch_up(his)

    events = await written(his)
    assert all(MIDNIGHT <= event["at"] <= house.clock.now() for event in events)
    assert len(events) > 300
    assert any("corrects" in event for event in events)
    assert any("cancels" in event for event in events)
    assert his.counts == {"accepted": len(events), "repeated": 0, "refused": 0}
    assert await kept_totals(house) == await own_totals(his)


async def test_something_happens_every_few_seconds(his: HisStandIn, clock: ManualClock) -> None:
    await catch_up(his)
    before = len(await written(his))
    await live(his, clock, 60)

    assert len(await written(his)) - before >= 30


@pytest.mark.parametrize("mode", ["late", "duplicate", "out_of_order", "silent"])
async def test_no_fault_changes_what_is_counted(
    his: HisStandIn, house: House, clock: ManualClock, mode: str
) -> None:
    await catch_up(his)
    his.faults.set(mode, 30)
    await live(his, clock, 29)
    held_back = his.pending_events()
    await live(his, clock, 20)

    assert (held_back > 0) is (mode in ("late", "silent"))
    assert (his.counts["repeated"] > 0) is (mode == "duplicate")
    assert his.pending_events() == 0
    assert await kept_totals(house) == await own_totals(his)


async def test_a_silent_his_is_stale_and_a_late_one_is_not(
    his: HisStandIn, house: House, clock: ManualClock
) -> None:
    await catch_up(his)
    heard = await house.server.store.get("his_heard", "his")
    his.faults.set("silent", 30)
    await live(his, clock, 25)
    silent = await house.server.store.get("his_heard", "his")
    his.faults.set("late", 30)
    await live(his, clock, 25)
    late = await house.server.store.get("his_heard", "his")

    assert heard is not None
    assert late is not None
    assert silent == heard
    assert clock.now() - late["at"] <= 10_000


async def test_what_was_not_acknowledged_goes_out_again_after_a_kill(
    tmp_path: Path, house: House, clock: ManualClock
) -> None:
    async with living(tmp_path, clock, house.url) as before:
        await catch_up(before)
        sent = before.counts["accepted"]
        clock.advance(4)
        await before.step()  # written, not sent
    [journal] = (tmp_path / "sandbox").glob("his-*.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    lost = [line for line in lines if not line.startswith(b'{"acked":1}')]
    journal.write_bytes(b"".join(lost) + b'{"batch":99,"events":[{"cut')
    async with living(tmp_path, clock, house.url) as after:
        await catch_up(after)

        assert after.counts["repeated"] > 0
        assert after.counts["accepted"] == len(await written(after)) - sent
        assert await kept_totals(house) == await own_totals(after)


async def test_little_is_written_ahead_while_nobody_answers(
    tmp_path: Path, house: House, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with living(tmp_path, clock, "http://127.0.0.1:9") as alone:
        await live(alone, clock, 3 * MOST_PENDING)
        said = [record for record in caplog.records if record.name.endswith("sandbox.his")]

        assert len(alone.journal.pending) == MOST_PENDING
        assert len(said) <= 1
    async with living(tmp_path, clock, house.url) as answered:
        await catch_up(answered)

        assert answered.pending_events() == 0
        assert await kept_totals(house) == await own_totals(answered)


async def test_life_can_be_faster_and_comes_back_to_the_clock(
    his: HisStandIn, desk: TestClient[Any, Any], house: House, clock: ManualClock
) -> None:
    await catch_up(his)
    before = len(await written(his))
    fast = await (await desk.post("/his/speed", json={"speed": 600})).json()
    await live(his, clock, 12)
    far = await (await desk.get("/his/state")).json()
    await desk.post("/his/speed", json={"speed": 1})
    await live(his, clock, 3)
    near = await (await desk.get("/his/state")).json()
    told = await (await desk.get("/his/totals")).json()

    assert fast["speed"] == 600
    assert far["life"] - (clock.now() - 3_000) == 12 * 599 * 1000
    assert near["life"] == clock.now()
    assert len(await written(his)) - before > 30
    assert (near["refused"], told["pending"]) == (0, 0)
    assert told["days"] == {"2026-01-05": {"ward": await kept_totals(house)}}


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"speed": 0}', '{"speed": 1e9}', '{"speed": "x"}', '{"speed": true}']
)
async def test_a_speed_that_cannot_be_is_refused(desk: TestClient[Any, Any], body: str) -> None:
    answer = await desk.post("/his/speed", data=body)

    assert answer.status == 400
    assert "speed" in (await answer.json())["error"]


async def test_it_lives_by_itself_in_the_sandbox(
    tmp_path: Path, house: House, clock: ManualClock
) -> None:
    target = HisTarget(url=house.url, key_id="his", secret="secret")
    async with running_sandbox(tmp_path, clock, departments=[WARD], his=target) as sandbox:
        async with asyncio.timeout(10):
            while True:
                async with sandbox.http.get(f"{sandbox.base}/his/state") as answer:
                    if (await answer.json())["accepted"]:
                        break
                await asyncio.sleep(0.05)
        async with sandbox.http.get(f"{sandbox.base}/his/faults") as answer:
            switch = await answer.json()

    assert switch["modes"] == ["late", "duplicate", "out_of_order", "silent", "off"]


def test_a_day_is_planned_the_same_again_and_every_round_is_another() -> None:
    first = plan_day(MIDNIGHT, 0, [WARD], 0)

    assert plan_day(MIDNIGHT, 0, [WARD], 0) == first
    ids = [
        one.event["event_id"] for round in (0, 1) for one in plan_day(MIDNIGHT, 0, [WARD], round)
    ]
    assert len(ids) == len(set(ids))
    assert max(map(len, ids)) <= 64
