"""Socket tickets in memory."""

import pytest

from server.auth.tickets.memory import MemoryTickets
from server.errors import Busy
from tests.clocks import ManualClock


async def test_a_ticket_is_honoured_once() -> None:
    tickets = MemoryTickets(ManualClock())
    ticket = await tickets.issue("session")

    assert await tickets.redeem(ticket) == "session"
    assert await tickets.redeem(ticket) is None
    assert await tickets.redeem("made-up") is None


async def test_a_ticket_ends_after_a_minute() -> None:
    clock = ManualClock()
    tickets = MemoryTickets(clock)
    first, second = await tickets.issue("s"), await tickets.issue("s")

    clock.advance(59.9)
    assert await tickets.redeem(first) == "s"
    clock.advance(0.1)
    assert await tickets.redeem(second) is None
    assert len(tickets) == 0


async def test_a_sessions_oldest_ticket_gives_way() -> None:
    tickets = MemoryTickets(ManualClock(), per_session=2)
    first, second, third = [await tickets.issue("s") for _ in range(3)]

    assert await tickets.redeem(first) is None
    assert [await tickets.redeem(t) for t in (second, third)] == ["s", "s"]


async def test_a_session_may_hold_one_ticket_at_a_time_when_told_so() -> None:
    tickets = MemoryTickets(ManualClock(), per_session=1)
    await tickets.issue("s")
    ticket = await tickets.issue("s")

    assert await tickets.redeem(ticket) == "s"
    assert len(tickets) == 0


async def test_too_many_tickets_are_refused_until_some_are_used_or_over() -> None:
    clock = ManualClock()
    tickets = MemoryTickets(clock, most=3)
    issued = [await tickets.issue(f"s{n}") for n in range(3)]

    with pytest.raises(Busy):
        await tickets.issue("s9")
    await tickets.redeem(issued[0])
    await tickets.issue("s9")
    clock.advance(60)
    await tickets.issue("s10")
    assert len(tickets) == 1


async def test_no_two_tickets_are_alike() -> None:
    tickets = MemoryTickets(ManualClock(), per_session=100)

    assert len({await tickets.issue("s") for _ in range(100)}) == 100
