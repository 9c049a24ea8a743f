"""Two whole servers as processes of their own, over a database's wire and a real Redis, beside an OA.

Either may be killed, as a power cut would, and is started again for the next test. The stand-in for the OA
lives in the tests' own process: what it was asked is counted there, and it outlives every node.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from realtime.testing import SocketClient
from server.app import opened_store
from server.clock import Millis, SystemClock
from server.directory.seeding import seed_people
from server.features.turnaround.documents import TOUR, CopyTour
from server.sandbox.config import SandboxPerson
from server.settings import Settings
from server.storage import Put, Store
from server.storage.document import to_doc
from tests.end_to_end.processes import ServerProcess
from tests.redis_server import RedisServer
from tests.sandbox.running import RunningSandbox, running_sandbox
from tests.server.house import PASSWORD, HousePerson, HouseStaff
from tests.storage.mongodb import database_for, server_url

WITHIN_S = 90.0
"""What takes a minute at most on a quiet machine."""
PEOPLE = tuple(
    HousePerson(f"s000{n}", f"职工{n}", wecom_user_id=f"s000{n}", oa_user_id=f"{n}")
    for n in range(1, 9)
)


class OAClock(SystemClock):
    """The OA's own, which may be told to be in the past: what is made then is old."""

    behind_ms = 0

    def now(self) -> Millis:
        return Millis(super().now() - self.behind_ms)


async def until(ask: Callable[[], Awaitable[Any]], what: str) -> Any:
    """What it says once that is something; others have to do it."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while not (said := await ask()):
                await asyncio.sleep(0.05)
            return said
    except TimeoutError:
        raise AssertionError(f"it did not come to this: {what}") from None


@dataclass
class Apart:
    """The two nodes, and what people do at them and at the OA's desk."""

    folder: Path
    nodes: tuple[ServerProcess, ServerProcess]
    sandbox: RunningSandbox
    clock: OAClock
    store: Store
    http: aiohttp.ClientSession
    pages: list[SocketClient] = field(default_factory=list)
    _tokens: dict[str, str] = field(default_factory=dict)

    # At the nodes

    async def post(self, node: ServerProcess, path: str, body: Any, token: str = "") -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{node.url}/api/v1/{path}"
        async with self.http.post(address, json=body, headers=headers) as answer:
            return await answer.json()

    async def token(self, node: ServerProcess, person: str) -> str:
        """Of one session for all nodes and tests."""
        if person not in self._tokens:
            form = {"account": person, "password": PASSWORD}
            self._tokens[person] = (await self.post(node, "auth/login", form))["token"]
        return self._tokens[person]

    async def ask(self, node: ServerProcess, person: str, name: str, **fields: Any) -> Any:
        """Do a command; its result, or the code of the refusal."""
        token = await self.token(node, person)
        said = await self.post(node, f"commands/{name}", fields, token)
        return said["result"] if said["ok"] else said["error"]["code"]

    async def page(self, node: ServerProcess, person: str) -> SocketClient:
        """Somebody's page on this node, which nobody looks at."""
        token = await self.token(node, person)
        ticket = (await self.post(node, "auth/ticket", {}, token))["ticket"]
        page = await SocketClient.connect(node.url, ticket)
        self.pages.append(page)
        return page

    async def figure(self, node: ServerProcess, name: str) -> float:
        """One figure of /metrics."""
        async with self.http.get(f"{node.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))

    async def leading(self) -> tuple[ServerProcess, ServerProcess]:
        """The node that leads, and the other."""

        async def leader() -> ServerProcess | None:
            for node in self.nodes:
                if await self.figure(node, "node_leads") == 1.0:
                    return node
            return None

        first = await until(leader, "a node leads")
        return first, self.nodes[1 - self.nodes.index(first)]

    async def revive(self) -> None:
        """Start what was killed."""
        await asyncio.gather(*(node.start() for node in self.nodes if not node.is_running))

    async def hang_up(self) -> None:
        """Close the pages there are; the OA is well."""
        await self.fault("off")
        while self.pages:
            await self.pages.pop().close()

    # At the desk of the OA

    async def document(self, *approvers: str, **fields: Any) -> str:
        """Put one on the desk, by s0001; its number."""
        order = {"title": "请示", "creator": "s0001", "approvers": approvers, "form": {}, **fields}
        async with self.sandbox.http.post(f"{self.sandbox.base}/oa/requests", json=order) as said:
            assert said.status == 201, await said.text()
            return str((await said.json())["request_id"])

    async def fault(self, mode: str, for_s: float = WITHIN_S) -> None:
        self.sandbox.oa.faults.set(mode, for_s)

    def told(self, operation: str) -> int:
        """How often the OA was asked for something."""
        return self.sandbox.oa.calls[operation]

    def journal(self) -> list[dict[str, Any]]:
        """Every change of a document there ever was, as the OA wrote it down."""
        lines = (self.folder / "sandbox" / "oa.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def entries(self, request_id: str) -> list[tuple[int, str]]:
        """Who did what to a document."""
        [*_, last] = [one for one in self.journal() if one["request_id"] == int(request_id)]
        return [(entry["user"], entry["act"]) for entry in last["log"]]

    # In the store

    async def followed(self, person: str, *request_ids: str) -> None:
        """Wait until the mirror holds these documents of somebody; none: any list."""

        async def holds() -> bool:
            doc = await self.store.get("oa_seen", person)
            text = msgspec.json.encode(doc).decode()
            return doc is not None and all(f'"{one}"' in text for one in request_ids)

        await until(holds, f"the list of {person} is followed")

    async def tours(self, tour: CopyTour) -> None:
        """Have the copies of everybody looked at by whichever node leads next."""
        await self.store.apply(Put(CopyTour.collection.name, to_doc(tour), None))

    async def toured(self) -> bool:
        doc = await self.store.get(CopyTour.collection.name, TOUR)
        return doc is not None and not doc.get("hurries") and doc.get("as_of") is not None


@asynccontextmanager
async def open_apart(folder: Path) -> AsyncIterator[Apart]:
    """Both nodes, serving."""
    url = server_url().replace("/?", f"/{database_for(folder)}?")
    clock = OAClock()
    people = [SandboxPerson(person.id, person.name) for person in PEOPLE]
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(
            running_sandbox(folder, clock=clock, people=people)
        )
        store = await stack.enter_async_context(
            opened_store(Settings(data_dir=folder, storage_url=url), SystemClock())
        )
        await seed_people(store, HouseStaff(people=PEOPLE), SystemClock())
        redis = RedisServer(folder)
        stack.callback(redis.kill)
        await redis.start()
        settings = {
            "YUANXIN_STORAGE_URL": url,
            "YUANXIN_REDIS_URL": redis.url,
            "YUANXIN_OA_ENDPOINT": f"{sandbox.base}/oa/services/WorkflowService",
            "YUANXIN_OA_CALLS_PER_SECOND": "100",
            "YUANXIN_OA_POLL_SECONDS": "1",
        }
        first, second = (
            ServerProcess(folder / name, "run", settings=settings) for name in ("first", "second")
        )
        for node in (first, second):
            stack.callback(node.close)
        jar = aiohttp.DummyCookieJar()
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        made = Apart(folder, (first, second), sandbox, clock, store, http)
        await made.document("s0001")  # an OA that holds something is believed sooner
        await made.tours(CopyTour(id=TOUR, hurries=True))
        await made.revive()
        try:
            yield made
        finally:
            await made.hang_up()
