"""Mail in real browsers: written on one, there on the other, answered, recalled; a phone that rings."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from tests.end_to_end.browser import (
    DESKTOP,
    NETWORK,
    PHONE,
    Window,
    chromium,
    open_window,
)
from tests.end_to_end.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

AT_ONCE_MS = 3_000
AT_LAST_S = 20.0
PHONE_WITHIN_S = 25.0
SUBJECT = "周三义诊人员安排"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("mail") / "data"
    settings = {"YUANXIN_NOTICE_FIRST_SECONDS": "2"}
    process = ServerProcess(folder, "run", "--sandbox", settings=settings)
    await process.start()
    try:
        yield process
    finally:
        process.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def sit_down(browser: Browser, server: ServerProcess, account: str, screen: Any) -> Window:
    window = await open_window(browser, server.url, screen)
    await window.come_in(account)
    return window


async def write(window: Window, subject: str, text: str) -> None:
    """Fill in what is still blank and send it."""
    if subject:
        await window.page.fill("label.field input", subject)
    await window.page.fill(".content textarea", text)
    await window.page.click("button.send")


async def unread(window: Window) -> int:
    return int((await window.command("mail.count"))["unread"])


async def cards(server: ServerProcess, person: str) -> list[dict[str, str]]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.sandbox_url}/wecom/inbox/{person}") as answer,
    ):
        return list(await answer.json())


async def test_a_mail_arrives_at_once_is_answered_and_recalled(
    server: ServerProcess, browser: Browser, tmp_path: Path
) -> None:
    first = await sit_down(browser, server, "s0001", PHONE)
    second = await sit_down(browser, server, "s0002", DESKTOP)
    await second.turn_to("/mail")
    await second.see("#mail-panel .line")
    before = await unread(second)

    # From the card of a colleague, by hand.
    await first.turn_to("/p/s0002")
    await first.page.click(".ways a:has-text('写邮件')")
    await first.see(".to .chip:has-text('曾志远')")
    await first.page.click(".to .add")
    await first.page.fill(".picker input", "qiulihua")
    await first.page.click(".picker [role=checkbox]:has-text('仇丽华')")
    await first.page.click(".picker footer button.primary")
    await write(first, SUBJECT, "曾主任：\n周三的义诊我能去，还缺一位护士。")
    await first.page.wait_for_url("**/mail/sent")
    await first.see(f".line:has-text('{SUBJECT}')")

    # The inbox that lay open has it, unread, and the badge counts it.
    arrived = f".line.unread:has-text('{SUBJECT}')"
    await second.see(arrived, timeout=AT_ONCE_MS)
    badge = f"nav button:has-text('工作台') .badge:text-is('{before + 1}')"
    await second.see(badge, timeout=AT_ONCE_MS)
    await second.shot(tmp_path, "mail-1-arrived")

    # Opened and answered to all; the sender sees that it was read.
    await second.page.click(arrived)
    await second.see("article .text:has-text('还缺一位护士')")
    assert await unread(second) == before
    await first.page.click(f".line:has-text('{SUBJECT}')")
    await first.see(".readers:has-text('1 / 2 人已读')")
    await second.page.click("footer button:has-text('全部回复')")
    await second.see(".to .chip:has-text('仇丽华')")
    await write(second, "", "好，请丽华派一位。")
    await second.see("article .text:has-text('请丽华派一位')")

    # The thread that lay open has the answer.
    await first.see("article .text:has-text('请丽华派一位')", timeout=AT_ONCE_MS)
    await first.shot(tmp_path, "mail-2-thread")
    await first.turn_to("/mail")
    await first.see(f".line:has-text('回复：{SUBJECT}') .count:text-is('2')")

    # Recalled: gone for whoever has not read it, marked for whoever has.
    third = await sit_down(browser, server, "s0003", PHONE)
    await third.turn_to("/mail")
    await third.see(f".line.unread:has-text('{SUBJECT}')")
    await first.page.click(f".line:has-text('回复：{SUBJECT}')")
    own = first.page.locator("article", has_text="还缺一位护士")
    if not await own.locator("[aria-haspopup=menu]").count():
        await own.locator(".head").click()
    await own.locator("[aria-haspopup=menu]").click()
    await first.page.click("[role=menuitem]:has-text('撤回')")
    await first.page.click(".sheet .primary:has-text('撤回')")
    await first.see(".recalled:has-text('您已于')")
    await third.see(f".line:has-text('{SUBJECT}') .count", state="detached", timeout=AT_ONCE_MS)
    await second.see(".recalled:has-text('发件人已于')", timeout=AT_ONCE_MS)
    await first.shot(tmp_path, "mail-3-recalled")

    for window in (first, second, third):
        assert window.complaints == []
        assert window.foreign == []
        await window.close()


async def test_the_phone_of_somebody_away_rings_and_its_link_opens_the_mail(
    server: ServerProcess, browser: Browser
) -> None:
    writer = await sit_down(browser, server, "s0004", DESKTOP)
    await writer.turn_to("/mail/new?to=s0900")
    await writer.see(".to .chip")
    await write(writer, "监护仪报修进度", "明天上午换新。")
    await writer.see(".line:has-text('监护仪报修进度')")

    async with asyncio.timeout(PHONE_WITHIN_S):
        while not await cards(server, "s0900"):
            await asyncio.sleep(0.2)
    [card] = await cards(server, "s0900")
    assert "欧阳晨曦 发来一封邮件" in card["description"]
    assert "监护仪" not in card["title"] + card["description"]

    away = await open_window(browser, server.url, PHONE)
    await away.page.goto(card["url"])
    await away.enter("s0900", "yuanxin")
    await away.see("article .text:has-text('明天上午换新')")
    await writer.page.click(".line:has-text('监护仪报修进度')")
    await writer.see(".readers:has-text('1 / 1 人已读')")
    await away.close()
    await writer.close()


async def test_what_was_begun_survives_a_reload_and_what_was_sent_offline_goes_once(
    server: ServerProcess, browser: Browser
) -> None:
    window = await sit_down(browser, server, "s0010", PHONE)
    await window.turn_to("/mail/new?to=s0011")
    await window.page.fill("label.field input", "科室采购清单")
    await window.page.fill(".content textarea", "见附表。")
    await window.see(".kept:has-text('草稿已保存')")
    await window.page.reload()
    await expect(window.page.locator(".content textarea")).to_have_value("见附表。")

    # No line, and the answer to what is sent past it is lost: the mail waits, also over a reload.
    async def refuse(route: Route) -> None:
        await route.abort()

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await window.page.route("**/api/v1/auth/ticket", refuse)
    await window.page.route("**/api/v1/commands/mail.send", lose_the_answer)
    await window.context.set_offline(True)
    await window.page.click("button.send")
    await window.see(".unsent:has-text('科室采购清单')")
    await window.context.set_offline(False)
    await window.page.reload()
    await window.see(".unsent:has-text('科室采购清单')")
    async with asyncio.timeout(AT_LAST_S):
        while not (await window.command("mail.list", box="sent"))["rows"]:
            await asyncio.sleep(0.1)
    await window.page.unroute("**/api/v1/commands/mail.send")
    await window.page.unroute("**/api/v1/auth/ticket")
    await window.see(".line:has-text('科室采购清单')")
    await window.see(".unsent", state="detached")

    sent = (await window.command("mail.list", box="sent"))["rows"]
    assert [row["subject"] for row in sent].count("科室采购清单") == 1
    window.forgive(NETWORK)
    assert window.complaints == []
    await window.close()


async def test_many_recipients_are_asked_about_and_a_refused_mail_can_be_mended(
    server: ServerProcess, browser: Browser
) -> None:
    window = await sit_down(browser, server, "s0001", DESKTOP)
    await window.turn_to("/mail/new")
    await window.page.click(".to .add")
    await window.see(".picker [role=checkbox]")
    await window.page.click(".picker .crumbs button:has-text('临床科室')")
    await window.page.click(".picker [role=checkbox]:has-text('整个“临床科室”')")
    await window.page.click(".picker footer button.primary")
    await window.see(".to .chip:has-text('临床科室')")
    await write(window, "给所有临床同事", "请查收。")
    await window.page.click(".sheet .primary:has-text('发送')")
    refused = ".unsent.failed:has-text('收件人超出您可以群发的人数')"
    await window.see(refused)

    await window.page.click(f"{refused} button:has-text('修改')")
    await window.page.click(".to .chip:has-text('临床科室')")
    await window.page.click(".to .add")
    await window.page.fill(".picker input", "qiulihua")
    await window.page.click(".picker [role=checkbox]:has-text('仇丽华')")
    await window.page.click(".picker footer button.primary")
    await window.page.click("button.send")
    await window.see(".line:has-text('给所有临床同事')")
    await window.see(".unsent", state="detached")
    await window.close()
