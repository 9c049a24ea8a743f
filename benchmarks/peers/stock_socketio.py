"""Stock python-socketio on aiohttp, as its documentation sets it up, doing what `hub_server` does.

python -m benchmarks.peers.stock_socketio --port P [--uvloop]
"""

import argparse
import asyncio
import contextlib
from typing import Any

import socketio
import uvloop
from aiohttp import web

OK = {"ok": 1}


def application() -> web.Application:
    """Everybody is in the room `all` and in one of their own; `bcast` tells all, `pm` tells one."""
    server = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")

    async def connect(sid: str, environ: dict[str, Any], auth: dict[str, str]) -> None:
        await server.enter_room(sid, "all")
        await server.enter_room(sid, auth["uid"])

    async def bcast(sid: str, body: dict[str, Any]) -> None:
        await server.emit("bcast", body, to="all")

    async def pm(sid: str, body: dict[str, Any]) -> dict[str, int]:
        await server.emit("pm", body, to=body["to"])
        return OK

    for handler in (connect, bcast, pm):
        server.on(handler.__name__, handler)
    app = web.Application()
    server.attach(app)
    return app


async def serve(port: int) -> None:
    runner = web.AppRunner(application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    print("listening", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--uvloop", action="store_true")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        (uvloop.run if options.uvloop else asyncio.run)(serve(options.port))


if __name__ == "__main__":
    main()
