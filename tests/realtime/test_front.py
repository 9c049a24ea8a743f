"""Whose a connection is: ours when it plainly asks for a WebSocket, aiohttp's with every byte otherwise."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from realtime.gateway.direct_websocket import DirectWebSocket
from realtime.gateway.engine import EngineOptions, EngineServer
from realtime.gateway.front import HEAD_LIMIT, FrontLine, read_head
from tests.protocol_server import Echo
from tests.realtime.ward import eventually

PATH = "/engine.io/"
LARGE = 16 << 20
ASK = (
    f"GET {PATH}?EIO=4&transport=websocket HTTP/1.1\r\nHost: ward\r\nUpgrade: websocket\r\n"
    "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
)


class Desk:
    """A front with an echoing engine and a plain page behind it."""

    def __init__(
        self, engine: EngineServer, line: FrontLine, port: int, server: web.Server
    ) -> None:
        self.engine, self.line, self.port, self.server = engine, line, port, server

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def say(self, text: str) -> bytes:
        """What comes back: the head and the first words, or everything where the connection closes."""
        closes = "Connection: close" in text
        reader, writer = await self.dial()
        writer.write(text.encode())
        try:
            async with asyncio.timeout(5):
                head = await reader.readuntil(b"\r\n\r\n")
                return head + (await reader.read() if closes else await reader.read(4096))
        finally:
            writer.close()

    def carriers(self) -> set[str]:
        """What carries the sockets there are."""
        return {type(socket._ws).__name__ for socket in self.engine.sockets.values()}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with open_desk() as opened:
        yield opened


@asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    engine = EngineServer(EngineOptions(allowed_origins=frozenset({"https://ward.example"})))
    engine.listener = Echo()
    app = web.Application(client_max_size=32 << 20)

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.method} {len(await request.read())}\n")

    app.router.add_route("*", PATH, engine.handle_request)

    async def book(request: web.Request) -> web.Response:
        return web.Response(body=bytes(LARGE))

    app.router.add_route("*", "/page", page)
    app.router.add_get("/book", book)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    line = FrontLine(engine, PATH, runner)
    port = await line.open("127.0.0.1", 0, backlog=10)
    try:
        assert runner.server is not None
        yield Desk(engine, line, port, runner.server)
    finally:
        await line.close()
        await engine.disconnect()
        await runner.cleanup()


async def test_a_plain_upgrade_owns_its_transport(desk: Desk) -> None:
    answer = await desk.say(ASK)

    assert answer.startswith(b"HTTP/1.1 101 ")
    # The example of RFC 6455, section 1.3.
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert b'0{"sid":' in answer


async def test_a_head_that_comes_byte_by_byte_is_the_same(desk: Desk) -> None:
    reader, writer = await desk.dial()
    for letter in ASK:
        writer.write(letter.encode())
        await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 101 ")
    await eventually(lambda: desk.carriers() == {"DirectWebSocket"})
    writer.close()


@pytest.mark.parametrize(
    "head",
    [
        ASK.replace("Upgrade: websocket", "Upgrade: websocket\r\nUpgrade: websocket"),
        ASK.replace("Host: ward", "Host: ward\r\nX-Note: caf\u00e9"),
        ASK.replace("Host: ward", "Host: ward\r\nContent-Length: 0"),
    ],
)
async def test_an_unusual_upgrade_is_aiohttps_to_answer(desk: Desk, head: str) -> None:
    await desk.say(head)

    assert "DirectWebSocket" not in desk.carriers()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (ASK.replace("Host: ward", "Host: ward\r\nOrigin: https://evil.example"), b"403"),
        (ASK.replace("EIO=4", "EIO=3"), b"400"),
        (ASK.replace("transport=websocket", "transport=carrier-pigeon"), b"400"),
        (ASK.replace("websocket HTTP", "websocket&sid=gone HTTP"), b"400"),
        (ASK.replace("Version: 13", "Version: 99"), b"400"),
    ],
)
async def test_what_is_to_be_refused_is_refused_in_words(
    desk: Desk, head: str, status: bytes
) -> None:
    answer = await desk.say(head)

    assert answer.split()[1] == status
    assert not desk.engine.sockets


async def test_pages_pipelines_uploads_and_garbage_are_aiohttps(desk: Desk) -> None:
    page = "GET /page HTTP/1.1\r\nHost: ward\r\n\r\n"
    last = page.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    upload = b"x" * (8 << 20)

    assert (await desk.say(page + last)).count(b"GET 0\n") == 2
    reader, writer = await desk.dial()
    length = f"\r\nContent-Length: {len(upload)}\r\n\r\n"
    writer.write(last.replace("GET", "POST").replace("\r\n\r\n", length).encode())
    writer.write(upload)
    assert (await reader.read()).endswith(f"POST {len(upload)}\n".encode())
    writer.close()
    assert (await desk.say("\x16\x03\x01 no http\r\n\r\n")).split()[1] == b"400"


async def test_a_head_without_an_end_is_not_kept_for_ever(desk: Desk) -> None:
    reader, writer = await desk.dial()
    writer.write(f"GET {PATH}?a={'x' * HEAD_LIMIT}".encode())

    assert (await reader.read()).split()[1] == b"400"
    assert not desk.line.waiting
    writer.close()


async def test_who_says_nothing_is_closed_with_the_line(desk: Desk) -> None:
    reader, writer = await desk.dial()
    await eventually(lambda: len(desk.line.waiting) == 1)

    await desk.line.close()

    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("ending", ["client", "server", "abort"])
async def test_the_descriptor_is_the_transports_until_it_is_lost(
    desk: Desk, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    lost = DirectWebSocket.connection_lost

    def look(self: DirectWebSocket, exc: Exception | None) -> None:
        seen.append((self._descriptor, os.fstat(self._descriptor).st_ino))
        lost(self, exc)

    monkeypatch.setattr(DirectWebSocket, "connection_lost", look)
    reader, writer = await desk.dial()
    writer.write(ASK.encode())
    await reader.readuntil(b"\r\n\r\n")
    await eventually(lambda: bool(desk.engine.sockets))
    (socket,) = desk.engine.sockets.values()
    carrier = socket._ws
    assert isinstance(carrier, DirectWebSocket)
    descriptor = carrier._descriptor
    inode = os.fstat(descriptor).st_ino

    if ending == "client":
        writer.close()
    elif ending == "abort":
        socket.abort(None)
    else:
        socket.close(None)
    await eventually(lambda: bool(seen))

    assert seen == [(descriptor, inode)]
    assert carrier._descriptor == -1
    writer.close()


def test_only_the_plainest_head_is_read() -> None:
    head = read_head(ASK.replace("Host", "X-Empty:\r\nHost").encode(), "10.0.0.7")

    assert head is not None
    assert (head.host, head.remote, dict(head.query)) == (
        "ward",
        "10.0.0.7",
        {"EIO": "4", "transport": "websocket"},
    )
    for unusual in (
        ASK.replace("GET", "POST"),
        ASK.replace("HTTP/1.1", "HTTP/1.0"),
        ASK.replace("Host: ward\r\n", ""),
        ASK.replace("Host: ward", "Host: ward\r\n folded"),
        ASK.replace("Host: ward", "Host : ward"),
        ASK.replace("EIO=4", "EIO=4&EIO=4"),
        ASK.replace("EIO=4", "EIO=%34"),
        ASK.replace("dGhlIHNhbXBsZSBub25jZQ==", "short"),
        ASK.replace("Host: ward", "Host: ward\r\nTransfer-Encoding: chunked"),
        ASK.replace("Host: ward", "Host: ward\r\nSec-WebSocket-Protocol: chat"),
        ASK + "\x81\x80",
        ASK + ASK,
    ):
        assert read_head(unusual.encode(), "") is None, unusual


async def test_who_reads_no_further_does_not_keep_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime.gateway.front.TAKES_NOTHING_S", 0.2)
    async with open_desk() as desk:
        loop = asyncio.get_running_loop()
        with socket.create_connection(("127.0.0.1", desk.port)) as reader:
            reader.setblocking(False)
            await loop.sock_sendall(reader, b"GET /book HTTP/1.1\r\nHost: ward\r\n\r\n")
            await eventually(lambda: len(desk.server.connections) == 1)
            await eventually(lambda: not desk.server.connections)
