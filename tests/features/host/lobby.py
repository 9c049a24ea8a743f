"""The lobby: a real server and the real stand-in of WeCom, and browsers that walk between the two.

Addresses of both are known before either is up, because each has to name the other.
"""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from yarl import URL

from server.app import Server, running
from server.audit import AuditRow
from server.clock import Clock
from server.directory.documents import Person
from server.directory.seeding import seed_people
from server.sandbox.config import SandboxPerson
from server.settings import Settings
from server.storage import Patch
from server.storage.document import from_doc
from tests.clocks import ManualClock
from tests.sandbox.running import RunningSandbox, running_sandbox
from tests.server.house import HousePerson, HouseStaff

IN_WECOM = "Mozilla/5.0 (iPhone) Mobile/14C92 wxwork/4.1.6 MicroMessenger/7.0.1 Language/zh"
PASSWORD = "correct horse"
STAFF = (
    HousePerson("ann", "安宁", wecom_user_id="Ann", mobile="10011112222"),
    HousePerson("bob", "鲍博", mobile="10033334444", email="bob@hospital.example"),
    HousePerson("cai", "蔡彩"),
    HousePerson("boss", "管理员", roles=("staff", "system_admin")),
)
MEMBERS = (
    SandboxPerson("Ann", "安宁"),
    SandboxPerson("bob", "鲍博", mobile="+86 100-3333-4444"),
    SandboxPerson("wx.cai", "蔡彩", email="bob@hospital.example"),
    SandboxPerson("far", "远人", in_scope=False),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Page:
    """Where a walk ended."""

    status: int
    url: URL
    text: str
    hops: list[str]

    @property
    def path(self) -> str:
        return self.url.path_qs


class Browser:
    """Cookies of its own, one address per walk; `phone` makes it that person's WeCom."""

    def __init__(self, lobby: "Lobby", http: aiohttp.ClientSession) -> None:
        self.lobby, self.http = lobby, http

    async def pick_up(self, phone: str) -> None:
        """Become somebody's phone, by tapping something that leads nowhere."""
        door = f"{self.lobby.wecom}/wecom/phones/{phone}/open"
        async with self.http.get(
            door, params={"url": "http://elsewhere.example/"}, allow_redirects=False
        ) as response:
            assert response.status == 302

    async def go(self, address: str) -> Page:
        """Follow an address, ours when it begins with a slash, to where it ends."""
        url = address if "://" in address else f"{self.lobby.url}{address}"
        async with self.http.get(URL(url, encoded=True)) as response:
            hops = [str(step.url) for step in response.history]
            return Page(response.status, response.url, await response.text(), hops)

    async def step(self, address: str) -> str:
        """Where an address sends one, without going there."""
        url = address if "://" in address else f"{self.lobby.url}{address}"
        async with self.http.get(URL(url, encoded=True), allow_redirects=False) as response:
            assert response.status == 302, await response.text()
            return response.headers["Location"]

    async def post(self, path: str, **fields: Any) -> tuple[int, Any]:
        async with self.http.post(
            f"{self.lobby.url}/api/v1/{path}", json=fields, headers={"Origin": self.lobby.url}
        ) as response:
            return response.status, await response.json()

    async def who(self) -> str:
        """Who is signed in here; "" for nobody."""
        status, body = await self.post("commands/account.me")
        return body["result"]["person"]["person_id"] if status == 200 else ""

    async def shows(self, to: str = "/d/7") -> Page:
        """Agree to show phone and mail in WeCom, and come back."""
        asked = await self.go(f"/api/v1/auth/wecom?to={to}&scope=privateinfo")
        agree = asked.text.partition('first" href="')[2].partition('"')[0]
        return await self.go(f"{self.lobby.wecom}{agree.replace('&amp;', '&')}")

    async def callback(self, to: str = "/d/7") -> str:
        """The address to come back to, with its code, not yet gone to."""
        door = await self.step(f"/api/v1/auth/wecom?to={to}")
        return await self.step(door)


class Lobby:
    """Both houses."""

    def __init__(self, server: Server, sandbox: RunningSandbox, clock: Any) -> None:
        self.server, self.sandbox, self.clock = server, sandbox, clock
        self.url, self.wecom = server.settings.url, sandbox.base
        self._https: list[aiohttp.ClientSession] = []

    async def browser(self, phone: str = "", agent: str = IN_WECOM) -> Browser:
        http = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"User-Agent": agent}
        )
        self._https.append(http)
        browser = Browser(self, http)
        if phone:
            await browser.pick_up(phone)
        return browser

    async def texts(self, mobile: str) -> list[str]:
        async with self.sandbox.http.get(f"{self.wecom}/sms/inbox/{mobile}") as response:
            return [text["text"] for text in await response.json()]

    async def asked(self, endpoint: str) -> int:
        """How often WeCom was asked something."""
        return int((await self.sandbox.counts())["calls"].get(endpoint, 0))

    async def audited(self, action: str) -> list[AuditRow]:
        docs = await self.server.store.scan(AuditRow.collection.name, limit=500)
        rows = [from_doc(AuditRow, doc) for doc in docs]
        return [row for row in rows if row.action == action]

    async def has_left(self, person_id: str) -> None:
        """As an import of the staff list makes it."""
        fields = {"retired_at": self.clock.now(), "wecom_user_id": None}
        await self.server.store.apply(Patch(Person.collection.name, person_id, fields))
        await self.server.directory.load(self.server.store)

    async def is_listed_as(self, person_id: str, wecom_user_id: str) -> None:
        """As an import of the staff list makes it."""
        fields = {"wecom_user_id": wecom_user_id}
        await self.server.store.apply(Patch(Person.collection.name, person_id, fields))
        await self.server.directory.load(self.server.store)

    async def close(self) -> None:
        for http in self._https:
            await http.close()


@asynccontextmanager
async def open_lobby(
    folder: Path, clock: Clock | None = None, **changed: Any
) -> AsyncIterator[Lobby]:
    clock = clock or ManualClock()
    port = free_port()
    public_url = f"http://127.0.0.1:{port}"
    async with running_sandbox(
        folder / "sandbox", clock, people=MEMBERS, public_url=public_url
    ) as sandbox:
        told = {
            "http_port": port,
            "data_dir": folder / "data",
            "wecom_api_base": f"{sandbox.base}/wecom/cgi-bin/",
            "wecom_authorize_url": f"{sandbox.base}/wecom/connect/oauth2/authorize",
            "wecom_qr_url": f"{sandbox.base}/wecom/wwlogin/sso/login",
            "wecom_corp_id": "wwsandbox",
            "wecom_secret": "sandbox",
            "sms_url": f"{sandbox.base}/sms/send",
            "sms_secret": "sandboxsms",
            "wecom_asks_phone": True,
            **changed,
        }
        async with running(replace(Settings(), **told), clock) as server:
            await seed_people(server.store, HouseStaff(people=STAFF), clock)
            await server.directory.load(server.store)
            lobby = Lobby(server, sandbox, clock)
            try:
                yield lobby
            finally:
                await lobby.close()


def state_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]
