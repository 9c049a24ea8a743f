"""The presence port: who is reachable on any node, and what is proved to have arrived."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from realtime.application import Reach
from realtime.presence import Presence
from realtime.presence.memory import MemoryPresence
from tests.clocks import ManualClock
from tests.realtime.ward import Ward, eventually, running_ward


@dataclass
class TwoNodes:
    """Two nodes with sockets of their own and one presence over both."""

    clock: ManualClock
    first: Ward
    second: Ward
    presence: Presence


@pytest.fixture(params=["memory"])
async def nodes(request: pytest.FixtureRequest) -> AsyncIterator[TwoNodes]:
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(running_ward(clock=clock, ping_interval_s=3600))
            for _ in range(2)
        ]
        yield TwoNodes(clock, first, second, MemoryPresence([first.hub, second.hub]))


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
