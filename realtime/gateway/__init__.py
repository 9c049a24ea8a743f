"""The gateway: Socket.IO v5 over Engine.IO v4 on aiohttp, for every Socket.IO client.

The only place that knows python-socketio and python-engineio. It lives in an aiohttp application: attach
it before the application starts, `close` it before the application stops. From the wire inwards:
`front` (whose a connection is), `engine` (requests and sockets), `engine_socket`, its carriers
`direct_websocket` and `websocket`, its `heartbeat` and `workload` (one socket), the `wheel` (everybody's
heartbeats), `packets` and `table` (what is ours of python-socketio), `socket_server` (namespaces and
events), `product_server` (tickets and commands).

Always true: every buffer and every wait has a bound; a socket that ends is forgotten at once; the server
says why it ends one, where anybody still listens.
"""

import asyncio
from dataclasses import dataclass

from aiohttp import web

from realtime.application import Application
from realtime.errors import Closing
from realtime.gateway.engine import EngineOptions
from realtime.gateway.front import FrontLine
from realtime.gateway.product_server import ProductServer
from realtime.hub import Hub

RETURNS_PER_SECOND = 500
"""How many clients of a node that goes away are asked to come back in a second: one core of the others
signs in about as many."""
LONGEST_SPREAD_S = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """How the gateway listens. The bounds of a connection are the hub's `ConnectionLimits`."""

    path: str = "/socket.io/"
    ping_interval_s: float = 25.0
    ping_timeout_s: float = 10.0
    connect_within_s: float = 10.0
    """How soon after the socket the ticket must come, and be checked."""
    max_payload: int = 64 * 1024
    """Bytes of one packet from a client, by either transport."""
    max_sockets: int = 20_000
    allowed_origins: frozenset[str] | None = frozenset()
    """Origins of pages that may connect, beside those served under the name they call; None: all."""
    trusted_proxies: frozenset[str] = frozenset()


class Gateway:
    """Sockets of one node, for one application and one hub."""

    def __init__(
        self, application: Application, hub: Hub, options: GatewayOptions | None = None
    ) -> None:
        self.options = options or GatewayOptions()
        engine = EngineOptions(
            ping_interval_s=self.options.ping_interval_s,
            ping_timeout_s=self.options.ping_timeout_s,
            max_payload=self.options.max_payload,
            max_sockets=self.options.max_sockets,
            allowed_origins=self.options.allowed_origins,
            trusted_proxies=self.options.trusted_proxies,
            limits=hub.limits,
        )
        self._server = ProductServer(application, hub, engine, self.options.connect_within_s)

    def attach(self, app: web.Application) -> None:
        """Answer the path in an application that has not started."""
        app.router.add_route("*", self.options.path, self._server.engine.handle_request)

    def front(self, runner: web.BaseRunner) -> FrontLine:
        """A listening address in front of a runner that was set up: WebSockets that come there own their
        transports, which costs a fraction. Behind other addresses they work over aiohttp's."""
        return FrontLine(self._server.engine, self.options.path, runner)

    @property
    def sockets(self) -> int:
        """How many sockets there are, signed in or not."""
        return len(self._server.engine.sockets)

    async def close(
        self, reason: Closing = Closing.GOING_AWAY, *, handlers_s: float = 5.0, flush_s: float = 2.0
    ) -> None:
        """Accept nothing more, let what was accepted be answered, say goodbye, end. Clients that are
        sent away are told to come back spread over some seconds, the more of them the longer.

        Takes at most `handlers_s` for commands at work and `flush_s` for slow readers.
        """
        engine = self._server.engine
        engine.accepting = False
        spread_s = min(LONGEST_SPREAD_S, self.sockets / RETURNS_PER_SECOND)
        self._server.return_within_ms = round(spread_s * 1000)
        self._server.draining = True
        promised = [asyncio.ensure_future(promise) for promise in self._server.promises]
        if promised or self._server.commands:
            await asyncio.wait([*promised, *self._server.commands], timeout=handlers_s)
        for socket in list(engine.sockets.values()):
            socket.close(reason)
        await engine.join(flush_s)
        for socket in list(engine.sockets.values()):
            socket.abort(None)
        await engine.join(flush_s)


__all__ = ["Gateway", "GatewayOptions"]
