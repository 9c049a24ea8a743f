"""Documents started in real browsers: typed, kept, refused, sent once though the answer is lost."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.end_to_end.browser import (
    DESKTOP,
    NETWORK,
    PHONE,
    PICTURES,
    Screen,
    Window,
    chromium,
    open_window,
)
from tests.end_to_end.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PURCHASE = "/start/13"
WITHIN_MS = 30_000
KEPT = re.compile(r"草稿已保存 \d")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("start") / "data", "run", "--sandbox")
    await process.start()
    try:
        yield process
    finally:
        process.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def fault(server: ServerProcess, mode: str) -> None:
    asked = {"mode": mode, "for_s": 60}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{server.sandbox_url}/oa/faults", json=asked) as answer,
    ):
        assert answer.ok, await answer.text()


async def titled(server: ServerProcess, title: str) -> list[dict[str, object]]:
    """The documents of a title that lie in the OA."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.sandbox_url}/oa/requests") as answer,
    ):
        return [one for one in await answer.json() if one["title"] == title]


def field(window: Window, label: str) -> Locator:
    return window.page.locator(f".fields .field:has(> .name:has-text('{label}'))")


async def pick(window: Window, label: str, word: str) -> None:
    """Choose the first person or department found under a word."""
    await field(window, label).locator(".pick").click()
    sheet = window.page.locator(".sheet")
    await sheet.locator("input").fill(word)
    await sheet.locator(".row", has_text=word).first.click()
    await sheet.locator("footer .primary").click()
    await expect(field(window, label).locator(".pick")).to_contain_text(word)


async def fill_in(window: Window, title: str) -> None:
    """A purchase, everything that it needs."""
    page = window.page
    await page.fill("#start-title", title)
    await pick(window, "申请部门", "财务部")
    await field(window, "采购方式").locator("select").select_option("1")
    await field(window, "预算金额").locator("input").fill("128000")
    await field(window, "事由").locator("textarea").fill("更换到期的监护仪。")
    await page.click(".add")
    await page.fill("[id$='-mc']", "心电监护仪")
    await page.fill("[id$='-sl']", "4")


async def send(window: Window) -> None:
    await window.page.click(".content footer .primary")
    await window.page.click(".sheet footer .primary:enabled")


async def says(window: Window, words: str) -> None:
    await expect(window.page.locator(".state .title")).to_contain_text(words, timeout=WITHIN_MS)


async def picture(window: Window, folder: Path, name: str) -> None:
    assert not await window.sideways(), name
    if PICTURES:
        await window.settle()
        await window.shot(folder, f"start-{name}")


async def test_a_document_is_typed_kept_refused_and_started(
    server: ServerProcess, browser: Browser, tmp_path: Path
) -> None:
    window = await open_window(browser, server.url, PHONE)
    page = window.page
    await window.come_in("s0003")
    await window.turn_to("/todos")
    await page.click(".bar a[href='/start'], .bar [aria-label='发起公文']")
    await page.fill(".search input", "采购申")
    await page.click("a.row[href='/start/13']")

    # Nothing is sent while something is missing.
    await page.click(".content footer .primary, footer .primary")
    await expect(field(window, "事由").locator(".error")).to_have_text("必填")
    await expect(page.locator(".sheet")).to_have_count(0)
    assert not await window.axe()

    # What was typed survives a reload.
    await fill_in(window, "创建失败-6")
    await field(window, "申请人").locator(".icon-button").click()
    await pick(window, "申请人", "欧阳晨曦")
    # Kept by the server; "on this device" begins with the same words.
    await expect(page.locator(".bar .meta")).to_have_text(KEPT, timeout=WITHIN_MS)
    await page.reload()
    await expect(field(window, "申请人").locator(".pick")).to_contain_text("欧阳晨曦")
    await expect(page.locator("[id$='-mc']")).to_have_value("心电监护仪")

    # The OA refuses by a code, and the form stays.
    await page.click("footer .primary")
    await expect(page.locator(".sheet")).to_contain_text("128,000")
    await picture(window, tmp_path, "preview")
    await page.click(".sheet footer .primary:enabled")
    await says(window, "没有找到下一步的处理人")
    await picture(window, tmp_path, "refused")
    await expect(field(window, "预算金额").locator("input")).to_have_value("128000")

    # Changed, it goes through.
    await page.fill("#start-title", "采购监护仪四台")
    await page.click("footer .primary")
    await page.click(".sheet footer .primary:enabled")
    await expect(page.locator(".note .title")).to_have_text("已发起", timeout=WITHIN_MS)
    await picture(window, tmp_path, "done")
    (made,) = await titled(server, "采购监护仪四台")
    await page.click(".note .button")
    await page.wait_for_url(f"**/d/{made['request_id']}")

    # What was seen to end is over: the form is a blank one again.
    await window.goto(PURCHASE)
    await expect(field(window, "预算金额").locator("input")).to_have_value("")
    assert not window.complaints
    await window.close()


async def test_a_lost_answer_is_looked_up_and_nothing_is_sent_twice(
    server: ServerProcess, browser: Browser, tmp_path: Path
) -> None:
    title = "丢失的应答"
    window = await open_window(browser, server.url, DESKTOP)
    page = window.page
    await window.come_in("s0002", language="en", theme="dark")
    await window.turn_to(PURCHASE)
    await fill_in(window, title)

    # The OA is down: nothing is sent, and that is said.
    await fault(server, "down")
    await send(window)
    await says(window, "Not started")
    await picture(window, tmp_path, "down")
    await fault(server, "off")

    # No network: it stays on the device and cannot be sent.
    await window.context.set_offline(True)
    await page.fill("#start-title", f"{title}。")
    await expect(page.locator(".content footer p")).to_contain_text("No network")
    await expect(page.locator(".bar .meta")).to_contain_text("on this device", timeout=WITHIN_MS)
    await picture(window, tmp_path, "offline")
    await window.context.set_offline(False)
    await page.fill("#start-title", title)
    await expect(page.locator(".content footer p")).to_have_count(0, timeout=WITHIN_MS)

    # The answer is lost: looked up until it shows.
    await fault(server, "lost_submit")
    await send(window)
    await says(window, "the OA has not answered")
    await picture(window, tmp_path, "unknown")
    await expect(page.locator(".content footer .primary")).to_be_disabled()
    # Whoever leaves and comes back sees where it stands, and then its end.
    await window.turn_to("/start")
    await window.turn_to(PURCHASE)
    await expect(page.locator(".content .note .title")).to_have_text("Started", timeout=WITHIN_MS)
    assert len(await titled(server, title)) == 1

    window.forgive(NETWORK)
    assert not window.complaints
    await window.close()


async def test_the_chosen_of_many_tabs_is_on_the_screen(
    server: ServerProcess, browser: Browser
) -> None:
    """With letters of twice the size four tabs are wider than a phone; so they are on half a phone."""
    half = Screen("half", PHONE.width // 2, PHONE.height, PHONE.scale, touch=True)
    window = await open_window(browser, server.url, half)
    await window.come_in("s0001")
    chosen = window.page.locator("[role=tab][aria-selected=true]")
    for state in ("started", "pending"):
        await window.turn_to(f"/todos?state={state}")
        # Its number makes the first one wider, once it is known.
        await window.see("[role=tab] span:text-matches('[0-9]')", state="attached")
        await expect(chosen).to_be_in_viewport(ratio=0.99)
    await window.close()
    assert window.complaints == []
