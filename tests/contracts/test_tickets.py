"""The port of socket tickets: honoured once, in time, and never too many."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from server.auth.tickets import Tickets
from server.auth.tickets.memory import MemoryTickets
from server.auth.tickets.redis import RedisTickets
from server.errors import Busy, Unavailable
from tests.contracts.desks import Desk, memory_desk, redis_desk
from tests.redis_server import RedisServer


@pytest.fixture(params=["memory", "redis"])
async def desk(
    request: pytest.FixtureRequest, redis_server: RedisServer
) -> AsyncIterator[Desk[Tickets]]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield memory_desk(MemoryTickets)
        else:
            yield await redis_desk(RedisTickets, "ticket", 1e-3, redis_server, stack)


async def test_a_ticket_is_honoured_once(desk: Desk[Tickets]) -> None:
    tickets = desk.window()
    ticket = await tickets.issue("session")

    assert await tickets.redeem(ticket) == "session"
    assert await tickets.redeem(ticket) is None


@pytest.mark.parametrize(
    "ticket",
    ["made-up", "", "x" * 100_000, "票", "\ud800", "a\0b"],
    ids=["unknown", "empty", "long", "Chinese", "half a character", "with a zero"],
)
async def test_what_is_no_ticket_is_worth_nothing(desk: Desk[Tickets], ticket: str) -> None:
    assert await desk.window().redeem(ticket) is None


async def test_a_ticket_ends_after_a_minute(desk: Desk[Tickets]) -> None:
    tickets = desk.window()
    first, second = await tickets.issue("s"), await tickets.issue("s")

    await desk.time_passes(50)
    assert await tickets.redeem(first) == "s"
    await desk.time_passes(10)
    assert await tickets.redeem(second) is None


async def test_a_sessions_oldest_ticket_gives_way(desk: Desk[Tickets]) -> None:
    tickets = desk.window(per_session=2)
    first, second, third = [await tickets.issue("s") for _ in range(3)]

    assert await tickets.redeem(first) is None
    assert [await tickets.redeem(t) for t in (second, third)] == ["s", "s"]


async def test_a_session_may_hold_one_ticket_at_a_time_when_told_so(desk: Desk[Tickets]) -> None:
    tickets = desk.window(per_session=1)
    await tickets.issue("s")
    ticket = await tickets.issue("s")

    assert await tickets.redeem(ticket) == "s"


async def test_too_many_tickets_are_refused_until_some_are_used_or_over(
    desk: Desk[Tickets],
) -> None:
    tickets = desk.window(most=3)
    issued = [await tickets.issue(f"s{n}") for n in range(3)]

    with pytest.raises(Busy):
        await tickets.issue("s9")
    await tickets.redeem(issued[0])
    await tickets.issue("s9")
    await desk.time_passes(60)
    for number in range(3):
        await tickets.issue(f"s{number}")


async def test_no_two_tickets_are_alike(desk: Desk[Tickets]) -> None:
    tickets = desk.window(per_session=100)

    assert len({await tickets.issue("s") for _ in range(100)}) == 100


async def test_memory_keeps_nothing_of_what_is_over() -> None:
    desk = memory_desk(MemoryTickets)
    tickets = desk.window()
    for number in range(3):
        await tickets.issue(f"s{number}")
    await desk.time_passes(60)
    await tickets.redeem("made-up")

    assert len(tickets) == 0


@pytest.mark.redis
async def test_a_ticket_of_one_node_is_honoured_by_another_and_only_once(
    redis_server: RedisServer,
) -> None:
    async with AsyncExitStack() as stack:
        desk = await redis_desk(RedisTickets, "ticket", 1e-3, redis_server, stack)
        first, second = desk.window(), desk.window()
        ticket = await first.issue("session")

        assert await second.redeem(ticket) == "session"
        assert await first.redeem(ticket) is None


@pytest.mark.redis
async def test_redis_keeps_nothing_of_what_was_used(redis_server: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Redis.from_url(redis_server.url))
        name = secrets.token_hex(4)
        tickets = RedisTickets(redis_server.url, name=name)
        stack.push_async_callback(tickets.close)
        await tickets.redeem(await tickets.issue("session"))

        assert [key async for key in client.scan_iter(f"{name}*")] == []


@pytest.mark.redis
async def test_without_redis_nobody_gets_a_ticket_in_and_later_all_is_well(
    own_redis: RedisServer,
) -> None:
    tickets = RedisTickets(own_redis.url)
    await tickets.issue("s")
    own_redis.kill()
    with pytest.raises(Unavailable):
        await tickets.issue("s")
    with pytest.raises(Unavailable):
        await tickets.redeem("some-ticket")
    await own_redis.start()

    assert await tickets.redeem(await tickets.issue("s")) == "s"
    await tickets.close()
