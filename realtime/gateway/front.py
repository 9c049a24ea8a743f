"""Before aiohttp: the first bytes of every connection, and who it belongs to.

A plain request for a WebSocket on our path becomes a `DirectWebSocket`, which owns the transport from
then on. Everything else is handed to aiohttp with all its bytes, as if nobody had looked: other paths and
methods, a head that is unusual in any way, and a request that is to be refused. A connection that was
handed over stays with aiohttp, also when it asks for a WebSocket later.

Public interfaces only: `loop.create_server`, `transport.set_protocol`, and the runner's server as the
factory of aiohttp's protocols.
"""

import asyncio
import base64
import contextlib
import hashlib
import re
import socket as sockets
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDict

from realtime.gateway.direct_websocket import DirectWebSocket, Tick
from realtime.gateway.engine import EngineServer
from realtime.gateway.websocket import bound_send_buffer

HEAD_LIMIT = 16 * 1024
FIRST_BYTES_S = 30.0
"""How long a connection may take to say what it wants; browsers open some ahead of need."""
TAKES_NOTHING_S = 60.0
"""How long the other side may take nothing of what waits for it, whoever has the connection by then."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_QUERY = re.compile(r"[A-Za-z0-9_.=&-]*")
_FIELD = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?[ \t]*"
)
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_ONCE = ("Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version")
_NONE = ("Content-Length", "Transfer-Encoding", "Expect", "Sec-WebSocket-Protocol")


class Head:
    """A plain GET that asks for a WebSocket."""

    __slots__ = ("headers", "host", "query", "remote")

    method = "GET"

    def __init__(self, query: Mapping[str, str], headers: CIMultiDict[str], remote: str) -> None:
        self.query, self.headers, self.remote = query, headers, remote
        self.host = headers["Host"]

    @property
    def answer(self) -> bytes:
        """The response that agrees (RFC 6455, 4.2.2)."""
        digest = hashlib.sha1(self.headers["Sec-WebSocket-Key"].encode() + _GUID).digest()  # noqa: S324
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )


def read_head(raw: bytes, remote: str) -> Head | None:
    """The head of a request that asks for a WebSocket in the plainest way, with nothing behind it; None
    for every other."""
    line, *fields = raw.removesuffix(b"\r\n\r\n").split(b"\r\n")
    method, _, rest = line.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if method != b"GET" or version != b"HTTP/1.1":
        return None
    headers: CIMultiDict[str] = CIMultiDict()
    for field in fields:
        found = _FIELD.fullmatch(field)
        if found is None:
            return None
        headers.add(found[1].decode(), (found[2] or b"").decode())
    if any(len(headers.getall(name, ())) != 1 for name in _ONCE) or any(
        n in headers for n in _NONE
    ):
        return None
    asks = {token.strip().lower() for token in headers["Connection"].split(",")}
    if headers["Upgrade"].lower() != "websocket" or "upgrade" not in asks:
        return None
    if headers["Sec-WebSocket-Version"] != "13" or not _KEY.fullmatch(headers["Sec-WebSocket-Key"]):
        return None
    query = target.partition(b"?")[2].decode("ascii", "replace")
    pairs = parse_qsl(query, keep_blank_values=True) if _QUERY.fullmatch(query) else []
    if len(dict(pairs)) != len(pairs) or not pairs:
        return None
    return Head(dict(pairs), headers, remote)


class Front(asyncio.Protocol):
    """One connection that has not said yet what it wants."""

    __slots__ = ("_deadline", "_line", "_raw", "_transport", "_waiting")

    def __init__(self, line: "FrontLine") -> None:
        self._line = line
        self._raw = b""
        self._transport: asyncio.Transport
        self._deadline: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._line.waiting.add(self)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(FIRST_BYTES_S, self.close)

    def data_received(self, data: bytes) -> None:
        self._raw += data
        opening = self._line.opening
        if not self._raw.startswith(opening[: len(self._raw)]) or len(self._raw) > HEAD_LIMIT:
            self._hand_over()
        elif b"\r\n\r\n" in self._raw:
            self._decide()

    def _decide(self) -> None:
        peer = self._transport.get_extra_info("peername")
        head = read_head(self._raw, str(peer[0]) if isinstance(peer, tuple) else "")
        engine = self._line.engine
        if head is None or not engine.accepts(head):
            self._hand_over()
            return
        self._leave()
        ws = DirectWebSocket(self._transport, engine.options.max_payload, self._line.tick)
        self._transport.set_protocol(ws)
        ws.write_frames(head.answer)
        engine.take_over(head, ws)

    def _hand_over(self) -> None:
        self._leave()
        handler = self._line.factory()
        handler.connection_made(self._transport)
        self._transport.set_protocol(handler)
        handler.data_received(self._raw)

    def _leave(self) -> None:
        self._deadline.cancel()
        self._line.waiting.discard(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()

    def close(self) -> None:
        """End a connection that has not said anything."""
        self._transport.close()


def _bound_waiting(socket: sockets.socket) -> None:
    """The kernel would ask for ever whether a reader that has stopped goes on, also after a close."""
    with contextlib.suppress(OSError, AttributeError):
        socket.setsockopt(
            sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT, round(TAKES_NOTHING_S * 1000)
        )


class FrontLine:
    """A listening address: where connections come in, sorted by a `Front` each."""

    def __init__(self, engine: EngineServer, path: str, runner: web.BaseRunner) -> None:
        if runner.server is None:
            raise ValueError("set the runner up first")
        self.engine = engine
        self.opening = f"GET {path}?".encode()
        self.factory = runner.server
        self.waiting: set[Front] = set()
        self.tick = Tick()
        self._servers: list[asyncio.Server] = []

    async def open(
        self,
        host: str,
        port: int,
        backlog: int,
        *,
        reuse_port: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> int:
        """Listen, also at several places; the port. With `reuse_port` other processes may listen at the
        same one, and the kernel shares connections out among them. With `tls` what is written goes
        through the transport, which is slower. Raises OSError."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Front(self),
            host,
            port,
            backlog=backlog,
            reuse_address=True,
            reuse_port=reuse_port or None,
            ssl=tls,
        )
        self._servers.append(server)
        for listening in server.sockets:
            # What is accepted here inherits it, without a call to the kernel each.
            bound_send_buffer(listening)
            _bound_waiting(listening)
        place: sockets.socket = server.sockets[0]
        return int(place.getsockname()[1])

    async def close(self) -> None:
        """Listen no more. Connections that were sorted are others' to end."""
        while self._servers:
            self._servers.pop().close()
        for front in list(self.waiting):
            front.close()
