"""A small hospital behind a real gateway on loopback: who is who is written in the ticket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from realtime.application import Identity
from realtime.backplane import Backplane
from realtime.clock import Clock, MachineClock
from realtime.connection import Connection
from realtime.errors import Refused, Unauthenticated
from realtime.gaps import History, Patience
from realtime.gateway import Gateway, GatewayOptions
from realtime.hub import Hub
from realtime.limits import ConnectionLimits
from realtime.metrics import HubMetrics
from realtime.protocol import event_body
from realtime.publisher import Publication
from realtime.testing import SocketClient

PARTS = ("joins", "leaves", "key", "partial", "dismisses", "at")
Handler = Callable[[Connection, Any], Awaitable[Any]]


@dataclass
class WardApplication:
    """Tickets are `<person>` or `<person>/<session>`; commands are what a test puts in `handlers`."""

    channels: dict[str, list[str]] = field(default_factory=dict)
    handlers: dict[str, Handler] = field(default_factory=dict)
    handled: list[tuple[str, Any]] = field(default_factory=list)
    reading: Callable[[str], Awaitable[None]] | None = None
    addresses: list[str] = field(default_factory=list)

    async def authenticate(self, auth: object, address: str) -> Identity:
        self.addresses.append(address)
        if not isinstance(auth, dict) or not auth.get("ticket"):
            raise Unauthenticated("sign in again")
        person_id, _, session_id = auth["ticket"].partition("/")
        return Identity(person_id, session_id or f"session-of-{person_id}", address)

    async def channels_of(self, person_id: str) -> Sequence[str]:
        channels = list(self.channels.get(person_id, ()))
        if self.reading is not None:
            await self.reading(person_id)
        return channels

    async def handle(self, connection: Connection, name: str, body: object) -> msgspec.Raw:
        self.handled.append((name, body))
        try:
            answer = {"ok": True, "result": await self.handlers[name](connection, body)}
        except Refused as refusal:
            answer = {"ok": False, "error": {"code": refusal.code, "message": refusal.message}}
        return msgspec.Raw(msgspec.json.encode(answer))


@dataclass
class Ward:
    """A running server and the clients a test has made."""

    url: str
    application: WardApplication
    hub: Hub
    gateway: Gateway
    clients: list[SocketClient] = field(default_factory=list)

    async def connect(self, ticket: str, **how: Any) -> SocketClient:
        client = await SocketClient.connect(self.url, ticket, **how)
        self.clients.append(client)
        return client

    async def open(self, **how: Any) -> SocketClient:
        client = await SocketClient.open(self.url, **how)
        self.clients.append(client)
        return client

    def tell(
        self, channel: str, position: int | None, name: str = "chat.sent", **data: Any
    ) -> None:
        """Publish one event; what a publication has besides (joins, key) is taken for its own."""
        own = {part: data.pop(part) for part in PARTS if part in data}
        body = event_body(msgspec.json.encode(data), channel, position)
        self.hub.publish([Publication(channel, name, body, position, **own)])


@asynccontextmanager
async def running_ward(
    *,
    clock: Clock | None = None,
    limits: ConnectionLimits | None = None,
    backplane: Backplane | None = None,
    metrics: HubMetrics | None = None,
    history: History | None = None,
    patience: Patience | None = None,
    **options: Any,
) -> AsyncIterator[Ward]:
    """A gateway and a hub on a port of their own."""
    application = WardApplication()
    hub = Hub(clock or MachineClock(), metrics, limits, backplane, history, patience)
    await hub.start()
    gateway = Gateway(application, hub, GatewayOptions(**options))
    app = web.Application()
    gateway.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    front = gateway.front(runner)
    port = await front.open("127.0.0.1", 0, backlog=100)
    ward = Ward(f"http://127.0.0.1:{port}", application, hub, gateway)
    try:
        yield ward
    finally:
        await asyncio.gather(*(client.close() for client in ward.clients))
        await front.close()
        await gateway.close(flush_s=0.5)
        await hub.stop()
        await runner.cleanup()


async def eventually(holds: Callable[[], bool], within_s: float = 5.0) -> None:
    """Wait for a condition; fails when it does not come true in time."""
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.005)
