"""The phone-and-desk page in a real browser."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from server.sandbox.config import HisTarget, SandboxDepartment
from tests.sandbox.running import RunningSandbox, running_sandbox, textcard

pytestmark = pytest.mark.browser
NOBODY = "http://127.0.0.1:9"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    ward = SandboxDepartment("ward", outpatients=100, beds=20, operations=0)
    his = HisTarget(url=NOBODY, key_id="his", secret="secret")
    async with running_sandbox(tmp_path, departments=[ward], his=his) as running:
        yield running


@pytest.fixture
async def page(sandbox: RunningSandbox) -> AsyncIterator[Page]:
    """The page, which may complain of nothing and ask nobody else."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda asked: complaints.append(asked.url) if foreign(asked.url) else None
        )

        def foreign(url: str) -> bool:
            return not url.startswith((sandbox.base, "data:"))

        await page.goto(f"{sandbox.base}/#s0002")
        yield page
        await browser.close()
    assert complaints == []


async def test_a_card_arrives_on_the_phone_and_links_to_its_address(
    sandbox: RunningSandbox, page: Page
) -> None:
    await page.wait_for_selector(".cards .empty")
    markup = 'a<br><img src=x onerror="alert(1)">'
    await sandbox.send(textcard("s0002", title="待办 <b>", description=markup))
    card = page.locator("a.notice")
    await card.wait_for()

    assert await card.get_attribute("href") == "https://h.example/d/7?n=n1"
    assert await card.get_attribute("target") == "_blank"
    assert await card.locator("strong").inner_text() == "待办 <b>"
    assert await card.locator(".said").inner_text() == 'a\n<img src=x onerror="alert(1)">'


async def test_a_document_is_put_on_the_desk_and_approved_there(
    sandbox: RunningSandbox, page: Page
) -> None:
    await page.fill("#new [name=title]", "关于排班的请示")
    await page.click("#approvers .chip button")
    await page.fill("#approvers input", "仇")
    await page.click("#approvers [role=option]:has-text('s0005')")
    await page.click("#new .primary")
    yes = page.locator("#documents .yes")
    await yes.wait_for()
    said = await yes.inner_text()
    await yes.click()
    await page.wait_for_selector("#documents .done")

    assert said == "仇英 同意"


async def test_a_document_of_a_kind_is_opened_and_handled_whole(
    sandbox: RunningSandbox, page: Page
) -> None:
    await page.fill("#new [name=title]", "监护仪采购")
    await page.select_option("#new [name=kind]", "采购申请")
    await page.click("#new .primary")
    await page.click("#documents .title:text-is('监护仪采购')")
    await page.wait_for_selector("#document[open] .file:has-text('.xlsx')")
    assert await page.locator("#document th").count() == 4
    await page.fill("#document-remark", "同意<br>请<b>尽快</b>")
    await page.click("#document-to .box")
    await page.click("#document-to [role=option]:has-text('s0003')")
    await page.click("#document-forward")
    await page.wait_for_selector("#document-log li:has-text('转发'):has-text('<b>尽快</b>')")
    await page.select_option("#document-holder", "s0003")
    await page.click("#document [data-act=submit]:text-is('批注')")
    await page.wait_for_selector("#document-log li:has-text('区适子 批注')")
    await page.fill("#document-remark", "同意")
    await page.click("#document [data-act=submit]:text-is('同意')")
    await page.wait_for_selector("#document-acting", state="hidden")
    await page.click("#document-close")
    await page.wait_for_selector("#documents .done")


async def test_the_switches_show_what_is_broken_in_either_language(
    sandbox: RunningSandbox, page: Page
) -> None:
    await page.click("[data-system=wecom] [data-mode=down]")
    await page.wait_for_selector("[data-system=wecom].broken")
    await page.click("#language")

    await page.wait_for_selector("[data-system=wecom] [aria-pressed=true]:text-is('Down')")
    assert sandbox.wecom.faults.mode == "down"


async def test_the_his_tells_how_it_fares_and_can_be_hurried(
    sandbox: RunningSandbox, page: Page
) -> None:
    await page.click("#his-speeds [data-speed='600']")
    await page.wait_for_selector("#his-speeds [data-speed='600'][aria-pressed=true]")
    await page.click("[data-system=his] [data-mode=silent]")
    await page.wait_for_selector("[data-system=his].broken")
    await page.wait_for_function(
        "/待发 [1-9]/.test(document.getElementById('his-figures').textContent)"
    )
