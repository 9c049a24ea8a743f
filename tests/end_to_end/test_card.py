"""A document is approved on the phone's card, and the open desktop page knows it: in two real browsers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.browser import DESKTOP, PASSWORD, chromium, open_window
from tests.end_to_end.processes import ServerProcess

pytestmark = pytest.mark.browser

TITLE = "关于周末排班的请示"
WAIT_MS = 40_000
SETTINGS = {"YUANXIN_NOTICE_FIRST_SECONDS": "1"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    process = ServerProcess(tmp_path / "data", "run", "--sandbox", settings=SETTINGS)
    await process.start()
    yield process
    process.close()


class Away:
    """Somebody who asks without a page: no connection, hence away."""

    def __init__(self, http: aiohttp.ClientSession, server: ServerProcess) -> None:
        self._http, self._server = http, server
        self._token = ""

    async def sign_in(self, account: str) -> None:
        form = {"account": account, "password": PASSWORD}
        async with self._http.post(f"{self._server.url}/api/v1/auth/login", json=form) as said:
            self._token = (await said.json())["token"]

    async def pending(self) -> int:
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self._server.url}/api/v1/commands/todos.count"
        async with self._http.post(url, json={}, headers=headers) as said:
            result: dict[str, Any] = (await said.json())["result"]
        return int(result["pending"]) if result["as_of"] and not result["stale"] else 0


async def test_a_yes_on_the_phone_closes_the_todo_on_the_desktop(
    tmp_path: Path, server: ServerProcess
) -> None:
    async with aiohttp.ClientSession() as http, chromium() as browser:
        person = Away(http, server)
        await person.sign_in("s0002")
        async with asyncio.timeout(WAIT_MS / 1000):
            while not (before := await person.pending()):
                await asyncio.sleep(0.2)
            body = {"title": TITLE, "creator": "s0001", "approvers": ["s0002"]}
            async with http.post(f"{server.sandbox_url}/oa/requests", json=body) as said:
                assert said.status == 201
            while await person.pending() == before:
                await asyncio.sleep(0.2)

        phone = await browser.new_page(viewport={"width": 1280, "height": 800}, locale="zh-CN")
        await phone.goto(f"{server.sandbox_url}/#s0002")
        yes = phone.locator(f".notice:has-text('{TITLE}') .buttons button")
        await yes.wait_for(timeout=WAIT_MS)
        desktop = await open_window(browser, server.url, DESKTOP)
        await desktop.come_in("s0002")
        await desktop.turn_to("/todos")
        row = desktop.page.locator(f".list :text('{TITLE}')").first
        await row.wait_for(timeout=WAIT_MS)
        await phone.screenshot(path=tmp_path / "phone-before.png")
        await desktop.shot(tmp_path, "card-desktop-before")

        pressed_at = time.monotonic()
        await yes.click()
        await row.wait_for(state="detached", timeout=WAIT_MS)
        took_s = time.monotonic() - pressed_at
        says = phone.locator(f".notice:has-text('{TITLE}') .buttons .done")
        await says.wait_for(timeout=WAIT_MS)
        await phone.screenshot(path=tmp_path / "phone-after.png")
        await desktop.shot(tmp_path, "card-desktop-after")
        print(json.dumps({"pressed to closed, seconds": round(took_s, 2)}))

        assert await says.inner_text() == "已同意"
        assert await person.pending() in (0, before)
        assert desktop.complaints == []
        await desktop.close()
        await phone.close()
