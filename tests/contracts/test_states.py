"""The port of states: taken once, in time, by the browser they began in, and never too many."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from server.auth.states import LIFETIME_S, States, Taken
from server.auth.states.memory import MemoryStates
from server.auth.states.redis import RedisStates
from server.errors import Unavailable
from tests.contracts.desks import Desk, memory_desk, redis_desk
from tests.redis_server import RedisServer


@pytest.fixture(params=["memory", "redis"])
async def desk(
    request: pytest.FixtureRequest, redis_server: RedisServer
) -> AsyncIterator[Desk[States]]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield memory_desk(MemoryStates)
        else:
            yield await redis_desk(RedisStates, "state", 1e-6, redis_server, stack)


async def test_a_state_leads_where_it_began_and_says_when_it_is_shown_again(
    desk: Desk[States],
) -> None:
    states = desk.window()
    state = await states.begin("browser", "/d/7?from=card")

    assert await states.take(state, "browser") == Taken("/d/7?from=card", again=False)
    assert await states.take(state, "browser") == Taken("/d/7?from=card", again=True)


async def test_another_browser_cannot_take_it_nor_use_it_up(desk: Desk[States]) -> None:
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
async def test_what_is_no_state_leads_nowhere(desk: Desk[States], state: str) -> None:
    assert await desk.window().take(state, "browser") is None


async def test_a_state_is_made_of_what_wecom_hands_on(desk: Desk[States]) -> None:
    state = await desk.window().begin("browser", "/")

    assert state.isascii()
    assert state.isalnum()
    assert 32 <= len(state) <= 128


async def test_a_state_out_of_time_leads_nowhere(desk: Desk[States]) -> None:
    states = desk.window()
    early = await states.begin("browser", "/early")
    await desk.time_passes(LIFETIME_S - 60)
    late = await states.begin("browser", "/late")
    await desk.time_passes(61)

    assert await states.take(early, "browser") is None
    assert await states.take(late, "browser") == Taken("/late", again=False)


async def test_the_oldest_goes_when_there_are_too_many(desk: Desk[States]) -> None:
    states = desk.window(most=3)
    begun = [await states.begin("browser", f"/{n}") for n in range(5)]

    taken = [await states.take(state, "browser") for state in begun]

    assert [one.target if one else None for one in taken[:2]] == [None, None]
    assert [one.target if one else None for one in taken[2:]] == ["/2", "/3", "/4"]


async def test_what_one_node_began_another_takes_once(redis_server: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        desk = await redis_desk(RedisStates, "state", 1e-6, redis_server, stack)
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
