"""The forum in real browsers: what one writes waits as a pill with the other, and what is hidden is gone."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.end_to_end.browser import DESKTOP, NETWORK, Window, chromium
from tests.end_to_end.hard_cases import GAPLESS, LONG_NAME, LONG_NAMED, House, seed
from tests.end_to_end.processes import ServerProcess
from tests.end_to_end.walking import LOOKS, Look, Walker

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

EVERYBODY, MODERATOR = "everybody", "s0001"
REASON = "涉及患者信息"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("forum")
    await seed(folder / "data")
    server = ServerProcess(folder / "data", "run", "--sandbox")
    await server.start()
    try:
        async with chromium() as browser:
            yield House(server, browser, folder, {})
    finally:
        server.close()


TO_THE_TOP = "document.querySelector('.virtual').scrollTo(0, 0)"
TO_THE_END = """async () => {
  const list = document.querySelector(".virtual")
  for (let frames = 0; frames < 200 && !list.textContent.includes("收到 🙂"); frames++) {
    list.scrollTop = list.scrollHeight
    await new Promise(requestAnimationFrame)
  }
}"""


async def write_post(window: Window, text: str, title: str = "") -> None:
    await window.turn_to(f"/forum/{EVERYBODY}")
    await window.page.click("a[aria-label='发帖']")
    await window.page.fill("input[name=title]", title)
    await window.page.fill("textarea[name=text]", text)
    await window.page.click("form button[type=submit]")


def post(text: str) -> str:
    return f".post:has-text('{text}')"


async def post_past_the_page(window: Window, text: str, **more: Any) -> str:
    """Write a post without the screens; its id."""
    fields = {"board_id": EVERYBODY, "client_id": f"test-{time.monotonic_ns()}", **more}
    post_id: str = (await window.command("forum.post", text=text, **fields))["post_id"]
    return post_id


async def test_a_post_becomes_a_pill_a_comment_a_like_and_is_hidden(house: House) -> None:
    async with house.window("s0002") as writer, house.window(MODERATOR) as reader:
        await reader.turn_to(f"/forum/{EVERYBODY}")
        await reader.see(post("B2 层今晚检修照明"))
        top = reader.page.locator(".post").first
        before = await top.bounding_box()

        # A post of somebody else waits behind the pill, and pushes nothing.
        await write_post(writer, "周五下午在示教室讲新版手卫生流程", title="手卫生培训")
        asked = time.monotonic()
        await reader.see(".pill:has-text('1 条新帖')")
        print(f"pill after {(time.monotonic() - asked) * 1000:.0f} ms")
        assert await top.bounding_box() == before
        assert await reader.page.locator(post("手卫生培训")).count() == 0
        await writer.see(post("手卫生培训"))
        assert await writer.page.locator(".pill").count() == 0
        await reader.page.click(".pill")
        await reader.see(post("手卫生培训"))
        await reader.see(".pill", state="detached")

        # A comment and a like arrive with the other while both look.
        await reader.page.click(f"{post('手卫生培训')} .words")
        await reader.see(".composer")
        await reader.write("我们科派三个人参加")
        await reader.see(".comment:has-text('我们科派三个人参加')")
        await writer.see(f"{post('手卫生培训')} a.act:has-text('1')")
        await reader.page.click("button.act[aria-pressed=false]")
        await reader.see("button.act[aria-pressed=true]:has-text('1')")
        await writer.see(f"{post('手卫生培训')} button.act:has-text('1')")

        # The author is told on the tile, and reading it takes the number away.
        await writer.turn_to("/apps")
        await writer.see(".tile:has-text('论坛') .badge:text-is('1')")
        await writer.turn_to("/forum")
        await writer.page.click("[role=tab]:has-text('回复我的 1')")
        await writer.page.click(".board:has-text('手卫生培训')")
        await writer.see(".comment:has-text('我们科派三个人参加')")
        await writer.turn_to("/apps")
        await writer.see(".tile:has-text('论坛'):not(:has(.badge))")

        # Hidden with a reason: the moderator and the author still read it, nobody else does.
        async with house.window("s0003") as other:
            await other.turn_to(f"/forum/{EVERYBODY}")
            await other.see(post("手卫生流程"))
            await reader.page.click(".post button[aria-label='更多操作']")
            await reader.page.click("[role=menuitem]:has-text('隐藏')")
            await reader.page.click(f".chip:has-text('{REASON}')")
            await reader.page.click("[role=dialog] button[type=submit]")
            await reader.see(f".hiding:has-text('该内容已被版主隐藏：{REASON}')")
            await other.see(f".hiding:has-text('{REASON}')")
            await other.see(post("手卫生流程"), state="detached")
            assert await reader.page.locator(post("手卫生流程")).count() == 1
            await writer.turn_to(f"/forum/{EVERYBODY}")
            await writer.see(post("手卫生流程"))
            await other.page.reload()
            await other.see(f".hiding:has-text('{REASON}')")
            assert "手卫生流程" not in await other.page.content()

            # And shown again.
            await reader.page.click(".post button[aria-label='更多操作']")
            await reader.page.click("[role=menuitem]:has-text('恢复显示')")
            await other.see(post("手卫生流程"))


async def test_an_author_takes_back_the_own_words_and_puts_them_back(house: House) -> None:
    async with house.window("s0004") as author, house.window("s0005") as other:
        post_id = await post_past_the_page(author, "写错了的一帖")
        for window in (author, other):
            await window.turn_to(f"/forum/p/{post_id}")
            await window.see(post("写错了的一帖"))
        await author.page.click(".post button[aria-label='更多操作']")
        await author.page.click("[role=menuitem]:has-text('撤回')")
        await author.page.click("[role=dialog] .button.primary")
        await other.see(".hiding:has-text('作者已撤回该内容')")
        await other.see(".closed:has-text('内容已隐藏，不能评论')")
        assert await other.page.locator(post("写错了的一帖")).count() == 0
        await author.page.click(".post button[aria-label='更多操作']")
        await author.page.click("[role=menuitem]:has-text('取消撤回')")
        await other.see(post("写错了的一帖"))
        await other.see(".composer")


async def test_who_may_not_see_a_board_is_told_whom_to_ask(house: House) -> None:
    async with house.window("s0004") as outsider, house.window(MODERATOR) as member:
        ward = (await member.command("forum.list", board_id="ward"))["posts"][0]["post_id"]
        await outsider.turn_to("/forum")
        await outsider.see(".board:has-text('全院交流区')")
        assert await outsider.page.locator(".board:has-text('心血管内科')").count() == 0
        await outsider.turn_to("/forum/ward")
        await outsider.see(".note:has-text('您没有查看此版块的权限')")
        await outsider.turn_to(f"/forum/p/{ward}")
        await outsider.see(".note:has-text('帖子不存在，或您没有查看权限')")
        await outsider.page.click(".note button")
        await outsider.page.wait_for_url("**/forum")


async def test_without_a_line_reading_goes_on_and_what_was_written_is_kept(house: House) -> None:
    async with house.window("s0006", forgiven=[NETWORK]) as window:
        post_id = await post_past_the_page(window, "断网前的一帖")
        await window.turn_to(f"/forum/{EVERYBODY}")
        await window.page.click(f"{post('断网前的一帖')} .words")
        await window.see(".composer")
        await window.context.set_offline(True)
        await window.see(".network .away")
        await window.write("断网时写的评论")
        await window.see(".waiting:has-text('断网时写的评论') .failed:has-text('未送达')")
        await window.turn_to(f"/forum/{EVERYBODY}")
        await window.see(post("断网前的一帖"))
        await window.page.click("a[aria-label='发帖']")
        await window.page.fill("textarea[name=text]", "断网时写的一帖")
        await window.page.click("form button[type=submit]")
        await window.see(".trouble:has-text('内容已保留')")
        await window.context.set_offline(False)
        await window.see(".network .away", state="detached")
        await window.page.reload()
        await window.see("textarea[name=text]")
        assert await window.page.input_value("textarea[name=text]") == "断网时写的一帖"
        await window.page.click("form button[type=submit]")
        await window.see(post("断网时写的一帖"))
        await window.turn_to(f"/forum/p/{post_id}")
        await window.page.click(".waiting button:has-text('重试')")
        await window.see(".comment:has-text('断网时写的评论')")
        shown = await window.command("forum.show", post_id=post_id)

    assert [comment["text"] for comment in shown["comments"]] == ["断网时写的评论"]


async def test_an_administrator_sets_a_board_up_for_people_and_departments(house: House) -> None:
    async with house.window("admin", DESKTOP) as admin, house.window("s0004") as member:
        page = admin.page
        await admin.turn_to("/forum")
        await page.click("button[aria-label='新建版块']")
        await page.fill("input[name=title]", "信息化建设")
        await page.click("[role=switch]:has-text('全院职工')")
        await page.click("button[aria-label='添加 · 部门和人员']")
        await page.click("[role=dialog] .crumbs button:has-text('全院')")
        await page.click("[role=dialog] .row:has-text('职能部门')")
        await page.click("[role=dialog] .row:has-text('信息中心')")
        await page.click("[role=dialog] [role=checkbox]:has(.whole):has-text('信息中心')")
        await page.click("[role=dialog] footer .button")
        await admin.see(".chosen:has-text('信息中心')")
        await page.click("button[aria-label='添加 · 版主']")
        await page.fill("[role=dialog] [role=search] input", "欧阳晨曦")
        await page.click("[role=dialog] [role=checkbox]:has-text('欧阳晨曦')")
        await page.click("[role=dialog] footer .button")
        await admin.see(".chosen:has-text('欧阳晨曦')")
        await page.click("form button[type=submit]")
        await page.wait_for_url(re.compile(r"/forum/[0-9a-f]{32}$"))
        await admin.see("h1:has-text('信息化建设')")
        await member.turn_to("/forum")
        await member.page.click(".board:has-text('信息化建设'):has-text('版主')")
        await member.see(".note:has-text('还没有帖子')")

        # The board is closed while somebody looks at it.
        await page.click("button[aria-label='版块设置']")
        await page.click("[role=switch]:has-text('关闭版块')")
        await page.click("form button[type=submit]")
        await member.see(".line:has-text('版块已关闭')")
        await member.see("a[aria-label='发帖']", state="detached")


@pytest.mark.parametrize(
    "look",
    [pytest.param(look, marks=() if look.is_large else pytest.mark.nightly) for look in LOOKS],
    ids=lambda look: look.name,
)
async def test_hard_cases_are_sound_in_every_look(house: House, tmp_path: Path, look: Look) -> None:
    walker = Walker(look, tmp_path)
    async with house.window(LONG_NAMED) as long_named:
        post_id = await post_past_the_page(long_named, GAPLESS, title="题" * 90 + "🙂")
        fields = {"post_id": post_id, "client_id": look.name}
        text = GAPLESS[1_000:1_900]
        first = await long_named.command("forum.comment", text=text, **fields)
    async with house.window(MODERATOR, look.screen, color_scheme=look.settings["theme"]) as window:
        await window.come_in(MODERATOR, **look.settings)
        reply = {"reply_to": first["comment"]["comment_id"], "client_id": f"{look.name}-reply"}
        await window.command("forum.comment", post_id=post_id, text="收到 🙂", **reply)
        await window.turn_to(f"/forum/{EVERYBODY}")
        await walker.judge(window, "feed-hard", post(LONG_NAME))
        await window.turn_to(f"/forum/p/{post_id}")
        await walker.judge(window, "post-hard", ".composer")
        await window.page.evaluate(TO_THE_END)
        await walker.judge(window, "comments-hard", ".comment:has-text('收到 🙂')")
        await window.page.click(".comment .icon-button >> nth=0")
        await walker.judge(window, "replying", ".composer .to")
        await window.page.evaluate(TO_THE_TOP)
        await window.page.click(".post .more")
        await walker.judge(window, "post-menu", "[role=menu]")
        await window.page.click("[role=menuitem].danger")
        await walker.judge(window, "reason", "[role=dialog] .chip")
        await window.page.click(".chip >> nth=0")
        await window.page.click("[role=dialog] button[type=submit]")
        await walker.judge(window, "hidden", ".hiding")
        await window.turn_to("/forum")
        await window.page.click("[role=tab] >> nth=1")
        await walker.judge(window, "answers", "#forum-panel :is(.board, .note)")
        settings = {"language": "zh", "theme": "system", "font": "normal"}
        await window.command("account.set_settings", **settings)
    async with house.window("admin", look.screen, color_scheme=look.settings["theme"]) as admin:
        await admin.come_in("admin", **look.settings)
        await admin.turn_to("/forum/ward/edit")
        await walker.judge(admin, "board-form", "input[name=title]")
        await admin.page.click(".chosen .button >> nth=0")
        await walker.judge(admin, "audience", "[role=dialog] [role=checkbox]")

    assert not walker.faults, "\n".join(walker.faults)
