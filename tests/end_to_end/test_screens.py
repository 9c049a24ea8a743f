"""Every screen in every look, and the states that a ward sees sooner or later.

One server and one browser for all of it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from server.features.chat.documents import direct_id
from tests.end_to_end.browser import DESKTOP, NETWORK, PASSWORD, USUAL_LINE, Window, chromium
from tests.end_to_end.every_screen import addresses, judge_overlays
from tests.end_to_end.hard_cases import (
    CROWD,
    ENDLESS,
    GAPLESS,
    LONELY,
    LONG_NAME,
    LONG_NAMED,
    UNREAD,
    House,
    seed,
)
from tests.end_to_end.lines import RETRY_AFTER_MS, OutrunningLine, StrictLine
from tests.end_to_end.processes import ServerProcess
from tests.end_to_end.walking import LOOKS, Look, Walker

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

MOST_ROWS = 60
HARD_MAIL = {
    "to": {"person_ids": ["s0001", "s0002"], "department_ids": ["cardiology"]},
    "subject": "长" * 199 + "W",
    "text": GAPLESS,
}
USUAL = {"language": "zh", "theme": "system", "font": "normal"}
AMBER_AFTER_S = 2.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("screens")
    await seed(folder / "data")
    server = ServerProcess(folder / "data", "run", "--sandbox")
    await server.start()
    try:
        async with chromium() as browser:
            made = House(server, browser, folder, {})
            async with made.window("s0001") as window:
                listed = (await window.command("chat.conversations"))["conversations"]
                made.groups |= {one["title"]: one["conversation_id"] for one in listed}
            async with made.window(LONG_NAMED) as window:
                await window.command("mail.send", client_id="hard", **HARD_MAIL)
            yield made
    finally:
        server.close()


# Every screen in every look.


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
async def test_every_screen_is_sound(house: House, tmp_path: Path, look: Look) -> None:
    walker = Walker(look, tmp_path)
    colours = look.settings["theme"]
    async with house.window("", look.screen, color_scheme=colours) as window:
        await window.goto("/")
        if not look.is_large:  # which is chosen by whoever has signed in
            await walker.judge(window, "sign-in", "form.form")
        await window.come_in("s0001", **look.settings)
        await window.see(".conversation")
        papers = (await window.command("todos.list", state="pending"))["items"]
        mails = (await window.command("mail.list"))["rows"]
        hard = next(row["mail_id"] for row in mails if row["sender_id"] == LONG_NAMED)
        for name, path, sign in addresses(house, papers[0]["request_id"], hard):
            await window.turn_to(path)
            await walker.judge(window, name, sign)
        await judge_overlays(window, walker, house.groups[CROWD])
        await window.command("account.set_settings", **USUAL)

    assert not walker.faults, "\n".join(walker.faults)


# States.


async def texts_of(window: Window, conversation: str) -> list[str]:
    """What the server holds, newest 50."""
    page = await window.command("chat.history", conversation_id=conversation)
    return [one["content"].get("text", "") for one in page["messages"]]


async def sent_once(window: Window, conversation: str, text: str) -> None:
    """The message reached the server, shows so, and did so once."""
    await window.see(f".line.mine:has-text('{text}') .under:text-matches('已送达|未读|已读')")
    assert (await texts_of(window, conversation)).count(text) == 1
    assert await window.page.locator(f".bubble:has-text('{text}')").count() == 1


async def test_without_a_network_reading_goes_on_and_a_message_waits(house: House) -> None:
    friend = direct_id("s0001", "s0002")
    async with (
        house.window("s0006") as other,
        house.window("s0001", forgiven=[NETWORK]) as window,
    ):
        talk = (await other.command("chat.open", person_id="s0001"))["conversation_id"]
        await other.turn_to(f"/c/{talk}")
        await other.write("先打个招呼")
        await window.page.click(".conversation:has-text('先打个招呼')")
        await window.see(".bubble:has-text('先打个招呼')")
        await window.turn_to(f"/c/{friend}")
        await window.see(".bubble:has-text('好的，我再约两位护士')")
        await window.turn_to("/messages")
        await other.write("断网之前收到的一句")
        await window.see(".conversation:has-text('断网之前收到的一句') .badge")
        await window.context.set_offline(True)
        began = time.monotonic()
        await window.see(".network .away", timeout=5_000)
        waited = time.monotonic() - began
        await window.page.click(".conversation:has-text('断网之前收到的一句')")
        await window.see(".bubble:has-text('断网之前收到的一句')")
        await window.turn_to("/messages")
        await window.see(".conversation:has-text('断网之前收到的一句'):not(:has(.badge))")
        await window.turn_to(f"/c/{friend}")
        await window.write("没有网络时写的一句")
        await window.see(".line.mine .under:has-text('等待网络')")
        await window.turn_to("/messages")
        await window.see(".conversation:has-text('没有网络时写的一句')")
        await window.turn_to(f"/c/{friend}")
        await window.see(".bubble:has-text('好的，我再约两位护士')")
        assert "没有网络时写的一句" not in await texts_of(window, friend)
        await window.context.set_offline(False)
        await window.see(".network .back")
        await sent_once(window, friend, "没有网络时写的一句")
        await other.see(".line.mine:has-text('断网之前收到的一句') .under:has-text('已读')")
        await window.see(".network .back", state="detached")

    assert waited > AMBER_AFTER_S * 0.9


async def test_a_restart_loses_nothing_and_a_reload_keeps_what_was_unsent(house: House) -> None:
    friend = direct_id("s0001", "s0003")
    async with (
        house.window("s0003", forgiven=[NETWORK]) as other,
        house.window("s0001", forgiven=[NETWORK]) as window,
    ):
        await window.turn_to(f"/c/{friend}")
        await window.see(".bubble:has-text('已改，重新提交了')")
        await other.turn_to("/devices")
        await other.see("li.row")
        await other.turn_to("/me")
        await other.see(".list [role=switch]")
        house.server.kill()

        await window.see(".network .away", timeout=6_000)
        await window.write("重启之前没有送出的话")
        await window.see(".line.mine .under:has-text('等待网络')")
        await other.turn_to("/devices")
        await other.see(".note:has-text('网络未连接') button:has-text('重试')")

        # The page is loaded again before it can reach the server: what was written is still there.
        await window.context.route("**/api/**", lambda route: route.abort())
        await house.server.start()
        await window.page.reload()
        await window.see(".line.mine:has-text('重启之前没有送出的话')")
        await other.see(".network .away", state="detached")
        again = other.page.locator(".note button:has-text('重试')")
        if await again.count():
            await again.click()
        await other.see("li.row")
        await other.turn_to(f"/c/{friend}")
        await other.write("重启之后的新消息")
        await sent_once(other, friend, "重启之后的新消息")
        await window.context.unroute("**/api/**")
        await window.see(".bubble:has-text('重启之后的新消息')")
        await sent_once(window, friend, "重启之前没有送出的话")
        await other.see(".bubble:has-text('重启之前没有送出的话')")


async def test_a_revoked_device_is_told_so(house: House) -> None:
    async with house.window("s0005") as lost, house.window("s0005", DESKTOP) as keeper:
        noted = 'localStorage.setItem("yuanxin:s0005 1", \'[["drafts", "1", "写到一半"]]\')'
        await lost.page.evaluate(noted)
        await keeper.turn_to("/devices")
        await keeper.page.click("li.row button")
        await keeper.page.click("[role=dialog] .button.primary")
        await lost.see("form.form")
        await lost.see(".farewell:has-text('此设备已被退出登录')")
        kept = await lost.page.evaluate("indexedDB.databases().then(all => all.map(d => d.name))")
        notes = await lost.page.evaluate(
            "Object.keys(localStorage).filter(key => key.startsWith('yuanxin:'))"
        )
        await keeper.see("li.row")

    assert kept == []
    assert notes == []


async def test_a_page_that_slept_while_another_signed_in_does_nothing_in_their_name(
    house: House,
) -> None:
    """One browser, one cookie: the first one's page comes back and finds it the second's."""
    friend = direct_id("s0001", "s0002")
    async with house.window("s0001", forgiven=[NETWORK]) as window:
        await window.turn_to(f"/c/{friend}")
        await window.see(".composer")
        line = await window.own_line()
        await line.send("Network.emulateNetworkConditions", {"offline": True, **USUAL_LINE})
        other = Window(window.context, await window.context.new_page(), window.base)
        await other.goto("/me")
        await other.page.click("button:has-text('退出登录')")
        await other.page.click("[role=dialog] .button.primary")
        await other.enter("s0002", PASSWORD)
        await other.see(".conversation")
        await window.write("只有第一个人写过的话")
        await window.see(".line.mine .under:has-text('等待网络')")
        await line.send("Network.emulateNetworkConditions", {"offline": False, **USUAL_LINE})
        await window.see(".watermark[style*='0002']", state="attached")

        assert "只有第一个人写过的话" not in await texts_of(other, friend)
        assert await window.page.locator(".bubble:has-text('只有第一个人')").count() == 0
        assert other.complaints == []


async def test_who_writes_too_fast_waits_as_told_and_sends_once(house: House) -> None:
    friend = direct_id("s0002", "s0003")
    line = StrictLine()
    async with house.window("") as window:
        await window.page.route_web_socket("**/socket.io/**", line.join)
        await window.come_in("s0002")
        await window.turn_to("/about")
        await window.see("dd:has-text('已连接')")
        await window.turn_to(f"/c/{friend}")
        await window.see(".composer")
        await window.write("写得太快的一句")
        await window.see(".line.mine:has-text('写得太快的一句') .under:has-text('发送太频繁')")
        await sent_once(window, friend, "写得太快的一句")

    assert len(line.attempts) == 2
    assert line.attempts[1] - line.attempts[0] >= RETRY_AFTER_MS / 1000


async def test_a_message_that_outruns_a_page_of_history_stays_on_the_screen(house: House) -> None:
    """The page was read before the message was kept, and comes after the message's ack."""
    friend = direct_id("s0001", "s0002")
    line = OutrunningLine()
    async with house.window("s0001", forgiven=[NETWORK]) as window:
        await window.turn_to(f"/c/{friend}")
        await window.see(".bubble:has-text('好的，我再约两位护士')")
        await window.kept_a_chat("s0001")
        for over_http in (TICKETS, COMMANDS):
            await window.context.route(over_http, lambda route: route.abort())
        await window.page.route_web_socket("**/socket.io/**", line.join)
        await window.page.reload()
        await window.write("比历史先到的一句")
        await window.see(".line.mine:has-text('比历史先到的一句')")
        await window.context.unroute(TICKETS)
        await sent_once(window, friend, "比历史先到的一句")

    assert line.has_outrun


TICKETS = "**/api/v1/auth/ticket"
COMMANDS = "**/api/v1/commands/**"


async def test_three_thousand_messages_are_a_few_rows_and_the_first_can_be_reached(
    house: House,
) -> None:
    async with house.window("s0001", forgiven=[NETWORK]) as window:
        page = window.page
        await window.see("nav .badge:text-is('99+')")
        await window.see(f".conversation:has-text('{ENDLESS}') .badge:text-is('99+')")
        await window.turn_to(f"/c/{house.groups[ENDLESS]}")
        await window.see(".divider")
        await window.see(f".bubble:has-text('第{3_000 - UNREAD + 1}条')")
        opened = await page.locator("[role=log] [data-key]").count()
        rows = await page.evaluate(TO_THE_TOP)
        await window.see(".bubble:has-text('第1条')")
        await window.see(".between:has-text('这是聊天的开始')")
        await page.click(".pill.down")
        await window.see(".bubble:has-text('第3000条')")
        await window.turn_to("/messages")
        await window.see(f".conversation:has-text('{ENDLESS}'):not(:has(.badge))")
        await written_far_from_the_end(window, house.groups[ENDLESS])

    assert 0 < opened <= MOST_ROWS
    assert rows <= MOST_ROWS


async def written_far_from_the_end(window: Window, group: str) -> None:
    """A line that swallows what is asked, and a page that is closed, before the end was ever shown."""
    written = "从很早以前回的一句"
    await window.turn_to(f"/c/{group}?at=5")
    await window.see(".bubble:has-text('第5条')")
    await window.context.set_offline(True)
    await window.see(".network .away")
    await window.context.route("**/api/**", lambda _: asyncio.sleep(0))
    await window.context.set_offline(False)
    await window.write(written)
    await window.see(f".line.mine:has-text('{written}')")
    await window.see(".between:has-text('此处有消息未加载')")
    await window.goto("/about")
    await window.context.unroute("**/api/**")
    await window.goto(f"/c/{group}")
    await sent_once(window, group, written)


TO_THE_TOP = """async () => {
  const log = document.querySelector("[role=log]")
  let most = 0
  for (let frames = 0; frames < 3000; frames++) {
    log.scrollTop = 0
    await new Promise(requestAnimationFrame)
    most = Math.max(most, log.querySelectorAll("[data-key]").length)
    if (log.textContent.includes("第1条")) break
  }
  return most
}"""


async def test_three_hundred_members_are_a_few_rows(house: House) -> None:
    async with house.window("s0001") as window:
        await window.turn_to(f"/c/{house.groups[CROWD]}/details")
        await window.see(".details .row:has-text('仇丽华')")
        shown = await window.page.locator(".details [data-key]").count()
        await window.page.fill(".details [role=search] input", "欧阳青")
        await window.see(f".details .row:has-text('{LONG_NAME}')")

    assert 0 < shown <= MOST_ROWS


async def test_nothing_there_and_nothing_to_see_are_said_in_words(house: House) -> None:
    async with house.window(LONELY) as window:
        await window.see(".note:has-text('还没有会话')")
        await window.turn_to("/c/nosuchconversation")
        await window.see(".note:has-text('会话不存在')")
        await window.page.click(".note button")
        await window.page.wait_for_url("**/messages")
        await window.turn_to(f"/c/{house.groups[ENDLESS]}")
        await window.see(".note:has-text('会话不存在')")
        await window.turn_to("/d/999999")
        await window.see(".note:has-text('没有找到这份公文')")
        await window.turn_to("/p/nobody")
        await window.see(".note:has-text('没有找到这位同事')")


async def test_an_oa_that_is_down_is_said_and_takes_nothing_away(house: House) -> None:
    async with house.window("s0001") as window, aiohttp.ClientSession() as http:
        faults = f"{house.server.sandbox_url}/oa/faults"
        await window.turn_to("/todos")
        await window.see(".todo")
        await http.post(faults, json={"mode": "down", "for_s": 30})
        stale = window.page.locator(".stale:has-text('OA 暂时无法连接，数据截至')")
        async with asyncio.timeout(20):
            while not await stale.count():  # what was read a moment ago is shown as it is
                await window.page.click("button[aria-label='刷新']")
                await asyncio.sleep(0.5)
        await window.see(".todo")
        await http.post(faults, json={"mode": "off"})


async def test_the_list_of_members_to_mention_is_sound(house: House, tmp_path: Path) -> None:
    walker = Walker(LOOKS[0], tmp_path)
    async with house.window("s0001") as window:
        await window.turn_to(f"/c/{house.groups[CROWD]}")
        await window.page.locator(".composer textarea").press_sequentially("@")
        await walker.judge(window, "mention", ".mentions li")

    assert not walker.faults, "\n".join(walker.faults)


async def test_the_keyboard_opens_the_menu_of_a_message(house: House) -> None:
    async with house.window("s0001", DESKTOP) as window:
        await window.turn_to(f"/c/{direct_id('s0001', 's0002')}")
        await window.page.locator(".bubble").last.press("Enter")
        await window.see("[role=menu]", timeout=2_000)


async def test_a_phones_focus_goes_to_the_screen_and_back_to_the_row(house: House) -> None:
    async with house.window("s0001") as window:
        row = window.page.locator(".conversation").nth(2)
        await row.press("Enter")
        await expect(window.page.locator("main h1")).to_be_focused()
        await window.page.go_back()
        await expect(row).to_be_focused()


async def test_a_new_direct_chat_begins_without_a_line(house: House) -> None:
    async with house.window("s0021") as window:
        await window.turn_to("/p/s0022")
        await window.page.click(".ways button")
        await window.see(".composer")
        await window.write("你好")
        await window.see(".line.mine .under")
        lines = await window.page.locator(".between").all_inner_texts()

    assert not [line for line in lines if "群聊" in line]
