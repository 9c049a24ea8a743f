"""A phone in a corridor: files of the app that do not come, and pages taken away in the middle of a word."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.end_to_end.browser import NETWORK, Window, chromium
from tests.end_to_end.hard_cases import House
from tests.end_to_end.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

GROUP = "心血管内科医护群"
SCRIPT, CHAT, SIGN_IN = "**/assets/vendor-*", "**/assets/Chat-*", "**/assets/SignIn-*"

DEAF = """addEventListener("pagehide", () => {
  IDBObjectStore.prototype.put = IDBObjectStore.prototype.delete = () => undefined
})"""
"""A busy phone now and then lets go of what a page told its database while it went. This one always does."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("lines")
    server = ServerProcess(folder / "data", "run", "--sandbox")
    await server.start()
    try:
        async with chromium() as browser:
            made = House(server, browser, folder, {})
            async with made.window("s0001") as window:
                listed = (await window.command("chat.conversations"))["conversations"]
                made.groups |= {one["title"]: one["conversation_id"] for one in listed}
            yield made
    finally:
        server.close()


async def lost(route: Route) -> None:
    await route.abort()


async def test_a_page_whose_files_do_not_come_says_so_and_tries_again(house: House) -> None:
    async with house.window("s0001", forgiven=[NETWORK]) as window:
        for missing, again in ((SCRIPT, ".opening a"), (CHAT, ".note button:has-text('重试')")):
            await window.page.route(missing, lost)
            await window.goto(f"/c/{house.groups[GROUP]}")
            await window.see(again)
            await window.page.unroute(missing)
            await window.page.click(again)
            await window.see(".composer")
    async with house.window("", forgiven=[NETWORK]) as window:
        await window.page.route(SIGN_IN, lost)
        await window.goto("/")
        await window.see(".note button:has-text('重试')")


async def test_what_is_half_written_is_kept_though_the_page_goes_at_once(house: House) -> None:
    half = "写到一半，电话来了"
    places = (
        (f"/c/{house.groups[GROUP]}", ".composer textarea"),
        ("/mail/new?to=s0002", ".content textarea"),
        ("/forum/everybody/new", "textarea[name=text]"),
    )
    async with house.window("s0001") as window:
        await window.context.add_init_script(DEAF)
        for path, field in places:
            await window.goto(path)
            await window.page.fill(field, half)
            await window.page.reload()
            await expect(window.page.locator(field)).to_have_value(half)
        await window.goto(places[0][0])
        await window.page.fill(places[0][1], "")


async def mention(window: Window, name: str) -> None:
    field = window.page.locator(".composer textarea")
    await field.press_sequentially(f"@{name}")
    await window.page.click(f".mentions li:has-text('{name}')")
    await field.press_sequentially("请看")


async def called_by(window: Window, group: str, words: str) -> list[str]:
    """Whom the newest message calls, once the server has said that it took these words."""
    await window.see(f".line.mine:has-text('{words}') button.under")
    page = await window.command("chat.history", conversation_id=group)
    content = page["messages"][-1]["content"]
    assert words in content["text"]
    mentions: list[str] = content.get("mentions", [])
    return mentions


async def test_whom_a_message_calls_is_kept_with_what_is_half_written(house: House) -> None:
    """A page taken away, and a recall: the words came back and called nobody any more."""
    group = house.groups[GROUP]
    async with house.window("s0001") as window:
        field = window.page.locator(".composer textarea")
        await window.context.add_init_script(DEAF)
        await window.goto(f"/c/{group}")
        await mention(window, "仇丽华")
        await window.page.reload()
        await window.see(".composer .send.ready")
        await window.page.click(".composer .send")
        called = await called_by(window, group, "请看")

        await field.fill("还没写完")
        await window.page.locator(".line.mine .bubble").last.click(button="right")
        await window.page.click("[role=menuitem]:has-text('撤回')")
        await window.page.click(".again")
        both = await field.input_value()
        await window.page.click(".composer .send")
        called_again = await called_by(window, group, "还没写完")

    assert called
    assert both == "还没写完\n@仇丽华 请看"
    assert called_again == called
