"""The port of states: taken once, in time, by the browser they began in, and never too many."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from server.auth.states import LIFETIME_S, States, Taken
from server.auth.states.memory import MemoryStates
from server.auth.states.redis import RedisStates
from server.errors import Unavailable
from tests.clocks import ManualClock
from tests.redis_server import RedisServer


@dataclass
class Desk:
    """Where states are kept: any number of nodes' windows to one place, and its time."""

    window: Callable[..., States]
    time_passes: Callable[[float], Awaitable[None]]


def memory_desk() -> Desk:
    clock = ManualClock()

    async def time_passes(seconds: float) -> None:
        clock.advance(seconds)

    return Desk(lambda **bounds: MemoryStates(clock, **bounds), time_passes)


async def redis_desk(redis: RedisServer, stack: AsyncExitStack) -> Desk:
    """Time passes in Redis when everything is told to end earlier."""
    name = secrets.token_hex(4)
    client: Redis = await stack.enter_async_context(Redis.from_url(redis.url))

    def window(**bounds: Any) -> RedisStates:
        states = RedisStates(redis.url, name=name, **bounds)
        stack.push_async_callback(states.close)
        return states

    async def time_passes(seconds: float) -> None:
        async for key in client.scan_iter(f"{name}:state:*"):
            left = await client.pttl(key)
            if left > 0:
                await client.pexpire(key, max(0, left - round(seconds * 1000)))
        for state in await client.zrange(f"{name}:states", 0, -1):
            await client.zincrby(f"{name}:states", -seconds * 1_000_000, state)

    return Desk(window, time_passes)


@pytest.fixture(params=["memory", "redis"])
async def desk(request: pytest.FixtureRequest, redis_server: RedisServer) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield memory_desk()
        else:
            yield await redis_desk(redis_server, stack)


async def test_a_state_leads_where_it_began_and_says_when_it_is_shown_again(desk: Desk) -> None:
    states = desk.window()
    state = await states.begin("browser", "/d/7?from=card")

    assert await states.take(state, "browser") == Taken("/d/7?from=card", again=False)
    assert await states.take(state, "browser") == Taken("/d/7?from=card", again=True)


async def test_another_browser_cannot_take_it_nor_use_it_up(desk: Desk) -> None:
    states = desk.window()
    state = await states.begin("browser", "/d/7")

    assert await states.take(state, "another") is None
    assert await states.take(state, "") is None
    assert await states.take(state, "browser") == Taken("/d/7", again=False)


@pytest.mark.parametrize(
    "state",
    ["made-up", "", "x" * 100_000, "状", "\ud800", "a\0b"],
    ids=["unknown", "empty", "long", "Chinese", "half a character", "with a zero"],
)
async def test_what_is_no_state_leads_nowhere(desk: Desk, state: str) -> None:
    assert await desk.window().take(state, "browser") is None


async def test_a_state_is_made_of_what_wecom_hands_on(desk: Desk) -> None:
    state = await desk.window().begin("browser", "/")

    assert state.isascii()
    assert state.isalnum()
    assert 32 <= len(state) <= 128


async def test_a_state_out_of_time_leads_nowhere(desk: Desk) -> None:
    states = desk.window()
    early = await states.begin("browser", "/early")
    await desk.time_passes(LIFETIME_S - 60)
    late = await states.begin("browser", "/late")
    await desk.time_passes(61)

    assert await states.take(early, "browser") is None
    assert await states.take(late, "browser") == Taken("/late", again=False)


async def test_the_oldest_goes_when_there_are_too_many(desk: Desk) -> None:
    states = desk.window(most=3)
    begun = [await states.begin("browser", f"/{n}") for n in range(5)]

    taken = [await states.take(state, "browser") for state in begun]

    assert [one.target if one else None for one in taken[:2]] == [None, None]
    assert [one.target if one else None for one in taken[2:]] == ["/2", "/3", "/4"]


async def test_what_one_node_began_another_takes_once(redis_server: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        desk = await redis_desk(redis_server, stack)
        here, there = desk.window(), desk.window()
        state = await here.begin("browser", "/d/7")

        assert await there.take(state, "browser") == Taken("/d/7", again=False)
        assert await here.take(state, "browser") == Taken("/d/7", again=True)


async def test_a_redis_that_is_away_is_told(own_redis: RedisServer) -> None:
    states = RedisStates(own_redis.url)
    own_redis.kill()

    with pytest.raises(Unavailable):
        await states.begin("browser", "/")
    with pytest.raises(Unavailable):
        await states.take("state", "browser")
    await states.close()
