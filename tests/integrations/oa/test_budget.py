"""The call budget and the circuit breaker, on a clock moved by hand."""

import asyncio
from collections import Counter

import pytest

from server.clock import SystemClock
from server.integrations.oa import Blocked, NotUnderstood, RefusedByOA, Unreachable
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane, OverBudget
from tests.clocks import ManualClock

SILENT = Unreachable("nobody there")


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def stop(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_calls_beyond_the_burst_come_at_the_rate() -> None:
    clock = ManualClock()
    budget = Budget(10, clock, burst=2)
    tasks = [asyncio.create_task(budget.take(Lane.REST)) for _ in range(30)]
    await settle()
    assert budget.spent == 2
    for second in (1, 2):
        for _ in range(10):
            clock.advance(0.1)
            budget.grant()
        assert budget.spent == 2 + second * 10
    await stop(*tasks)


async def test_the_more_urgent_lane_goes_first() -> None:
    clock = ManualClock()
    budget = Budget(10, clock, burst=1)
    order: list[Lane] = []

    async def call(lane: Lane) -> None:
        await budget.take(lane)
        order.append(lane)

    await budget.take(Lane.REST)
    lanes = (Lane.REST, Lane.VISIBLE, Lane.INTERACTIVE, Lane.VISIBLE, Lane.INTERACTIVE)
    tasks = [asyncio.create_task(call(lane)) for lane in lanes]
    await settle()
    for _ in range(5):
        clock.advance(0.1)
        budget.grant()
        await settle()
    assert order == sorted(lanes)
    await asyncio.gather(*tasks)


async def test_one_call_in_twenty_belongs_to_the_rest() -> None:
    clock = ManualClock()
    budget = Budget(100, clock, burst=1)
    calls: Counter[Lane] = Counter()

    async def keep_calling(lane: Lane) -> None:
        while True:
            await budget.take(lane)
            calls[lane] += 1

    tasks = [asyncio.create_task(keep_calling(lane)) for lane in Lane for _ in range(3)]
    for _ in range(400):
        await settle()
        clock.advance(0.01)
        budget.grant()
    assert calls[Lane.REST] == pytest.approx(20, abs=1)
    assert calls[Lane.INTERACTIVE] == pytest.approx(380, abs=3)
    await stop(*tasks)


async def test_a_wait_too_long_is_refused_at_once() -> None:
    clock = ManualClock()
    budget = Budget(1, clock, burst=1, patience_s=3)
    await budget.take(Lane.INTERACTIVE)
    tasks = [asyncio.create_task(budget.take(Lane.INTERACTIVE)) for _ in range(3)]
    await settle()
    with pytest.raises(OverBudget):
        await budget.take(Lane.INTERACTIVE)
    with pytest.raises(OverBudget):
        await budget.take(Lane.REST)
    await stop(*tasks)


async def test_who_waits_at_a_screen_is_refused_in_time_also_when_the_calls_become_fewer() -> None:
    """What is told after somebody has been told that it did not arrive is told twice."""
    budget = Budget(10, SystemClock(), burst=1, patience_s=0.05)
    await budget.take(Lane.INTERACTIVE)
    rest = asyncio.create_task(budget.take(Lane.REST))
    waiting = asyncio.create_task(budget.take(Lane.INTERACTIVE))
    await settle()
    budget.reduce_to(0)
    done, _ = await asyncio.wait({rest, waiting}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    assert done == {waiting}
    assert isinstance(waiting.exception(), OverBudget)
    await stop(rest)


async def test_the_queue_of_the_rest_refuses_nobody_at_a_screen() -> None:
    clock = ManualClock()
    budget = Budget(1, clock, burst=1, patience_s=3)
    await budget.take(Lane.REST)
    tasks = [asyncio.create_task(budget.take(Lane.REST)) for _ in range(3)]
    await settle()
    urgent = asyncio.create_task(budget.take(Lane.INTERACTIVE))
    await settle()
    clock.advance(1)
    budget.grant()
    await urgent
    await stop(*tasks)


async def test_a_caller_who_left_takes_no_call() -> None:
    clock = ManualClock()
    budget = Budget(10, clock, burst=1)
    await budget.take(Lane.REST)
    gone, there = (asyncio.create_task(budget.take(Lane.REST)) for _ in range(2))
    await settle()
    gone.cancel()
    await settle()
    clock.advance(0.1)
    budget.grant()
    await there
    assert budget.spent == 2


async def test_a_caller_cancelled_with_his_call_in_hand_gives_it_back() -> None:
    clock = ManualClock()
    budget = Budget(10, clock, burst=1)
    await budget.take(Lane.REST)
    gone, there = (asyncio.create_task(budget.take(Lane.REST)) for _ in range(2))
    await settle()
    clock.advance(0.1)
    budget.grant()
    gone.cancel()
    await there
    assert gone.cancelled()
    assert budget.spent == 2


async def test_waiting_callers_are_served_without_anybody_asking_again() -> None:
    """The timer alone: real time here, a fiftieth of a second."""
    budget = Budget(50, SystemClock(), burst=1)
    async with asyncio.timeout(5):
        for _ in range(3):
            await budget.take(Lane.REST)


def test_a_breaker_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(ManualClock(), threshold=3)
    for _ in range(2):
        breaker.failed(SILENT)
    breaker.succeeded()
    for _ in range(2):
        breaker.failed(SILENT)
    assert breaker.allows()
    breaker.failed(SILENT)
    assert breaker.is_open
    assert not breaker.allows()


def test_an_open_breaker_lets_one_try_through_and_closes_when_it_succeeds() -> None:
    clock = ManualClock()
    breaker = Breaker(clock, threshold=1, first_s=1)
    breaker.failed(SILENT)
    clock.advance(1)
    assert breaker.allows()
    assert not breaker.allows()
    breaker.succeeded()
    assert breaker.allows()
    assert breaker.allows()


def test_a_try_that_was_given_up_lets_the_next_one_through() -> None:
    clock = ManualClock()
    breaker = Breaker(clock, threshold=1, first_s=1)
    breaker.failed(SILENT)
    clock.advance(1)
    assert breaker.allows()
    breaker.abandoned()
    assert breaker.allows()


def test_answers_open_nothing_and_close_what_is_open() -> None:
    clock = ManualClock()
    breaker = Breaker(clock, threshold=2)
    for answer in (RefusedByOA("no"), NotUnderstood("?")):
        for _ in range(10):
            breaker.failed(answer)
        assert not breaker.is_open
        breaker.failed(SILENT)
        breaker.failed(SILENT)
        clock.advance(breaker.wait_s())
        assert breaker.allows()
        breaker.failed(answer)
        assert not breaker.is_open


def test_whoever_is_not_let_through_hears_what_the_last_call_met() -> None:
    clock = ManualClock()
    breaker = Breaker(clock, threshold=1)
    breaker.failed(Blocked("a filter refuses us"))
    told = breaker.reason()
    assert isinstance(told, Blocked)
    assert (told.sentence, told.never_arrived) == ("a filter refuses us", True)
    clock.advance(breaker.wait_s())
    breaker.failed(SILENT)
    assert isinstance(breaker.reason(), Unreachable)


def test_waits_grow_to_the_cap_and_are_spread() -> None:
    clock = ManualClock()
    waits = []
    breaker = Breaker(clock, threshold=1, first_s=1, cap_s=5, chance=lambda: 1.0)
    for _ in range(5):
        breaker.failed(SILENT)
        waits.append(breaker.wait_s())
        clock.advance(breaker.wait_s())
    assert waits == [1, 2, 4, 5, 5]
    spread = Breaker(clock, threshold=1, first_s=1, chance=lambda: 0.0)
    spread.failed(SILENT)
    assert spread.wait_s() == 0.5


def test_stragglers_of_the_same_failure_do_not_lengthen_the_wait() -> None:
    breaker = Breaker(ManualClock(), threshold=2, chance=lambda: 1.0)
    for _ in range(12):
        breaker.failed(SILENT)
    assert breaker.wait_s() == 1.0
