"""Whole servers as processes over MongoDB's wire and a real Redis: what is acked on one is heard on the
other, once and in order, whatever becomes of Redis and of the nodes themselves."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from realtime.testing import SocketClient
from server.app import opened_store
from server.clock import SystemClock
from server.directory.seeding import seed_people
from server.settings import Settings
from tests.end_to_end.processes import ServerProcess
from tests.redis_server import RedisServer
from tests.server.house import NAMES, PASSWORD, HouseStaff
from tests.storage.mongodb import database_for, server_url

pytestmark = [pytest.mark.redis, pytest.mark.timeout(900)]

WITHIN_S = 60.0
PACE_S = 0.1
LATEST_S = 15.0
"""A generous bound on a loaded machine; what was measured is printed."""


class Phone(SocketClient):
    """Notes when it heard what."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.heard_at: dict[str, list[float]] = {}
        self.seqs: list[int] = []

    def _understand(self, packet: str) -> None:
        before = len(self.events)
        super()._understand(packet)
        for name, event in self.events[before:]:
            if name == "chat.sent":
                message = event["message"]
                self.heard_at.setdefault(message["client_id"], []).append(time.monotonic())
                self.seqs.append(message["seq"])


@dataclass
class Hospital:
    """Servers that share a database and a Redis."""

    folder: Path
    settings: dict[str, str]
    redis: RedisServer
    http: aiohttp.ClientSession
    servers: list[ServerProcess] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)

    async def start(self, *arguments: str, **more: str) -> ServerProcess:
        told = {f"YUANXIN_{name.upper()}": value for name, value in more.items()}
        folder = self.folder / f"node-{len(self.servers)}"
        server = ServerProcess(folder, "run", *arguments, settings={**self.settings, **told})
        self.servers.append(server)
        await server.start()
        return server

    async def post(self, url: str, path: str, body: Any, token: str = "") -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{url}/api/v1/{path}"
        async with self.http.post(address, json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def sign_in(self, url: str, person: str) -> str:
        form = {"account": person, "password": PASSWORD}
        return str((await self.post(url, "auth/login", form))["token"])

    async def phone(self, url: str, person: str) -> Phone:
        """Somebody's page on this node."""
        token = await self.sign_in(url, person)
        ticket = (await self.post(url, "auth/ticket", {}, token))["ticket"]
        phone = await Phone.connect(url, ticket)
        assert isinstance(phone, Phone)
        self.phones.append(phone)
        return phone

    async def figure(self, url: str, name: str) -> float:
        """One figure of /metrics."""
        async with self.http.get(f"{url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


@asynccontextmanager
async def hospital(folder: Path) -> AsyncIterator[Hospital]:
    url = server_url().replace("/?", f"/{database_for(folder)}?")
    clock = SystemClock()
    async with opened_store(Settings(data_dir=folder, storage_url=url), clock) as store:
        await seed_people(store, HouseStaff(), clock)
    redis = RedisServer(folder)
    await redis.start()
    settings = {"YUANXIN_STORAGE_URL": url, "YUANXIN_REDIS_URL": redis.url}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        made = Hospital(folder, settings, redis, http)
        try:
            yield made
        finally:
            for phone in made.phones:
                await phone.close()
            for server in made.servers:
                server.close()
            redis.kill()


async def until(holds: Callable[[], Awaitable[bool]] | Callable[[], bool], what: str) -> None:
    """Wait for something that other processes do."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                answer = holds()
                if await answer if isinstance(answer, Awaitable) else answer:
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"it did not come to this: {what}") from None


class Talk:
    """Everybody writes into one group, at a steady pace, until told to stop."""

    def __init__(self, phones: list[Phone], conversation_id: str) -> None:
        self.phones = phones
        self.acked_at: dict[str, float] = {}
        self._conversation = conversation_id
        self._stop = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._write(phone, place)) for place, phone in enumerate(phones)
        ]

    async def _write(self, phone: Phone, place: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            client_id = f"{place}-{number}"
            content = {"kind": "text", "text": f"第 {client_id} 句"}
            fields = {
                "conversation_id": self._conversation,
                "client_id": client_id,
                "content": content,
            }
            async with asyncio.timeout(WITHIN_S):
                while not (await phone.start("chat.send", fields))["ok"]:
                    await asyncio.sleep(PACE_S)  # busy: the same again
            self.acked_at[client_id] = time.monotonic()
            await asyncio.sleep(PACE_S)

    async def goes_on(self, count: int) -> None:
        """Wait until so many more are acked."""
        wanted = len(self.acked_at) + count
        await until(lambda: len(self.acked_at) >= wanted, f"{wanted} acked")

    async def end(self) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)

    def all_heard(self) -> bool:
        return all(self.acked_at.keys() <= phone.heard_at.keys() for phone in self.phones)


async def group_of(phones: list[Phone]) -> str:
    asked = {"title": "夜班", "member_ids": list(NAMES)}
    return str((await phones[0].ask("chat.create_group", asked))["conversation_id"])


@pytest.mark.parametrize(
    "kills", [pytest.param(2, id="twice"), pytest.param(20, marks=pytest.mark.nightly, id="often")]
)
async def test_redis_dies_and_nothing_is_lost_or_doubled(
    tmp_path: Path, kills: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async with hospital(tmp_path) as made:
        nodes = [await made.start(), await made.start()]
        places = [(nodes[0], "ann"), (nodes[1], "bob"), (nodes[0], "cai"), (nodes[1], "dan")]
        phones = [await made.phone(node.url, person) for node, person in places]
        talk = Talk(phones, await group_of(phones))
        back_at: list[float] = []
        for _ in range(kills):
            await talk.goes_on(20)
            made.redis.kill()
            await talk.goes_on(20)
            await made.redis.start()
            back_at.append(time.monotonic())
        await talk.goes_on(20)
        await talk.end()
        await until(talk.all_heard, "everybody heard everything")

        late = max(
            heard[0] - max([acked, *(at for at in back_at if at <= heard[0] and at > acked)])
            for phone in phones
            for client_id, heard in phone.heard_at.items()
            if (acked := talk.acked_at[client_id])
        )
        with capsys.disabled():
            print(f"\n{len(talk.acked_at)} messages, Redis killed {kills} times: {late:.2f} s late")
        for phone in phones:
            assert phone.is_open
            assert {len(heard) for heard in phone.heard_at.values()} == {1}, "one came twice"
            assert phone.heard_at.keys() == talk.acked_at.keys()
            assert phone.seqs == sorted(phone.seqs)
        assert late < LATEST_S


async def test_the_node_that_leads_is_killed_and_another_goes_on(tmp_path: Path) -> None:
    async with hospital(tmp_path) as made:
        first, second = await made.start(), await made.start()
        assert await made.figure(first.url, "node_leads") == 1.0
        assert await made.figure(second.url, "node_leads") == 0.0
        reader = await made.phone(second.url, "bob")
        sender = await made.phone(second.url, "ann")
        first.kill()
        mail = {
            "client_id": "m1",
            "to": {"person_ids": ["bob"]},
            "subject": "会议通知",
            "text": "周五下午三点。",
        }
        await sender.ask("mail.send", mail)
        await until(lambda: bool(reader.named("mail.counted")), "the mail is brought")
        assert reader.named("mail.counted")[-1]["unread"] == 1
        assert await made.figure(second.url, "node_leads") == 1.0
        assert await second.stop() == 0


def workers_of(server: ServerProcess) -> list[int]:
    """The processes that a parent has."""
    assert server._process is not None
    pid = server._process.pid
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


async def test_workers_share_a_port_and_one_that_dies_is_started_again(tmp_path: Path) -> None:
    async with hospital(tmp_path) as made:
        server = await made.start("--workers", "2")
        await until(lambda: len(workers_of(server)) == 2, "two workers")

        async def sees_both() -> bool:
            return await made.figure(server.url, "nodes_alive") == 2.0

        await until(sees_both, "they know of each other")
        victim, other = workers_of(server)
        os.kill(victim, signal.SIGKILL)
        await until(
            lambda: len(workers_of(server)) == 2 and victim not in workers_of(server),
            "another one is started",
        )
        assert other in workers_of(server)

        async def answers() -> bool:
            with suppress(aiohttp.ClientConnectionError):
                return await made.figure(server.url, "nodes_alive") > 0
            return False

        # The one that died may have been the first to listen.
        await until(answers, "somebody listens")
        phones = [await made.phone(server.url, person) for person in ("ann", "bob")]
        talk = Talk(phones, await group_of(phones))
        await talk.goes_on(10)
        await talk.end()
        await until(talk.all_heard, "everything is heard")

        workers = workers_of(server)
        assert await server.stop() == 0
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
        told = {phone.named("closing")[0]["reason"] for phone in phones}
        assert told == {"going_away"}
