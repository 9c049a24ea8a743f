"""The first quarter of an hour of a new hospital, in a real browser: chat, a document, a phone that rings."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.browser import (
    DESKTOP,
    PHONE,
    REFUSALS,
    Screen,
    Window,
    chromium,
    open_stand_ins,
    open_window,
)
from tests.end_to_end.processes import ServerProcess

pytestmark = pytest.mark.browser

BADGE_WITHIN_MS = 5_000
PHONE_WITHIN_S = 25.0
GROUP = "夜班交接群"


@asynccontextmanager
async def new_hospital(folder: Path, settings: dict[str, str]) -> AsyncIterator[ServerProcess]:
    process = ServerProcess(folder, "run", "--sandbox", settings=settings)
    await process.start()
    try:
        yield process
    finally:
        process.close()


async def inbox(http: aiohttp.ClientSession, server: ServerProcess, person: str) -> list[Any]:
    async with http.get(f"{server.sandbox_url}/wecom/inbox/{person}") as answer:
        return list(await answer.json())


async def choose(window: Window, typed: str, name: str) -> None:
    """Choose somebody in the people picker by what a person would type."""
    await window.page.fill(".picker input", typed)
    await window.page.click(f".picker [role=checkbox]:has-text('{name}')")


async def waiting(window: Window) -> int:
    """How many to-dos the tab shows."""
    shown = window.page.locator("nav button:has-text('待办') .badge")
    return int(await shown.inner_text()) if await shown.count() else 0


async def see_waiting(window: Window, count: int) -> None:
    badge = f"nav button:has-text('待办') .badge:text-is('{count}')"
    await window.see(badge, timeout=BADGE_WITHIN_MS)


AS_INSTALLED: dict[str, str] = {}
HASTY = {"YUANXIN_NOTICE_FIRST_SECONDS": "2"}


@pytest.mark.parametrize(
    ("screen", "settings"),
    [(PHONE, AS_INSTALLED), pytest.param(DESKTOP, HASTY, marks=pytest.mark.nightly)],
    ids=["phone", "desktop"],
)
async def test_two_people_talk_a_document_waits_and_a_phone_rings(
    tmp_path: Path, screen: Screen, settings: dict[str, str]
) -> None:
    def name(step: str) -> str:
        return f"{screen.name}-{step}"

    async with (
        new_hospital(tmp_path / "data", settings) as server,
        aiohttp.ClientSession() as http,
        chromium() as browser,
    ):
        first = await open_window(browser, server.url, screen)
        second = await open_window(browser, server.url, screen)
        await first.goto("/")
        await first.see("form.form")
        await first.shot(tmp_path, name("1-sign-in"))
        await first.sign_in("s0001")
        await second.sign_in("s0002")
        await first.see(".conversation")
        await second.see(".conversation")
        await first.shot(tmp_path, name("2-messages"))

        # Chat both ways; the first finds the second by the initials of the name.
        await first.page.click("nav button:has-text('通讯录')")
        await first.page.fill(".list [role=search] input", "zzy")
        await first.page.click("button.row:has-text('曾志远')")
        await first.see(".ways")
        await first.shot(tmp_path, name("3-card"))
        await first.page.click(".ways button:has-text('发消息')")
        await first.write("曾主任，周三的义诊我能去，还缺一位护士。")
        await second.page.click(".conversation:has-text('曾主任，周三的义诊')")
        await second.see(".bubble:has-text('还缺一位护士')")
        await second.write("好，我请心内科再派一位。")
        await first.see(".bubble:has-text('再派一位')")
        await first.see(".line.mine .under:has-text('已读')")
        await first.shot(tmp_path, name("4-chat"))

        # A group with somebody who is away.
        await first.turn_to("/messages")
        await first.page.click("button[aria-label='新建']")
        await first.page.click("[role=menuitem]:has-text('发起群聊')")
        await first.page.fill(".name input", GROUP)
        await choose(first, "曾志远", "曾志远")
        await choose(first, "qiulihua", "仇丽华")
        await first.shot(tmp_path, name("5-new-group"))
        await first.page.click("footer button.primary")
        await first.page.wait_for_url("**/c/*")
        await first.see(f"h1:has-text('{GROUP}')")
        await first.write("今晚 23 床要重点观察，夜班请留意。")
        await first.see(".line.mine .under:has-text('2人未读')")
        await first.shot(tmp_path, name("6-group"))
        group = first.page.url.rpartition("/")[2]

        # A document on the OA's desk, then one by hand on the stand-in's page.
        await second.turn_to("/messages")
        await second.see(f".conversation:has-text('{GROUP}')")
        before = await waiting(second)
        paper = {"title": "关于夜班人员调配的请示", "creator": "s0001", "approvers": ["s0002"]}
        async with http.post(f"{server.sandbox_url}/oa/requests", json=paper) as answer:
            assert answer.status == 201
        began = time.monotonic()
        await see_waiting(second, before + 1)
        assert time.monotonic() - began < BADGE_WITHIN_MS / 1000
        await second.shot(tmp_path, name("7-badge"))

        desk = await open_stand_ins(browser, server.sandbox_url, "/#s0003")
        await desk.see("#approvers .chip")
        await desk.page.fill("#new [name=title]", "心电监护仪采购申请")
        await desk.page.click("#new .primary")
        await see_waiting(second, before + 2)
        await second.page.click("nav button:has-text('待办')")
        await second.see(".todo:has-text('心电监护仪采购申请')")
        await second.see(".todo:has-text('关于夜班人员调配的请示')")
        await second.shot(tmp_path, name("8-todos"))

        # The phone of the one who is away shows the group's message and nothing else.
        await desk.see(".cards a.notice", timeout=PHONE_WITHIN_S * 1000)
        await desk.shot(tmp_path, name("9-desk"))
        [card] = await inbox(http, server, "s0003")
        assert (card["msgtype"], card["title"]) == ("textcard", GROUP)
        assert await desk.page.locator(".cards .notice").count() == 1
        link = await desk.page.locator(".cards a.notice").get_attribute("href")
        assert link is not None
        assert link == card["url"]
        assert link.startswith(f"{server.url}/c/{group}")

        # Its link opens that group, in a browser in which she is signed in and in one where not yet.
        third = await open_window(browser, server.url, screen)
        await third.page.goto(link)
        await third.see("form.form")
        await third.enter("s0003")
        await third.see(f"h1:has-text('{GROUP}')")
        await third.page.goto(link)
        await third.see(".bubble:has-text('重点观察')")
        assert third.page.url.split("?")[0] == f"{server.url}/c/{group}"
        await third.shot(tmp_path, name("10-opened"))
        await first.see(".line.mine .under:has-text('1人未读')")
        assert len(await inbox(http, server, "s0003")) == 1

        for window in (first, second, third, desk):
            window.forgive(REFUSALS)  # asked whether a cookie is here, and it was not
            assert window.complaints == []
            assert window.foreign == []
