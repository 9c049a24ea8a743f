"""The stand-in OA calls out after changes: signed, a few times, and never in anybody's way."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from server.sandbox.config import OATarget
from tests.clocks import ManualClock
from tests.sandbox.running import RunningSandbox, running_sandbox

SECRET = "what both know"


class Ear:
    """A receiver that answers as it is told, and notes what came."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.heard: list[tuple[Any, bool]] = []
        self.came = asyncio.Event()

    async def listen(self, request: web.Request) -> web.Response:
        body = await request.read()
        time = request.headers["X-Yuanxin-Time"]
        made = hmac.new(SECRET.encode(), f"{time}\n".encode() + body, hashlib.sha256).hexdigest()
        is_signed = request.headers["X-Yuanxin-Signature"] == made
        knows_whom = request.headers["X-Yuanxin-Key"] == "oa"
        self.heard.append((json.loads(body), is_signed and knows_whom))
        self.came.set()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 204)

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.heard) < count:
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def calling(ear: Ear, folder: Path, alive_s: float = 60.0) -> AsyncIterator[RunningSandbox]:
    app = web.Application()
    app.router.add_post("/oa/changed", ear.listen)
    async with TestServer(app) as server:
        target = OATarget(
            str(server.make_url("/oa/changed")), SECRET, between_s=0.01, alive_s=alive_s
        )
        async with running_sandbox(folder, ManualClock(), oa_calls_out_to=target) as sandbox:
            yield sandbox


async def put(sandbox: RunningSandbox) -> str:
    body = {"title": "请示", "creator": "s0001", "approvers": ["s0002", "s0003"]}
    async with sandbox.http.post(f"{sandbox.base}/oa/requests", json=body) as answer:
        return str((await answer.json())["request_id"])


async def test_whose_lists_changed_is_told_signed(tmp_path: Path) -> None:
    ear = Ear()
    async with calling(ear, tmp_path) as sandbox:
        request_id = await put(sandbox)
        path = f"{sandbox.base}/oa/requests/{request_id}/submit"
        await sandbox.http.post(path, json={"user": "s0002"})
        await ear.wait_for(2)

    assert ear.heard == [
        ({"people": ["1", "2", "3"], "request_id": request_id}, True),
        ({"people": ["2"], "request_id": request_id}, True),
    ]


async def test_a_receiver_in_trouble_is_told_again_and_one_that_refuses_is_not(
    tmp_path: Path,
) -> None:
    ear = Ear(503, 429, 204, 401)
    async with calling(ear, tmp_path) as sandbox:
        first, second, third = [await put(sandbox) for _ in range(3)]
        await ear.wait_for(5)

    told = [body["request_id"] for body, _ in ear.heard]
    assert told == [first, first, first, second, third]


async def test_when_nothing_changes_it_says_that_it_is_alive(tmp_path: Path) -> None:
    ear = Ear()
    async with calling(ear, tmp_path, alive_s=0.01):
        await ear.wait_for(2)

    # A sign of life names no document, which the door takes for none.
    assert ear.heard[:2] == [({"people": []}, True)] * 2


async def test_a_seeded_hospital_calls_nobody(tmp_path: Path) -> None:
    ear = Ear()
    app = web.Application()
    app.router.add_post("/oa/changed", ear.listen)
    async with TestServer(app) as server:
        target = OATarget(str(server.make_url("/oa/changed")), SECRET)
        told = {"oa_calls_out_to": target, "seed_documents": 5}
        async with running_sandbox(tmp_path, ManualClock(), **told) as sandbox:
            request_id = await put(sandbox)
            await ear.wait_for(1)

    assert [body["request_id"] for body, _ in ear.heard] == [request_id]
