"""The stand-in OA in a process of its own, on the last core: calls out to the server under test, and counts
how often it was asked for whom.

    python -m benchmarks.oa_desk FOLDER PORT PEOPLE [URL SECRET KEY]
"""

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from benchmarks.machine import cores, free_port
from server.clock import SystemClock
from server.sandbox.config import OATarget
from server.sandbox.oa import SERVICE, OAStandIn

READY_WITHIN_S: Final = 30
COUNTED = re.compile(rb"getToDoWorkflowRequestCount\b.*?in0>(\d+)<", re.DOTALL)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Desk:
    """Another system, asked over HTTP."""

    def __init__(self, base: str, http: aiohttp.ClientSession) -> None:
        self.base, self._http = base, http
        self.endpoint = f"{base}{SERVICE}"

    async def put(self, title: str, people: Sequence[int]) -> None:
        """A document that waits for these people."""
        fields = {
            "title": title,
            "creator": "s0001",
            "approvers": [f"s{one:04d}" for one in people],
        }
        async with self._http.post(f"{self.base}/oa/requests", json=fields) as answer:
            assert answer.status == 201, await answer.text()

    async def calls(self) -> tuple[int, dict[int, int]]:
        """How often the service was called since the last time, and how often for whom it counted."""
        async with self._http.post(f"{self.base}/calls") as answer:
            told: dict[str, Any] = await answer.json()
        return told["calls"], {int(user): count for user, count in told["counted"].items()}


@asynccontextmanager
async def desk(
    folder: Path, http: aiohttp.ClientSession, people: int, *target: str
) -> AsyncIterator[Desk]:
    """A stand-in over a folder; `target` is the address, secret and key it calls out with."""
    port = free_port()
    process = _start(str(folder), str(port), str(people), *target)
    made = Desk(f"http://127.0.0.1:{port}", http)
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while not await _answers(made):
                await asyncio.sleep(0.1)
        yield made
    finally:
        process.terminate()
        process.wait()


def _start(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.oa_desk", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


async def _answers(made: Desk) -> bool:
    try:
        await made.calls()
    except aiohttp.ClientError:
        return False
    return True


async def serve(folder: Path, port: int, people: int, target: OATarget | None) -> None:
    """Until it is ended."""
    calls, counted = 0, Counter[int]()

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal calls
        if request.path == SERVICE and request.method == "POST":
            calls += 1
            try:
                body = await request.read()
            except ConnectionResetError:  # the server under test was ended meanwhile
                return web.Response(status=400)
            if found := COUNTED.search(body):
                counted[int(found[1])] += 1
        return await handler(request)

    async def told(request: web.Request) -> web.Response:
        nonlocal calls
        answer = web.json_response({"calls": calls, "counted": dict(counted)})
        calls = 0
        counted.clear()
        return answer

    oa = OAStandIn(folder, SystemClock(), people=people, calls_out_to=target)
    await oa.open()
    app = web.Application(middlewares=[count])
    app.add_routes([*oa.routes(), web.post("/calls", told)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with oa.running():
        await asyncio.Event().wait()


def main(folder: str, port: str, people: str, *target: str) -> None:
    """Serve as the command line says."""
    os.sched_setaffinity(0, {cores().client})
    calling = OATarget(target[0], target[1], target[2]) if target else None
    asyncio.run(serve(Path(folder), int(port), int(people), calling))


if __name__ == "__main__":
    main(*sys.argv[1:])
