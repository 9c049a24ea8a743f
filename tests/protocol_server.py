"""What the public Engine.IO and Socket.IO protocol suites dial: our engine with an echo on top.

python -m tests.protocol_server --port 3000 --mode socketio --ping-interval-ms 300 --ping-timeout-ms 200
"""

import argparse
import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Any

import uvloop
from aiohttp import web

from realtime.errors import Closing
from realtime.frames import Frame
from realtime.gateway.engine import EngineOptions, EngineServer
from realtime.gateway.engine_socket import EngineSocket
from realtime.gateway.socket_server import SocketServer
from realtime.limits import ConnectionLimits

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


def engineio_app(options: EngineOptions) -> web.Application:
    """Path `/engine.io/`, echoing."""
    engine = EngineServer(options)
    engine.listener = Echo()
    app = web.Application()
    app.router.add_route("*", "/engine.io/", engine.handle_request)
    return app


def socketio_app(options: EngineOptions) -> web.Application:
    """Path `/socket.io/`, namespaces `/` and `/custom`."""
    server = SuiteServer(options, namespaces=("/", "/custom"), connect_within_s=CONNECT_WITHIN_S)
    for namespace in ("/", "/custom"):
        _echo_in(server, namespace)
    app = web.Application()
    app.router.add_route("*", "/socket.io/", server.engine.handle_request)
    return app


def _echo_in(server: SocketServer, namespace: str) -> None:
    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        async def tell() -> None:
            await server.emit("auth", auth or {}, to=sid, namespace=namespace)

        server.engine.start(tell())

    async def message(sid: str, *args: Any) -> None:
        await server.emit("message-back", args, to=sid, namespace=namespace)

    async def message_with_ack(sid: str, *args: Any) -> tuple[Any, ...]:
        return args

    server.on("connect", connect, namespace=namespace)
    server.on("message", message, namespace=namespace)
    server.on("message-with-ack", message_with_ack, namespace=namespace)


def app_for(mode: str, ping_interval_ms: int, ping_timeout_ms: int) -> web.Application:
    """The server of one mode: no login, any origin."""
    options = EngineOptions(
        ping_interval_s=ping_interval_ms / 1000,
        ping_timeout_s=ping_timeout_ms / 1000,
        max_payload=1_000_000,
        allowed_origins=None,
        limits=ConnectionLimits(frames_per_second=100_000, frames_burst=100_000),
    )
    return engineio_app(options) if mode == "engineio" else socketio_app(options)


async def serve(app: web.Application, port: int) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mode", choices=("engineio", "socketio"), required=True)
    parser.add_argument("--ping-interval-ms", type=int, default=300)
    parser.add_argument("--ping-timeout-ms", type=int, default=200)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    app = app_for(options.mode, options.ping_interval_ms, options.ping_timeout_ms)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(app, options.port))


if __name__ == "__main__":
    main()
