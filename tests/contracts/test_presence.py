"""The presence port: who is reachable on any node, and what is proved to have arrived."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from realtime.application import Reach
from realtime.backplane.redis import Pace, RedisBackplane
from realtime.presence import Presence
from realtime.presence.memory import MemoryPresence
from realtime.presence.redis import RedisPresence
from tests.clocks import ManualClock
from tests.realtime.ward import Ward, eventually, running_ward
from tests.redis_server import RedisServer


@dataclass
class TwoNodes:
    """Two nodes with sockets of their own and one presence over both."""

    clock: ManualClock
    first: Ward
    second: Ward
    presence: Presence


def linked(redis: RedisServer, *, answer_s: float = 5.0) -> list[RedisBackplane]:
    """Two plugs of a line of their own."""
    name, pace = secrets.token_hex(4), Pace(answer_s=answer_s)
    return [RedisBackplane(redis.url, name=name, pace=pace) for _ in range(2)]


@pytest.fixture(params=["memory", "redis"])
async def nodes(
    request: pytest.FixtureRequest, redis_server: RedisServer
) -> AsyncIterator[TwoNodes]:
    clock = ManualClock()
    plugs = linked(redis_server) if request.param == "redis" else [None, None]
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(
                running_ward(clock=clock, ping_interval_s=3600, backplane=plug)
            )
            for plug in plugs
        ]
        presence: Presence = MemoryPresence([first.hub, second.hub])
        if request.param == "redis":
            presence, _ = [
                RedisPresence(ward.hub, plug)
                for ward, plug in zip((first, second), plugs, strict=True)
            ]
            await eventually(lambda: all(p.is_sound and p.metrics.nodes == 1 for p in plugs))
        yield TwoNodes(clock, first, second, presence)


async def test_people_are_online_wherever_they_are(nodes: TwoNodes) -> None:
    await nodes.first.connect("li")
    await nodes.second.connect("wu")
    assert await nodes.presence.online(["li", "wu", "xu"]) == {"li", "wu"}


async def test_who_has_gone_is_online_no_longer(nodes: TwoNodes) -> None:
    client = await nodes.first.connect("li")
    await client.close()
    await eventually(lambda: not nodes.first.hub.is_online("li"))
    assert await nodes.presence.online(["li"]) == set()


async def test_everybody_asked_about_is_answered(nodes: TwoNodes) -> None:
    await nodes.second.connect("li")
    answers = await nodes.presence.reach(["li", "wu"], nodes.clock.now())
    assert answers == {"li": Reach.PENDING, "wu": Reach.AWAY}


async def test_a_proof_on_one_node_outweighs_a_silent_device_on_another(nodes: TwoNodes) -> None:
    silent = await nodes.first.connect("li")
    silent.answers_pings = False
    phone = await nodes.second.connect("li")
    told_at = nodes.clock.now()
    nodes.clock.advance(5)
    assert (await nodes.presence.reach(["li"], told_at))["li"] is Reach.PENDING
    await phone.until(lambda: phone.pings == 1)
    (connection,) = nodes.second.hub.connections_of("li")
    await eventually(lambda: connection.confirmed_at > 0)
    assert (await nodes.presence.reach(["li"], told_at))["li"] is Reach.REACHED


@pytest.mark.redis
async def test_the_people_of_a_node_that_does_not_answer_are_away(
    redis_server: RedisServer,
) -> None:
    silent, asking = linked(redis_server, answer_s=0.05)
    async with running_ward(backplane=silent) as first, running_ward(backplane=asking) as second:
        presence = RedisPresence(second.hub, asking)
        await eventually(lambda: asking.is_sound and asking.metrics.nodes == 1)
        await first.connect("li")
        assert await presence.reach(["li"], 0) == {"li": Reach.AWAY}
        assert await presence.online(["li"]) == set()


@pytest.mark.redis
async def test_presence_outlives_redis_for_the_people_of_this_node(own_redis: RedisServer) -> None:
    plug, _ = linked(own_redis)
    async with running_ward(backplane=plug) as ward:
        presence = RedisPresence(ward.hub, plug)
        await eventually(lambda: plug.is_sound)
        await ward.connect("li")
        own_redis.kill()
        await eventually(lambda: not plug.is_sound)
        assert await presence.online(["li", "wu"]) == {"li"}
