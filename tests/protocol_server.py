"""What the public Engine.IO and Socket.IO protocol suites dial: our engine with an echo on top.

python -m tests.protocol_server --port 3000 --mode socketio --ping-interval-ms 300 --ping-timeout-ms 200
"""

import argparse
import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from aiohttp import web

from realtime.errors import Closing
from realtime.frames import Frame
from realtime.gateway.engine import EngineOptions, EngineServer
from realtime.gateway.engine_socket import EngineSocket
from realtime.gateway.front import FrontLine
from realtime.gateway.socket_server import SocketServer
from realtime.limits import ConnectionLimits

TELLS_AFTER_S = 0.01
CONNECT_WITHIN_S = 1.0


class Echo:
    """Answers every Engine.IO message with itself."""

    def opened(self, socket: EngineSocket) -> None:
        pass

    def received(self, socket: EngineSocket, data: str | bytes) -> None:
        if isinstance(data, str):
            socket.send(Frame(b"4" + data.encode()))
        else:
            socket.send(Frame(data, binary=True))

    def confirmed(self, socket: EngineSocket, ping_sent_at: int) -> None:
        pass

    def last_words(self, socket: EngineSocket, reason: Closing) -> Iterable[Frame]:
        return ()

    def closed(self, socket: EngineSocket, reason: Closing | None) -> None:
        pass


class SuiteServer(SocketServer):
    """A server of the suites knows no `closing` event: a bad frame just ends the connection."""

    def last_words(self, socket: EngineSocket, reason: Closing) -> Iterable[Frame]:
        return ()


def engineio(options: EngineOptions) -> EngineServer:
    """Path `/engine.io/`, echoing."""
    engine = EngineServer(options)
    engine.listener = Echo()
    return engine


def socketio(options: EngineOptions) -> EngineServer:
    """Path `/socket.io/`, namespaces `/` and `/custom`."""
    server = SuiteServer(options, namespaces=("/", "/custom"), connect_within_s=CONNECT_WITHIN_S)
    for namespace in ("/", "/custom"):
        _echo_in(server, namespace)
    return server.engine


def _echo_in(server: SocketServer, namespace: str) -> None:
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        async def tell() -> None:
            # The public suite listens for one message at a time and loses one that comes together with
            # the answer to CONNECT.
            await asyncio.sleep(TELLS_AFTER_S)
            await server.emit("auth", auth or {}, to=sid, namespace=namespace)

        server.engine.start(tell())

    async def message(sid: str, *args: Any) -> None:
        await server.emit("message-back", args, to=sid, namespace=namespace)

    async def message_with_ack(sid: str, *args: Any) -> tuple[Any, ...]:
        return args

    server.on("connect", connect, namespace=namespace)
    server.on("message", message, namespace=namespace)
    server.on("message-with-ack", message_with_ack, namespace=namespace)


@asynccontextmanager
async def listening(
    mode: str, port: int, ping_interval_ms: int, ping_timeout_ms: int, *, direct: bool = True
) -> AsyncIterator[str]:
    """The server of one mode, no login, any origin; the address of its path. Its WebSockets own their
    transports, or all go over aiohttp's unless `direct`."""
    options = EngineOptions(
        ping_interval_s=ping_interval_ms / 1000,
        ping_timeout_s=ping_timeout_ms / 1000,
        max_payload=1_000_000,
        allowed_origins=None,
        limits=ConnectionLimits(frames_per_second=100_000, frames_burst=100_000),
    )
    engine = engineio(options) if mode == "engineio" else socketio(options)
    path = "/engine.io/" if mode == "engineio" else "/socket.io/"
    app = web.Application()
    app.router.add_route("*", path, engine.handle_request)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    # Nothing begins with this path: everything is handed over.
    front = FrontLine(engine, path if direct else "/nowhere", runner)
    port = await front.open("127.0.0.1", port, backlog=100)
    try:
        yield f"http://127.0.0.1:{port}{path}"
    finally:
        await front.close()
        await engine.disconnect()
        await runner.cleanup()


async def serve(options: argparse.Namespace) -> None:
    heartbeat = (options.ping_interval_ms, options.ping_timeout_ms)
    async with listening(options.mode, options.port, *heartbeat) as address:
        print(f"listening on {address}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mode", choices=("engineio", "socketio"), required=True)
    parser.add_argument("--ping-interval-ms", type=int, default=300)
    parser.add_argument("--ping-timeout-ms", type=int, default=200)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(options))


if __name__ == "__main__":
    main()
