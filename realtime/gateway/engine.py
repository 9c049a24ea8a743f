"""Engine.IO over aiohttp: which request belongs to which socket.

python-engineio's server is kept as the base, because python-socketio drives it; its request handling is
replaced as a whole. Measured against the public protocol suite the stock one announces a heartbeat below
a second as 0, answers what the protocol forbids (no transport named, other methods, upgraded sockets),
loses packets to a second poll and keeps sockets whose frames it could not read.
"""

import asyncio
import base64
import logging
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import engineio
import msgspec
from aiohttp import WSMsgType, web

from realtime.clock import Clock, MachineClock
from realtime.errors import Closing
from realtime.frames import PROBED, Frame
from realtime.gateway.direct_websocket import DirectWebSocket
from realtime.gateway.engine_socket import EngineSocket
from realtime.gateway.packets import BadFrame
from realtime.gateway.probe import UPGRADE_S, Probe
from realtime.gateway.websocket import EngineWebSocket
from realtime.gateway.wheel import Wheel
from realtime.limits import ConnectionLimits
from realtime.origin import Asked, cors_headers, device_address, is_allowed

MAX_PACKETS_PER_POST = 1_000
BODY_WITHIN_S = 30.0
"""Seconds a polling request's body may take to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How sockets are opened, watched and bounded."""

    ping_interval_s: float = 25.0
    ping_timeout_s: float = 10.0
    max_payload: int = 64 * 1024
    """Bytes of one packet, or of one polling request, from a client."""
    max_sockets: int = 20_000
    allowed_origins: frozenset[str] | None = frozenset()
    """Origins of pages served elsewhere that may connect; None allows every page."""
    trusted_proxies: frozenset[str] = frozenset()
    """Addresses whose X-Forwarded-For is believed."""
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)


class Listener(Protocol):
    """The layer above: what it is told of a socket. Nothing here waits."""

    def opened(self, socket: EngineSocket) -> None: ...

    def received(self, socket: EngineSocket, data: str | bytes) -> None:
        """A message. Raises BadFrame to have the socket ended."""
        ...

    def confirmed(self, socket: EngineSocket, ping_sent_at: int) -> None: ...

    def last_words(self, socket: EngineSocket, reason: Closing) -> Iterable[Frame]: ...

    def closed(self, socket: EngineSocket, reason: Closing | None) -> None:
        """A socket ends: it is told exactly once, and at once."""
        ...


# The protocol's own numbers and words, so that every client can make sense of them.
_TRANSPORT_UNKNOWN = (400, 0, "Transport unknown")
_SESSION_UNKNOWN = (400, 1, "Session ID unknown")
_BAD_METHOD = (400, 2, "Bad handshake method")
_BAD_REQUEST = (400, 3, "Bad request")
_FORBIDDEN = (403, 4, "Forbidden")
_BAD_VERSION = (400, 5, "Unsupported protocol version")
_TOO_LARGE = (413, 3, "Payload too large")
_FULL = (503, 3, "No more connections are accepted now")


class Request(Asked, Protocol):
    """A request of the path; `Head` is one as well."""

    @property
    def method(self) -> str: ...

    @property
    def query(self) -> Mapping[str, str]: ...


class EngineServer(engineio.AsyncServer):  # type: ignore[misc]
    """All sockets of one path."""

    listener: Listener

    def __init__(
        self,
        options: EngineOptions,
        clock: Clock | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self.log = log or logging.getLogger("realtime.gateway")
        # The stock monitor walks all sockets; ours lie in a wheel.
        super().__init__(async_mode="aiohttp", logger=self.log, monitor_clients=False)
        self.options = options
        self.clock = clock or MachineClock()
        self.sockets: dict[str, EngineSocket] = {}
        self.strangers: dict[str, EngineSocket] = {}
        """Those of them that have not said who they are, the oldest first: they make room for others."""
        self.accepting = True
        self.wheel = Wheel(options.ping_interval_s, options.ping_timeout_s)
        self.frames_together = max(1, int(options.limits.frames_burst / 32))
        """A socket's frames are counted against its rate so many at a time."""
        self.surely_allowed = options.max_payload // 4
        """A text of so many characters is no larger than `max_payload` in any script."""
        self._tasks: set[asyncio.Task[None]] = set()

    # -- for sockets --------------------------------------------------------------------------------

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something to its end; this server holds on to it and logs what it raises."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.log.error("work for a socket failed", exc_info=fault)

    def ending(self, socket: EngineSocket, reason: Closing | None) -> None:
        """A socket begins to end."""
        if reason is not None:
            self.log.info("socket closed: %s", reason.reason)
        self.listener.closed(socket, reason)

    def forget(self, socket: EngineSocket) -> None:
        """A socket has ended."""
        self.sockets.pop(socket.sid, None)
        self.strangers.pop(socket.sid, None)

    async def join(self, timeout_s: float) -> None:
        """Wait until nothing is being done, at most so long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    # -- for python-socketio -------------------------------------------------------------------------

    async def send(self, sid: str, data: str | bytes) -> None:
        """Send one Engine.IO message."""
        socket = self.sockets.get(sid)
        if socket is not None:
            binary = isinstance(data, bytes | bytearray)
            payload = bytes(data) if binary else b"4" + str(data).encode()  # type: ignore[arg-type]
            socket.send(Frame(payload, binary=binary))

    async def disconnect(self, sid: str | None = None) -> None:
        """End one socket, or all."""
        for socket in list(self.sockets.values()):
            if sid is None or socket.sid == sid:
                socket.close(None)

    # -- requests ------------------------------------------------------------------------------------

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Every request of the path, whatever its method."""
        if not is_allowed(request, self.options.allowed_origins):
            return _refusal(_FORBIDDEN, {})
        headers = cors_headers(request)
        if request.method == "OPTIONS":
            allow = {
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": "Content-Type",
            }
            return web.Response(status=204, headers=headers | allow)
        fault = self._fault(request)
        if fault is not None:
            return _refusal(fault, headers)
        sid = request.query.get("sid")
        if sid is None:
            return await self._open(request, headers)
        socket = self.sockets[sid]
        if request.query["transport"] == "websocket":
            return await self._upgrade(socket, request)
        if request.method == "POST":
            return await self._post(socket, request, headers)
        try:
            body = await socket.poll(request)
        except BadFrame:
            return _refusal(_BAD_REQUEST, headers)
        return web.Response(body=body, headers=headers, content_type="text/plain", charset="utf-8")

    def _fault(self, request: Request) -> tuple[int, int, str] | None:
        """What is wrong with a request before it is looked at closely."""
        query, method = request.query, request.method
        transport, sid = query.get("transport"), query.get("sid")
        if transport not in ("polling", "websocket") or "j" in query:
            return _TRANSPORT_UNKNOWN
        wants_websocket = request.headers.get("Upgrade", "").lower() == "websocket"
        if (transport == "websocket") != (wants_websocket and method == "GET"):
            return _BAD_REQUEST
        if sid is None:
            if query.get("EIO") != "4":
                return _BAD_VERSION
            if method != "GET":
                return _BAD_METHOD
            if not self.accepting or (self._is_full and not self.strangers):
                return _FULL
            return None
        socket = self.sockets.get(sid)
        if socket is None:
            return _SESSION_UNKNOWN
        if method not in ("GET", "POST"):
            return _BAD_METHOD
        if socket.is_websocket and transport == "polling":
            return _BAD_REQUEST
        return None

    # -- WebSockets on transports of their own -------------------------------------------------------

    def accepts(self, head: Request) -> bool:
        """Whether a request for a WebSocket is to be answered with one; if not, `handle_request` knows
        what to say."""
        return is_allowed(head, self.options.allowed_origins) and self._fault(head) is None

    def take_over(self, head: Request, ws: DirectWebSocket) -> None:
        """A WebSocket was agreed on: it carries a new socket, or one that has been polling."""
        sid = head.query.get("sid")
        if sid is not None:
            socket = self.sockets[sid]
            if _is_taken(socket):
                ws.refuse()
            else:
                Probe(socket, ws)
            return
        address = device_address(head, self.options.trusted_proxies)
        socket = EngineSocket(self, self.generate_id(), address)
        self._begin(socket)
        ws.carry(socket)
        socket.carry(ws, ws.transport)
        socket.send(self._greeting(socket.sid, []))

    async def _open(self, request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
        by_websocket = request.query["transport"] == "websocket"
        address = device_address(request, self.options.trusted_proxies)
        socket = EngineSocket(self, self.generate_id(), address)
        greeting = self._greeting(socket.sid, [] if by_websocket else ["websocket"])
        if by_websocket:
            ws = EngineWebSocket(self.options.max_payload)
            await ws.prepare(request)
            self._begin(socket)
            socket.carry(ws, request.transport)
            socket.send(greeting)
            await socket.read(ws)
            return ws
        self._begin(socket)
        return web.Response(
            body=greeting.data, headers=headers, content_type="text/plain", charset="utf-8"
        )

    @property
    def _is_full(self) -> bool:
        return len(self.sockets) >= self.options.max_sockets

    def _begin(self, socket: EngineSocket) -> None:
        if self._is_full and self.strangers:
            # Who opens thousands and says nothing keeps nobody out who does.
            next(iter(self.strangers.values())).abort(None)
        self.sockets[socket.sid] = self.strangers[socket.sid] = socket
        self.listener.opened(socket)
        self.wheel.add(socket)

    def _greeting(self, sid: str, upgrades: list[str]) -> Frame:
        return Frame(
            b"0"
            + msgspec.json.encode(
                {
                    "sid": sid,
                    "upgrades": upgrades,
                    "pingInterval": round(self.options.ping_interval_s * 1000),
                    "pingTimeout": round(self.options.ping_timeout_s * 1000),
                    "maxPayload": self.options.max_payload,
                }
            )
        )

    async def _upgrade(self, socket: EngineSocket, request: web.Request) -> web.StreamResponse:
        ws = EngineWebSocket(self.options.max_payload)
        if _is_taken(socket):
            await ws.prepare(request)
            await ws.close()
            return ws
        socket.upgrading = True
        try:
            await ws.prepare(request)
            is_agreed = await self._probe(socket, ws)
        finally:
            socket.upgrading = False
        if not is_agreed or socket.closing:
            await ws.close()
            return ws
        socket.carry(ws, request.transport)
        socket.cut_poll()
        await socket.read(ws)
        return ws

    async def _probe(self, socket: EngineSocket, ws: EngineWebSocket) -> bool:
        """The client tries the WebSocket, lets its last poll come home, and then moves over."""
        try:
            async with asyncio.timeout(UPGRADE_S):
                probe = await ws.next(socket.count)
                if probe.type is not WSMsgType.TEXT or probe.data != "2probe":
                    return False
                await ws.send_frame(PROBED.data, WSMsgType.TEXT)
                socket.cut_poll()
                agreed = await ws.next(socket.count)
                return agreed.type is WSMsgType.TEXT and agreed.data == "5"
        except (TimeoutError, ConnectionError):
            return False

    async def _post(
        self, socket: EngineSocket, request: web.Request, headers: dict[str, str]
    ) -> web.StreamResponse:
        limit = self.options.max_payload
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await _read(request, limit)
        except TimeoutError:
            socket.close(Closing.BAD_FRAME)
            return _refusal(_BAD_REQUEST, headers | {"Connection": "close"})
        if len(body) > limit:
            socket.close(Closing.TOO_LARGE)
            return _refusal(_TOO_LARGE, headers | {"Connection": "close"})
        try:
            packets = _packets(body)
        except BadFrame:
            socket.close(Closing.BAD_FRAME)
            return _refusal(_BAD_REQUEST, headers)
        for packet in packets:
            socket.receive(packet)
            if socket.is_full:
                await socket.room()
        if socket.closing and packets[-1:] != ["1"]:
            return _refusal(_BAD_REQUEST, headers)
        return web.Response(text="ok", headers=headers)


def _is_taken(socket: EngineSocket) -> bool:
    """Whether a further WebSocket for it is closed as soon as it is open, as other servers do it."""
    return socket.is_websocket or socket.upgrading or socket.closing


async def _read(request: web.Request, limit: int) -> bytes:
    """The body, of one that is too large only so much that this shows."""
    body = b""
    while len(body) <= limit and (chunk := await request.content.read(limit + 1 - len(body))):
        body += chunk
    return body


def _packets(body: bytes) -> list[str | bytes]:
    """The packets of a polling request."""
    try:
        parts = body.decode().split("\x1e")
    except UnicodeDecodeError:
        raise BadFrame("not text") from None
    if len(parts) > MAX_PACKETS_PER_POST:
        raise BadFrame("too many packets")
    return [_unpack(part) for part in parts]


def _unpack(part: str) -> str | bytes:
    if not part.startswith("b"):
        return part
    try:
        return base64.b64decode(part[1:], validate=True)
    except ValueError:
        raise BadFrame("not base64") from None


def _refusal(what: tuple[int, int, str], headers: dict[str, str]) -> web.Response:
    status, code, message = what
    return web.json_response({"code": code, "message": message}, status=status, headers=headers)
