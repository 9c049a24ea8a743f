"""What watchers are told: what changed, once a tick, and when the source fell silent."""

import asyncio
from typing import Any

import pytest

from server.features.dashboard import check_his
from server.settings import Settings
from server.storage import StoreUnavailable
from tests.features.dashboard.board import PERIOD_MS, Board, Frozen, ticker_over, values_of
from tests.features.office import Client

HOSPITAL = "dashboard:hospital"


async def watcher(board: Board, person: str = "bob", channel: str = HOSPITAL) -> Client:
    client = await board.office.client(person)
    await client.ask("stream.watch", channel=channel)
    return client


async def fresh(board: Board, person: str = "bob", channel: str = HOSPITAL) -> dict[str, Any]:
    """What a page that has just been opened shows."""
    watched = await (await board.office.client(person)).ask("stream.watch", channel=channel)
    for key, event in watched["state"].items():
        assert list(event["values"]) == [key]
        assert event["channel"] == channel
    return values_of(list(watched["state"].values()))


def told(client: Client) -> list[dict[str, Any]]:
    return client.told("dashboard.updated")


async def test_a_tick_tells_only_what_changed_and_all_of_it_as_one_event(board: Board) -> None:
    bob = await watcher(board)
    await board.send(board.event("a"), board.event("b", "operations", department_id="surgery"))
    await board.send(board.event("c", count=2))
    await board.ticker.tick()
    board.office.clock.advance(1)
    await board.send(board.event("d", "seen", type="expert"))
    await board.ticker.tick()

    first, second = told(bob)
    assert set(first["values"]) == {"ward", "surgery", "source"}
    assert first["values"]["ward"]["registered"] == {"general": 3}
    assert first["values"]["surgery"]["operations"] == 1
    assert set(second["values"]) == {"ward", "source"}
    assert second["values"]["ward"] == {
        "kind": "figures",
        "department_id": "ward",
        "day": "2026-01-05",
        "registered": {"general": 3},
        "seen": {"expert": 1},
        "called": {},
        "operations": 0,
        "inpatients": None,
    }


async def test_a_tick_without_a_change_tells_nothing(board: Board) -> None:
    bob = await watcher(board)
    await board.send(board.event("a"))
    await board.ticker.tick()
    await board.send(board.event("a"), board.event("b"), board.event("c", cancels="b"))
    await board.ticker.tick()

    assert len(told(bob)) == 1


async def test_a_department_hears_of_itself_only(board: Board) -> None:
    cai = await watcher(board, "cai", "dashboard:cardiology")
    await board.send(board.event("a"), board.event("b", department_id="cardiology"))
    await board.ticker.tick()

    [event] = told(cai)
    assert set(event["values"]) == {"cardiology", "source"}
    assert await fresh(board, "cai", "dashboard:cardiology") == event["values"]


async def test_state_plus_events_is_what_a_fresh_page_holds(board: Board) -> None:
    await board.send(board.event("a"), board.event("i", "inpatients", value=20))
    await board.ticker.tick()
    bob = await watcher(board)
    shown = await fresh(board)
    for n in range(8):
        board.office.clock.advance(1 if n != 5 else 86_400)
        await board.send(
            board.event(f"r{n}", department_id=("ward", "surgery", "cardiology")[n % 3]),
            board.event(f"c{n}", cancels=f"r{n - 1}"),
            board.event(f"g{n}", "inpatients", value=n, department_id="surgery"),
        )
        await board.ticker.tick()

    assert {**shown, **values_of(told(bob))} == await fresh(board)


async def test_the_source_is_stale_after_two_missed_times_and_back_at_once(board: Board) -> None:
    await board.ticker.tick()
    bob = await watcher(board)
    never = (await fresh(board))["source"]
    await board.send()
    await board.ticker.tick()
    heard = board.now
    board.office.clock.advance(2 * PERIOD_MS / 1000)
    await board.ticker.tick()
    board.office.clock.advance(0.001)
    await board.ticker.tick()
    await board.ticker.tick()
    await board.send(signed_s=heard // 1000 + 1)
    await board.ticker.tick()

    assert never == {"kind": "source", "as_of": None, "stale": True, "period_ms": PERIOD_MS}
    sources = [event["values"]["source"] for event in told(bob)]
    assert [(s["as_of"], s["stale"]) for s in sources] == [
        (heard, False),
        (heard, True),
        (board.now, False),
    ]


async def test_the_operator_is_told_whether_the_his_is_heard(board: Board) -> None:
    clock, settings = board.office.clock, Settings(his_keys="his:secret")

    silent = await check_his(board.ticker, settings, clock)
    await board.send()
    heard = await check_his(board.ticker, settings, clock)

    assert (silent.ready, silent.detail) == (False, "not heard for two periods")
    assert (heard.ready, heard.detail) == (True, "")
    assert (await check_his(board.ticker, Settings(), clock)).detail == "not configured"


async def test_a_quiet_department_hears_of_the_source_once_in_a_period(board: Board) -> None:
    await board.send(board.event("a", department_id="cardiology"))
    await board.ticker.tick()
    cai = await watcher(board, "cai", "dashboard:cardiology")
    for n in range(25):
        board.office.clock.advance(1)
        await board.send(board.event(f"e{n}"))
        await board.ticker.tick()

    assert len(told(cai)) == 2


async def test_at_midnight_counters_begin_again_and_inpatients_stay(board: Board) -> None:
    board.office.clock.advance(7 * 3600 + 59 * 60)  # it was 16:00 in Shanghai
    await board.send(board.event("a"), board.event("i", "inpatients", value=20))
    await board.ticker.tick()
    day = (await fresh(board))["ward"]["day"]
    bob = await watcher(board)
    board.office.clock.advance(60)
    await board.ticker.tick()

    [event] = told(bob)
    assert day == "2026-01-05"
    assert event["values"]["ward"]["day"] == "2026-01-06"
    assert event["values"]["ward"]["registered"] == {}
    assert event["values"]["ward"]["inpatients"] == 20


async def test_what_comes_late_for_yesterday_changes_no_figure_of_today(board: Board) -> None:
    before = board.event("late")
    board.office.clock.advance(86_400)
    await board.send(board.event("today"))
    await board.ticker.tick()
    bob = await watcher(board)
    await board.send(before)
    await board.ticker.tick()

    assert told(bob) == []


async def test_a_late_reading_does_not_replace_a_newer_one(board: Board) -> None:
    late = board.event("late", "inpatients", value=99)
    board.office.clock.advance(600)
    await board.send(board.event("newer", "inpatients", value=30))
    await board.send(late)
    await board.ticker.tick()
    newer = (await fresh(board))["ward"]["inpatients"]
    await board.send(board.event("c", cancels="newer"))
    await board.ticker.tick()

    assert newer == 30
    assert (await fresh(board))["ward"]["inpatients"] == 99


async def test_a_restart_tells_what_the_one_before_had_no_time_for(board: Board) -> None:
    await board.send(board.event("a"))
    await board.ticker.tick()
    await board.send(board.event("b"), board.event("c", department_id="surgery"))
    await board.restart()
    bob = await watcher(board)
    await board.ticker.tick()
    await board.ticker.tick()

    [event] = told(bob)
    assert event["values"]["ward"]["registered"] == {"general": 2}
    assert set(event["values"]) == {"ward", "surgery", "source"}


async def test_a_restart_with_nothing_new_tells_no_figures(board: Board) -> None:
    await board.send(board.event("a"))
    await board.ticker.tick()
    await board.restart()
    bob = await watcher(board)
    await board.ticker.tick()

    assert [set(event["values"]) for event in told(bob)] == [{"source"}]


async def test_a_department_that_was_quiet_for_long_has_its_new_day_too(board: Board) -> None:
    await board.send(board.event("a"), board.event("i", "inpatients", value=20))
    await board.ticker.tick()
    board.office.clock.advance(10 * 86_400)
    await board.restart()
    await board.ticker.tick()

    ward = (await fresh(board))["ward"]
    assert (ward["day"], ward["registered"], ward["inpatients"]) == ("2026-01-15", {}, None)


async def test_what_could_not_be_told_is_told_when_the_store_is_back(board: Board) -> None:
    bob = await watcher(board)
    await board.ticker.tick()
    await board.send(board.event("a"))
    await board.office.store.close()
    with pytest.raises(StoreUnavailable):
        await board.ticker.tick()
    await board.ticker.tick_quietly()
    await board.office.store.open()
    await board.ticker.tick_quietly()

    assert values_of(told(bob))["ward"]["registered"] == {"general": 1}


async def test_a_node_that_was_frozen_takes_back_nothing_that_another_told(board: Board) -> None:
    office = board.office
    bob = await watcher(board)
    await board.send(board.event("a"))
    frozen = Frozen(office.store)
    led = ticker_over(frozen.system(office), office.clock)
    await led.load()
    telling = asyncio.create_task(led.tick())
    await frozen.stops.wait()
    await board.send(board.event("b"))
    await board.ticker.tick()
    frozen.goes_on.set()
    await telling
    await board.ticker.tick()

    assert values_of(told(bob))["ward"]["registered"] == {"general": 2}
    assert (await fresh(board))["ward"]["registered"] == {"general": 2}
