"""The whole server in this process, on a port of its own, with five people who can sign in.

Nothing is replaced but the clock: what is asked goes through sockets and HTTP as a phone's does.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from realtime.testing import SocketClient
from server.app import Server, running
from server.auth.passwords import HASHER
from server.clock import Clock
from server.directory.seeding import seed_people
from server.settings import Settings
from tests.clocks import ManualClock

PASSWORD = "correct horse"
NAMES = {"ann": "安宁", "bob": "鲍博", "cai": "蔡彩", "dan": "单丹", "eve": "叶薇"}


@dataclass(frozen=True)
class HousePost:
    """Everybody holds one."""

    department_id: str = "ward"
    title: str = "护士"
    leads: bool = False


@dataclass(frozen=True)
class HouseDepartment:
    """The only one."""

    id: str = "ward"
    name: str = "产科"
    parent_id: str = ""
    order: int = 0
    oa_department_id: str = ""


@dataclass(frozen=True)
class HousePerson:
    """Somebody, as the directory wants to be told of people."""

    id: str
    name: str
    employee_number: str = ""
    posts: tuple[HousePost, ...] = (HousePost(),)
    office_phone: str = ""
    mobile: str = ""
    email: str = ""
    roles: tuple[str, ...] = ("staff",)
    wecom_user_id: str = ""
    oa_user_id: str = ""


@cache
def hash_of_all() -> str:
    """One for the whole run: it is made to take long."""
    return HASHER.hash(PASSWORD)


@dataclass(frozen=True)
class HouseStaff:
    """All of them, with one password."""

    departments: tuple[HouseDepartment, ...] = (HouseDepartment(),)
    people: tuple[HousePerson, ...] = tuple(HousePerson(id, name) for id, name in NAMES.items())
    password_hash: str = field(default_factory=hash_of_all)


@dataclass
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    text: str
    body: Any

    @property
    def code(self) -> str:
        """The code of a refusal."""
        assert set(self.body) == {"ok", "error"}, self.text
        assert self.body["ok"] is False
        assert set(self.body["error"]) <= {"code", "message", "retry_after_ms"}
        return self.body["error"]["code"]

    @property
    def result(self) -> Any:
        """The result of a command that was done."""
        assert (self.status, self.body.get("ok")) == (200, True), self.text
        assert set(self.body) == {"ok", "result"}
        return self.body["result"]


class House:
    """A running server, and ways to ask it."""

    def __init__(self, server: Server, clock: Clock, http: aiohttp.ClientSession) -> None:
        self.server, self.clock, self.http = server, clock, http
        self.url = server.url
        self._tokens: dict[str, str] = {}
        self._sockets: list[SocketClient] = []

    async def request(self, method: str, path: str, **options: Any) -> Answer:
        """Ask for a path exactly as it is written, following nothing."""
        options = {"allow_redirects": False, **options}
        url = URL(f"{self.url}{path}", encoded=True)
        async with self.http.request(method, url, **options) as response:
            text = await response.text(errors="replace")
            is_json = response.content_type == "application/json"
            body = await response.json() if is_json else None
            return Answer(response.status, response.headers, text, body)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.request("GET", path, headers=headers)

    async def post(self, path: str, body: Any = None, token: str = "", **headers: str) -> Answer:
        """Post JSON below /api/v1."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return await self.request("POST", f"/api/v1/{path}", json=body, headers=headers)

    async def login(self, account: str, password: str = PASSWORD, **headers: str) -> Answer:
        return await self.post("auth/login", {"account": account, "password": password}, **headers)

    async def sign_in(self, person: str) -> str:
        """The token of a new session."""
        answer = await self.login(person)
        assert answer.status == 200, answer.text
        return answer.body["token"]

    async def token(self, person: str) -> str:
        """The token of one session for the whole module."""
        if person not in self._tokens:
            self._tokens[person] = await self.sign_in(person)
        return self._tokens[person]

    async def ask(self, person: str, name: str, **fields: Any) -> Answer:
        """Do a command over HTTP."""
        return await self.post(f"commands/{name}", fields, await self.token(person))

    async def ticket(self, token: str) -> str:
        answer = await self.post("auth/ticket", {}, token)
        assert answer.status == 200, answer.text
        return answer.body["ticket"]

    async def connect(self, token: str) -> SocketClient:
        """A socket under a session, closed after the test."""
        client = await SocketClient.connect(self.url, await self.ticket(token))
        self._sockets.append(client)
        return client

    async def socket(self, person: str) -> SocketClient:
        return await self.connect(await self.token(person))

    async def hang_up(self) -> None:
        """Close the sockets there are."""
        while self._sockets:
            await self._sockets.pop().close()


@asynccontextmanager
async def open_house(
    folder: Path, clock: Clock | None = None, staff: HouseStaff | None = None, **settings: Any
) -> AsyncIterator[House]:
    """A house in `folder` on any free port; a clock that stands still unless one is given."""
    clock = clock or ManualClock()
    chosen = replace(Settings(http_port=0, data_dir=folder), **settings)
    async with (
        running(chosen, clock) as server,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        await seed_people(server.store, staff or HouseStaff(), clock)
        await server.directory.load(server.store)
        house = House(server, clock, http)
        try:
            yield house
        finally:
            await house.hang_up()
