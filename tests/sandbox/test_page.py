"""The phone-and-desk page in a real browser."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from tests.sandbox.running import RunningSandbox, running_sandbox, textcard

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    async with running_sandbox(tmp_path) as running:
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


async def test_the_switches_show_what_is_broken_in_either_language(
    sandbox: RunningSandbox, page: Page
) -> None:
    await page.click("[data-system=wecom] [data-mode=down]")
    await page.wait_for_selector("[data-system=wecom].broken")
    await page.click("#language")

    await page.wait_for_selector("[data-system=wecom] [aria-pressed=true]:text-is('Down')")
    assert sandbox.wecom.faults.mode == "down"
