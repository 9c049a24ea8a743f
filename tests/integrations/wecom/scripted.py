"""A WeCom that answers what a test tells it to, and counts how often it was asked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.clock import Clock
from server.integrations.wecom import textcard_request
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.config import WeComConfig

SECRET = "the-secret-of-the-app"
TOKEN = "the-access-token"
REQUEST = textcard_request(7, ["S0001", "s0002"], "题", "文", "https://h.example/d/7?n=n1")

Answer = Callable[[web.Request], Any]


@dataclass
class Scripted:
    """`token` and `send` make the answers: a dict, a response, or something to await."""

    token: Answer = lambda request: {"access_token": TOKEN, "expires_in": 7_200}
    send: Answer = lambda request: {"msgid": "m1"}
    calls: Counter[str] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    base: str = ""
    client: WeComClient = field(init=False)
    http: aiohttp.ClientSession = field(init=False)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Every endpoint: `gettoken` is one script, all else the other."""
        endpoint = request.path.removeprefix("/cgi-bin/")
        self.calls[endpoint] += 1
        self.bodies.append(await request.read())
        self.queries.append(dict(request.query))
        answer = (self.token if endpoint == "gettoken" else self.send)(request)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, dict):
            return web.json_response({"errcode": 0, "errmsg": "ok"} | answer)
        assert isinstance(answer, web.StreamResponse)
        return answer

    def config(self, **changed: Any) -> WeComConfig:
        """What the client is told."""
        told = {"api_base": self.base, "corp_id": "wwcorp", "agent_id": 7, "secret": SECRET}
        return WeComConfig(**{**told, **changed})


@asynccontextmanager
async def scripted_wecom(clock: Clock | None = None, **told: Any) -> AsyncIterator[Scripted]:
    """Serve a script on loopback, with a client that talks to it."""
    scripted = Scripted()
    app = web.Application()
    app.router.add_route("*", "/cgi-bin/{endpoint:.*}", scripted.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        scripted.base = str(server.make_url("/cgi-bin/"))
        scripted.http = http
        scripted.client = WeComClient(scripted.config(**told), http, clock)
        yield scripted
