"""Two whole servers in this process, as two nodes: one store, one line between them, sockets of their own.

Real time: what nodes do for one another they do every second.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from realtime.application import Reach
from realtime.backplane.memory import MemoryLine
from realtime.hub import Hub
from realtime.presence.memory import MemoryPresence
from realtime.testing import SocketClient
from server.app import Shared, opened_store, running
from server.auth.states.memory import MemoryStates
from server.auth.tickets.memory import MemoryTickets
from server.clock import SystemClock
from server.directory.seeding import seed_people
from server.http.health import Check
from server.line import Line
from server.settings import Settings
from server.storage import Store
from tests.realtime.ward import eventually
from tests.server.house import House, HousePerson, HouseStaff

NAMES = ("单雄信", "曾巩", "区适子", "查良镛", "仇英")
STAFF = tuple(
    HousePerson(f"s000{n}", name, roles=("staff", "leader"), wecom_user_id=f"s000{n}", oa_user_id=f"{n}")
    for n, name in enumerate(NAMES, start=1)
)  # fmt: skip
WITHIN_S = 20.0
"""What takes a second or two on a quiet machine."""


class EveryHub:
    """Presence across the nodes there are at the moment."""

    def __init__(self) -> None:
        self.hubs: list[Hub] = []

    def of(self, hub: Hub) -> "EveryHub":
        self.hubs.append(hub)
        return self

    async def reach(self, people: Collection[str], since: int) -> dict[str, Reach]:
        return await MemoryPresence(self.hubs).reach(people, since)

    async def online(self, people: Collection[str]) -> set[str]:
        return await MemoryPresence(self.hubs).online(people)


@dataclass
class Pair:
    """The nodes of a hospital; the first leads, since it came first."""

    store: Store
    nodes: list[House]
    open_node: Callable[[], Awaitable[House]]
    close_last: Callable[[], Awaitable[None]]
    """Stop the node that came last, as SIGTERM does."""

    @property
    def first(self) -> House:
        return self.nodes[0]

    @property
    def second(self) -> House:
        return self.nodes[1]


@asynccontextmanager
async def open_pair(folder: Path, *, linked: bool = True, **settings: Any) -> AsyncIterator[Pair]:
    """Two nodes over a store in `folder`; not `linked`, as while Redis is away."""
    clock = SystemClock()
    chosen = replace(Settings(http_port=0, data_dir=folder), **settings)
    line, tickets, presence = MemoryLine(), MemoryTickets(clock), EveryHub()
    states = MemoryStates(clock)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened_store(chosen, clock))
        await seed_people(store, HouseStaff(people=STAFF), clock)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )

        stacks: list[AsyncExitStack] = []

        async def open_node() -> House:
            backplane = (line if linked else MemoryLine()).plug()
            share = Line(tickets, states, presence.of, _not_asked, backplane)
            shared = Shared(store, share, is_alone=False)
            stacks.append(await stack.enter_async_context(AsyncExitStack()))
            server = await stacks[-1].enter_async_context(running(chosen, clock, shared))
            house = House(server, clock, http)
            stack.push_async_callback(house.hang_up)
            return house

        async def close_last() -> None:
            await stacks.pop().aclose()

        yield Pair(store, [await open_node(), await open_node()], open_node, close_last)


async def _not_asked(nodes: int) -> Check:
    return Check(True)


async def soon(holds: Callable[[], bool]) -> None:
    """Wait until it is so."""
    await eventually(holds, within_s=WITHIN_S)


async def becomes(value: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Ask again and again until the answer is this."""
    answer = None

    async def ask() -> bool:
        nonlocal answer
        answer = await value()
        return bool(answer == wanted)

    try:
        async with asyncio.timeout(WITHIN_S):
            while not await ask():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{answer!r} never became {wanted!r}") from None


async def say(socket: SocketClient, conversation: str, number: int) -> dict[str, Any]:
    content = {"kind": "text", "text": f"第 {number} 句"}
    fields = {"conversation_id": conversation, "client_id": f"c{number}", "content": content}
    return await socket.ask("chat.send", fields)


async def conversation_of(socket: SocketClient, person: str) -> str:
    return str((await socket.ask("chat.open", {"person_id": person}))["conversation_id"])
