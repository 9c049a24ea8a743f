"""The backplane port: hints between nodes, at most once, in order per channel."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from realtime.backplane import Backplane
from realtime.backplane.memory import MemoryLine
from realtime.errors import Closing
from realtime.publisher import Publication


@dataclass
class Node:
    """A plug and what it heard."""

    plug: Backplane
    heard: list[Publication] = field(default_factory=list)
    closed: list[tuple[str, Closing, frozenset[str] | None]] = field(default_factory=list)

    def deliver(self, publications: Sequence[Publication]) -> None:
        self.heard.extend(publications)

    def close_connections(
        self, person_id: str, reason: Closing, session_ids: frozenset[str] | None
    ) -> None:
        self.closed.append((person_id, reason, session_ids))


def publication(position: int, channel: str = "conversation:1") -> Publication:
    return Publication(
        channel, "chat.sent", b"{}", position, key="k", joins=("li",), leaves=("wu",)
    )


async def all_told() -> None:
    """The memory adapter tells in the next steps of the loop."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture(params=["memory"])
async def nodes(request: pytest.FixtureRequest) -> AsyncIterator[list[Node]]:
    line = MemoryLine()
    nodes = [Node(line.plug()) for _ in range(3)]
    for node in nodes:
        await node.plug.start(node)
    yield nodes
    for node in nodes:
        await node.plug.stop()


async def test_every_other_node_hears_everything_once_in_order(nodes: list[Node]) -> None:
    first, *others = nodes
    told = [publication(position) for position in range(50)]
    for start in range(0, 50, 7):
        first.plug.broadcast(told[start : start + 7])
    await all_told()
    for other in others:
        assert other.heard == told
    assert first.heard == []


async def test_nothing_is_told_before_the_teller_goes_on(nodes: list[Node]) -> None:
    first, second, _ = nodes
    first.plug.broadcast([publication(1)])
    assert second.heard == []


async def test_connections_of_a_person_are_ended_on_the_other_nodes(nodes: list[Node]) -> None:
    first, second, third = nodes
    first.plug.disconnect("li", Closing.REVOKED, frozenset({"phone"}))
    await all_told()
    assert second.closed == third.closed == [("li", Closing.REVOKED, frozenset({"phone"}))]
    assert first.closed == []


async def test_a_stopped_node_neither_hears_nor_speaks(nodes: list[Node]) -> None:
    first, second, third = nodes
    await second.plug.stop()
    first.plug.broadcast([publication(1)])
    second.plug.broadcast([publication(2)])
    await all_told()
    assert second.heard == []
    assert [heard.position for heard in third.heard] == [1]
