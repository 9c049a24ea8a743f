"""Standing in for a colleague, as three people meet it: who is away, who stands in, who administers; and
reminding whoever holds a document."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.end_to_end.browser import DESKTOP, PHONE, Screen, Window, chromium, open_window
from tests.end_to_end.processes import ServerProcess
from tests.end_to_end.walking import Look, Walker, looks

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
AWAY, DEPUTY, ILL, HOLDER = "s0031", "s0032", "s0034", "s0003"
TITLE = "关于增设夜班的请示"
LONG_TITLE = "关于调整门诊布局并于年内分三期完成改造与设备搬迁的请示" * 2


@dataclass
class Hospital:
    """A server with its stand-ins, and windows on it."""

    server: ServerProcess
    browser: Browser
    http: aiohttp.ClientSession

    async def window(self, person: str, screen: Screen = PHONE, **settings: str) -> Window:
        window = await open_window(self.browser, self.server.url, screen)
        await window.come_in(person, **settings)
        return window

    async def document(self, title: str, approver: str) -> str:
        form = {"title": title, "creator": "s0033", "approvers": [approver]}
        async with self.http.post(f"{self.server.sandbox_url}/oa/requests", json=form) as answer:
            return str((await answer.json())["request_id"])

    async def card(self, person: str, title: str) -> dict[str, Any]:
        """The card of this title on a phone, once it is there."""
        async with asyncio.timeout(60):
            while True:
                inbox = f"{self.server.sandbox_url}/wecom/inbox/{person}"
                async with self.http.get(inbox) as answer:
                    for card in await answer.json():
                        if title in card["title"]:
                            return dict(card)
                await asyncio.sleep(0.2)

    async def starter_who_may_urge(
        self, rows: list[dict[str, Any]]
    ) -> tuple[Window, dict[str, Any]]:
        """A desktop of somebody who started one of these and may remind its holder now."""
        for row in (row for row in rows if row["creator_id"] not in (None, HOLDER)):
            window = await self.window(row["creator_id"], DESKTOP)
            opened = await window.command("documents.open", request_id=row["request_id"])
            if opened["may_urge"]:
                return window, row
            await window.close()
        raise AssertionError("nothing on this list can be urged")

    async def lists(self, window: Window, request_id: str) -> None:
        """Until the mirror has seen a document on somebody's list."""
        async with asyncio.timeout(30):
            while True:
                rows = (await window.command("todos.list", state="pending"))["items"]
                if request_id in [row["request_id"] for row in rows]:
                    return
                await asyncio.sleep(0.5)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hospital(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hospital]:
    folder = tmp_path_factory.mktemp("deputies")
    settings = {"YUANXIN_NOTICE_FIRST_SECONDS": "1"}
    server = ServerProcess(folder / "data", "run", "--sandbox", settings=settings)
    await server.start()
    try:
        async with chromium() as browser, aiohttp.ClientSession() as http:
            yield Hospital(server, browser, http)
    finally:
        server.close()


async def test_a_deputy_is_named_sees_what_waits_and_is_done(hospital: Hospital) -> None:
    away = await hospital.window(AWAY)
    name = (await away.command("account.me"))["person"]["name"]
    before = (await away.command("todos.list", state="pending"))["total"]
    await away.turn_to("/me")
    await away.page.click("a[href='/me/deputy']")
    await away.page.click("form .choose")
    await away.page.fill("[role=dialog] [role=search] input", DEPUTY)
    await away.page.click("[role=dialog] .row[role=checkbox] >> nth=0")
    await away.page.click("[role=dialog] footer .primary")
    await away.page.click("form .primary")
    await away.see(".standing:has-text('生效中')")
    await hospital.card(DEPUTY, f"请代 {name} 关注待办")

    request_id = await hospital.document(TITLE, AWAY)
    await hospital.lists(away, request_id)
    card = await hospital.card(DEPUTY, f"代{name}：{TITLE}")
    assert f"/d/{request_id}" in card["url"]

    deputy = await hospital.window(DEPUTY)
    own = (await deputy.command("todos.count"))["pending"]
    await deputy.turn_to("/todos")
    await deputy.see(f".todo:has-text('{TITLE}') .for:has-text('代 {name}')")
    await deputy.page.click(".whose .chip:has-text('代办')")
    await deputy.see(".whose [aria-pressed=true]:has-text('代办')")
    rows = await deputy.page.locator(".todo").count()
    assert rows == await deputy.page.locator(".todo .for").count() == before + 1
    assert (await deputy.command("todos.count"))["pending"] == own

    await deputy.page.click(f".todo:has-text('{TITLE}')")
    await deputy.see(".note:has-text('OA 没有向您开放这份公文')")
    await deputy.page.click(f".note button:has-text('提醒 {name}')")
    await deputy.see("[role=status]:has-text('两小时'), [role=alert]:has-text('两小时')")

    await deputy.turn_to("/todos")
    await deputy.see(".whose")
    await away.page.click(".card .end")
    await away.page.click(
        "[role=alertdialog] .primary, [role=dialog] .primary, [role=dialog] .danger"
    )
    await away.see("form .choose")
    await deputy.see(".whose", state="detached")
    await deputy.see(".todo .for", state="detached")
    assert (await deputy.command("deputies.todos"))["items"] == []
    for window in (away, deputy):
        await window.close()


async def test_an_administrator_names_one_for_somebody_who_is_ill(hospital: Hospital) -> None:
    window = await hospital.window("admin", DESKTOP)
    await window.turn_to(f"/p/{ILL}")
    await window.page.click(".deputy")
    await window.page.click("form .choose")
    await window.page.fill("[role=dialog] [role=search] input", DEPUTY)
    await window.page.click("[role=dialog] .row[role=checkbox] >> nth=0")
    await window.page.click("[role=dialog] footer .primary")
    await window.page.click("form .primary")
    await window.see(".standing:has-text('生效中')")
    await window.close()
    ill = await hospital.window(ILL)
    await ill.turn_to("/me/deputy")
    await ill.see(".standing:has-text('由')")
    await ill.command("deputies.end")
    await ill.close()


async def test_who_started_it_reminds_its_holder_who_sees_by_whom(hospital: Hospital) -> None:
    holder = await hospital.window(HOLDER)
    await holder.turn_to("/todos")
    await holder.see(".todo")
    rows = (await holder.command("todos.list", state="pending"))["items"]
    starter, row = await hospital.starter_who_may_urge(rows)
    await starter.turn_to(f"/d/{row['request_id']}")
    await starter.page.click(".current .urge")
    await starter.page.fill(".sheet textarea", "今天要用")
    await starter.page.click(".sheet .primary")
    await starter.see(".sheet li[data-state=reminded]")
    assert await starter.axe() == []
    reminded = f".urged:has-text('{row['creator_name']}'):has-text('今天要用')"
    await holder.see(f".todo {reminded}")
    await holder.turn_to(f"/d/{row['request_id']}")
    await holder.see(f".document {reminded}")
    for window in (starter, holder):
        await window.close()


@pytest.mark.parametrize("look", looks())
async def test_every_screen_of_deputies_is_sound(
    hospital: Hospital, tmp_path: Path, look: Look
) -> None:
    walker = Walker(look, tmp_path)
    window = await hospital.window("s0035", look.screen, **look.settings)
    other = await hospital.window("s0036")
    today = (await other.command("deputies.show"))["today"]
    await other.command("deputies.set", deputy_id="s0035", begins_on=today, ends_on=today)
    request_id = await hospital.document(LONG_TITLE, "s0036")
    await hospital.lists(other, request_id)
    await window.turn_to("/me/deputy")
    await walker.judge(window, "deputy-form", "form .choose")
    await window.command("deputies.set", deputy_id="s0037", begins_on=today, ends_on=today)
    await walker.judge(window, "deputy-set", ".card .end")
    await window.turn_to("/todos")
    await walker.judge(window, "deputed-list", ".todo .for")
    await window.page.click(".whose .chip >> nth=1")
    await walker.judge(window, "deputed-alone", ".whose .chip[aria-pressed=true] >> nth=0")
    await window.turn_to(f"/d/{request_id}")
    await walker.judge(window, "deputed-note", ".note .ways")
    await window.command("deputies.end")
    await other.command("deputies.end")
    await window.command("account.set_settings", language="zh", theme="system", font="normal")
    for one in (window, other):
        await one.close()

    assert not walker.faults, "\n".join(walker.faults)
