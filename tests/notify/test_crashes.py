"""The process may die at any await: nothing is lost, and what goes again is the same bytes."""

import asyncio
import json
from pathlib import Path

import pytest

from server.integrations.wecom.memory import MemoryWeCom
from server.outbox import Notice
from server.storage import Conflict, Delete, StoreBusy
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock
from tests.notify.ward import Crash, Fuse, Ward

PEOPLE = ("s0001", "s0002")


async def run_until_dead(ward: Ward) -> bool:
    """Two boards change and their followers are told. Says whether the process died of it."""
    await ward.follow("news", *PEOPLE)
    await ward.follow("duty", "s0001")
    await ward.change("news")
    try:
        await ward.pass_time(9, each_s=9)
        await ward.change("duty")
        await ward.pass_time(9, each_s=9)
    except Crash:
        pass
    died = ward.fuse.at is not None and ward.fuse.asked >= ward.fuse.at
    await ward.notifier.quiet()
    return died


def cards(phones: MemoryWeCom) -> dict[str, list[str]]:
    """The paths of the cards on each phone."""
    return {
        person: sorted(
            json.loads(request)["textcard"]["url"].split("?")[0].rpartition("/")[2]
            for request in requests
        )
        for person, requests in phones.phones.items()
    }


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.nightly)])
async def test_a_crash_at_any_moment_loses_nothing_and_rings_once(
    tmp_path: Path, stride: int
) -> None:
    # A dead process collects no exceptions of its tasks.
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    died, at = True, 1 - stride
    while died:
        at += stride
        clock, phones = ManualClock(), MemoryWeCom()
        store = SqliteStore(tmp_path / f"{at}.db", clock=clock)
        await store.open()
        ward = await Ward.opened(store, phones, clock)
        ward.started(Fuse(at))
        died = await run_until_dead(ward)

        ward.started()
        if not await ward.store.get("boards", "duty"):
            await ward.change("duty")
        await ward.pass_time(12, each_s=6)

        sent_bytes = {request: phones.calls.count(request) for request in phones.calls}
        assert cards(phones) == {"s0001": ["duty", "news"], "s0002": ["news"]}, at
        assert sum(sent_bytes.values()) <= 3 + len(PEOPLE), at
        assert len(sent_bytes) == 3, at
        assert {notice.state for notice in await ward.notices()} == {"sent"}, at
        await ward.pass_time(120, each_s=60)
        assert not await ward.owed(), at
        await store.close()
    assert at > 50


async def test_without_a_crash_every_notice_is_one_call(ward: Ward, phones: MemoryWeCom) -> None:
    await run_until_dead(ward)

    assert len(phones.calls) == len(set(phones.calls)) == 3


async def test_a_store_that_is_busy_for_a_moment_costs_no_second_ring(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")
    sender = ward.notifier._departures._sending
    sender._pause = lambda seconds: asyncio.sleep(0)
    put, refusals = sender._put, [StoreBusy("full"), StoreBusy("full")]

    async def busy_after_the_call(notice: Notice, version: int, *marks: object) -> object:
        if notice.state == "sent" and refusals:
            raise refusals.pop()
        return await put(notice, version, *marks)

    sender._put = busy_after_the_call
    await ward.pass_time(80)

    assert len(phones.calls) == 1
    assert [notice.state for notice in await ward.notices()] == ["sent"]


async def test_a_process_that_slept_through_its_lease_asks_again_before_it_calls(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")
    ward.clock.advance(9)
    sleeper = ward.notifier
    await sleeper.look_step()
    sending = sleeper._departures._sending
    lease, leases = sending.lease, []

    async def sleeps_after(held: object) -> object:
        leased = await lease(held)
        leases.append(leased)
        if len(leases) == 1:
            # Stopped for two minutes; meanwhile another process takes the notice and sends it.
            ward.clock.advance(120)
            await ward.started().step()
        return leased

    sending.lease = sleeps_after
    await sleeper.send_step()
    await sleeper.quiet()

    assert len(phones.calls) == 1
    assert [notice.state for notice in await ward.notices()] == ["sent"]


async def test_a_place_that_is_gone_when_the_answer_comes_is_still_recorded(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")
    ward.clock.advance(9)
    await ward.notifier.look_step()
    duty = ward.notifier._departures._duties["board"]
    settle = duty.settle

    async def settle_what_is_gone(subject: str, upto: dict[str, int]) -> object:
        marks = await settle(subject, upto)
        await ward.store.apply(Delete("followers", "news:s0001"))
        return marks

    duty.settle = settle_what_is_gone
    await ward.notifier.step()

    assert [notice.state for notice in await ward.notices()] == ["sent"]


async def test_stopping_lets_calls_end_and_leaves_the_rest_to_the_next(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", *PEOPLE)
    await ward.change("news", due_in_s=0)
    ward.clock.advance(9)
    await ward.notifier.start()
    async with asyncio.timeout(5):
        while not phones.calls:
            await asyncio.sleep(0.01)
    await ward.notifier.stop()

    ward.started()
    await ward.pass_time(10)

    assert cards(phones) == {"s0001": ["news"], "s0002": ["news"]}
    assert len(phones.calls) == 2


async def test_a_row_that_changed_during_the_look_is_looked_at_again(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")
    await ward.read("news", "s0001")
    ward.clock.advance(9)
    duty = ward.notifier._looking._duties["board"]
    due, once = duty.due, [1]

    async def due_then_a_change(rows: object) -> object:
        claims = await due(rows)
        if once:
            once.pop()
            await ward.change("news")
        return claims

    duty.due = due_then_a_change
    await ward.pass_time(30)

    assert len(phones.phones["s0001"]) == 1
    with pytest.raises(Conflict):
        await ward.store.apply(Delete("owed", "board:news", 1))
