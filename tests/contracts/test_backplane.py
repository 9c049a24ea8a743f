"""The backplane port: hints between nodes, at most once, in order per channel."""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest

from realtime.backplane import Backplane
from realtime.backplane.memory import MemoryLine
from realtime.backplane.redis import RedisBackplane
from realtime.errors import Closing
from realtime.publisher import Publication
from tests.realtime.ward import eventually
from tests.redis_server import RedisServer


@dataclass
class Node:
    """A plug and what it heard."""

    plug: Backplane
    heard: list[Publication] = field(default_factory=list)
    closed: list[tuple[str, Closing, frozenset[str] | None]] = field(default_factory=list)
    doubts: int = 0

    def deliver(self, publications: Sequence[Publication]) -> None:
        self.heard.extend(publications)

    def close_connections(
        self, person_id: str, reason: Closing, session_ids: frozenset[str] | None
    ) -> None:
        self.closed.append((person_id, reason, session_ids))

    def missed_some(self) -> None:
        self.doubts += 1


def publication(position: int, channel: str = "conversation:1") -> Publication:
    return Publication(
        channel, "chat.sent", b"{}", position, key="k", joins=("li",), leaves=("wu",)
    )


def plugs(kind: str, redis: RedisServer) -> Callable[[], Backplane]:
    """How to make plugs of one line that nobody else uses."""
    name = secrets.token_hex(4)
    return MemoryLine().plug if kind == "memory" else lambda: RedisBackplane(redis.url, name=name)


@pytest.fixture(params=["memory", "redis"])
async def nodes(
    request: pytest.FixtureRequest, redis_server: RedisServer
) -> AsyncIterator[list[Node]]:
    """Three nodes that know each other and hear one conversation."""
    plug = plugs(request.param, redis_server)
    nodes = [Node(plug()) for _ in range(3)]
    for node in nodes:
        await node.plug.start(node)
        node.plug.need("conversation:1", True)
        node.plug.need("person:li", True)
    await eventually(lambda: all(node.plug.is_sound for node in nodes))
    if request.param == "redis":
        await eventually(lambda: all(node.plug.metrics.nodes == 2 for node in nodes))
        await eventually(lambda: all(node.plug.is_sound for node in nodes))
    yield nodes
    for node in nodes:
        await node.plug.stop()


async def test_every_other_node_hears_everything_once_in_order(nodes: list[Node]) -> None:
    first, *others = nodes
    told = [publication(position) for position in range(50)]
    for start in range(0, 50, 7):
        first.plug.broadcast(told[start : start + 7])
    for other in others:
        await eventually(lambda other=other: len(other.heard) >= 50)
        assert other.heard == told
    assert first.heard == []


async def test_nothing_is_told_before_the_teller_goes_on(nodes: list[Node]) -> None:
    first, second, _ = nodes
    first.plug.broadcast([publication(1)])
    assert second.heard == []


async def test_connections_of_a_person_are_ended_on_the_other_nodes(nodes: list[Node]) -> None:
    first, second, third = nodes
    first.plug.disconnect("li", Closing.REVOKED, frozenset({"phone"}))
    await eventually(lambda: bool(second.closed and third.closed))
    assert second.closed == third.closed == [("li", Closing.REVOKED, frozenset({"phone"}))]
    assert first.closed == []


async def test_a_stopped_node_neither_hears_nor_speaks(nodes: list[Node]) -> None:
    first, second, third = nodes
    await second.plug.stop()
    first.plug.broadcast([publication(1)])
    second.plug.broadcast([publication(2)])
    await eventually(lambda: bool(third.heard))
    first.plug.broadcast([publication(3)])
    await eventually(lambda: len(third.heard) == 2)
    assert second.heard == []
    assert [heard.position for heard in third.heard] == [1, 3]


async def test_who_is_brought_in_is_told_though_their_node_hears_nothing_of_the_channel(
    nodes: list[Node],
) -> None:
    first, second, _ = nodes
    joins = Publication("conversation:2", "chat.members_changed", b"{}", 1, joins=("li",))
    first.plug.broadcast([joins])
    await eventually(lambda: second.heard == [joins])


async def test_what_was_announced_is_told_from_then_on(nodes: list[Node]) -> None:
    first, second, _ = nodes
    second.plug.need("conversation:3", True)
    await second.plug.announced()
    first.plug.broadcast([publication(1, "conversation:3")])
    await eventually(lambda: len(second.heard) == 1)
