"""The server dies after a press was acknowledged, at any moment of carrying it out: the yes is said once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.processes import ServerProcess
from tests.end_to_end.senders import command, sign_in

PERSON = "s0201"
WAIT_S = 60.0
pytestmark = pytest.mark.timeout(600)


class Desk:
    """A server that is killed, beside stand-ins that live on."""

    def __init__(self, folder: Path) -> None:
        self.server = ServerProcess(folder / "server", "run", "--sandbox")
        self.stand_ins = ServerProcess(
            folder / "stand-ins", "sandbox", settings={"YUANXIN_HTTP_PORT": str(self.server.port)}
        )
        base = self.stand_ins.sandbox_url
        self.server.settings |= {
            "YUANXIN_WECOM_API_BASE": f"{base}/wecom/cgi-bin/",
            "YUANXIN_OA_ENDPOINT": f"{base}/oa/services/WorkflowService",
            "YUANXIN_NOTICE_FIRST_SECONDS": "1",
        }
        self.http: aiohttp.ClientSession
        self.token = ""

    async def ask(self, path: str, body: Any = None) -> Any:
        """Ask the stand-ins."""
        method = "GET" if body is None else "POST"
        url = f"{self.stand_ins.sandbox_url}{path}"
        async with self.http.request(method, url, json=body) as said:
            assert said.status < 300, await said.text()
            return await said.json()

    async def pending(self) -> int:
        said = await command(self.http, self.server.url, self.token, "todos.count")
        return -1 if said["stale"] or said["as_of"] is None else int(said["pending"])

    async def card(self, request_id: str) -> dict[str, Any] | None:
        shown = await self.ask(f"/wecom/inbox/{PERSON}")
        return next((dict(one) for one in shown if f"/d/{request_id}" in one["url"]), None)


async def until(ask: Any) -> Any:
    """What it says once that is something; asked less often than one person may."""
    async with asyncio.timeout(WAIT_S):
        while not (said := await ask()):
            await asyncio.sleep(0.5)
    return said


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Desk]:
    desk = Desk(folder)
    try:
        await desk.stand_ins.start(f"{desk.stand_ins.sandbox_url}/wecom/calls")
        await desk.server.start()
        async with aiohttp.ClientSession() as desk.http:
            desk.token = await sign_in(desk.http, desk.server.url, PERSON)
            yield desk
    finally:
        desk.server.close()
        desk.stand_ins.close()


@pytest.mark.parametrize(
    ("waits_s", "slow_s"),
    [
        (0.0, 3),
        pytest.param(0.4, 0, marks=pytest.mark.nightly),
        pytest.param(0.6, 0, marks=pytest.mark.nightly),
        pytest.param(0.8, 0, marks=pytest.mark.nightly),
        pytest.param(4.0, 3, marks=pytest.mark.nightly),
    ],
)
async def test_a_press_that_was_acknowledged_is_carried_out_once(
    tmp_path: Path, waits_s: float, slow_s: float
) -> None:
    async with opened(tmp_path) as desk:

        async def known() -> bool:
            return await desk.pending() >= 0

        await until(known)
        before = await desk.pending()
        form = {"title": "关于值班的请示", "creator": "s0001", "approvers": [PERSON]}
        request_id = (await desk.ask("/oa/requests", form))["request_id"]

        async def arrived() -> bool:
            return await desk.pending() > before

        await until(arrived)
        card = await until(lambda: desk.card(request_id))
        if slow_s:
            await desk.ask("/oa/faults", {"mode": "slow", "for_s": slow_s})
        key = card["buttons"][0]["key"]
        await desk.ask("/wecom/press", {"userid": PERSON, "msgid": card["msgid"], "key": key})

        async def acknowledged() -> bool:
            calls = await desk.ask("/wecom/callbacks")
            return bool(calls) and not calls[-1]["waiting"]

        await until(acknowledged)
        await asyncio.sleep(waits_s)
        desk.server.kill()
        await desk.server.start()

        async def says() -> str:
            return str((await desk.card(request_id) or {}).get("says", ""))

        assert await until(says) == "已同意"
        [document] = [
            one for one in await desk.ask("/oa/requests") if one["request_id"] == request_id
        ]
        assert (document["pending"], document["done"]) == ([], [PERSON])
        tries = (await desk.ask("/wecom/callbacks"))[-1]["tries"]
        assert [one["status"] for one in tries] == [200]
