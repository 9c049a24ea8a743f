"""公文办理 in real browsers: long roads over one server, from the list to the OA's own log and back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.end_to_end.browser import (
    DESKTOP,
    NETWORK,
    PHONE,
    REFUSALS,
    Screen,
    Window,
    chromium,
    open_window,
)
from tests.end_to_end.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FILE: Final = "关于印发产科急危重症转诊流程的通知.docx"
LARGE: Final = "大表单"
AT_LAST_S: Final = 30.0
MOST_ROWS: Final = 40
YES: Final = ".content .foot .yes, main.content .foot .yes"
SEND: Final = ".sheet footer .primary"
WORDS: Final = ".sheet textarea"


@dataclass(frozen=True, slots=True)
class Office:
    """The server, the browser, and the OA's own desk."""

    server: ServerProcess
    browser: Browser
    http: aiohttp.ClientSession

    async def put(self, title: str, *approvers: str, **also: Any) -> str:
        """A document on somebody's desk."""
        paper = {"title": title, "creator": "s0100", **also}
        if approvers:
            paper["approvers"] = approvers
        async with self.http.post(f"{self.server.sandbox_url}/oa/requests", json=paper) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["request_id"])

    async def seen(self, request_id: str) -> dict[str, Any]:
        """How it stands at the OA's own desk."""
        async with self.http.get(f"{self.server.sandbox_url}/oa/requests/{request_id}") as answer:
            return dict(await answer.json())

    async def remarks(self, request_id: str, act: str) -> list[str]:
        return [e["remark"] for e in (await self.seen(request_id))["log"] if e["act"] == act]

    async def act_at_the_desk(self, request_id: str, user: str) -> None:
        place = f"{self.server.sandbox_url}/oa/requests/{request_id}/submit"
        async with self.http.post(place, json={"user": user, "remark": "同意"}) as answer:
            assert answer.status == 200, await answer.text()

    async def until_done(self, request_id: str, user: str) -> None:
        async with asyncio.timeout(AT_LAST_S):
            while user not in (await self.seen(request_id))["done"]:
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def fault(self, mode: str) -> AsyncIterator[None]:
        """The OA misbehaves until the block ends."""
        place = f"{self.server.sandbox_url}/oa/faults"
        async with self.http.post(place, json={"mode": mode, "for_s": 60}) as answer:
            assert answer.status == 200, await answer.text()
        try:
            yield
        finally:
            await self.http.post(place, json={"mode": "off"})

    @asynccontextmanager
    async def window(self, account: str, screen: Screen = PHONE) -> AsyncIterator[Window]:
        window = await open_window(self.browser, self.server.url, screen)
        await window.come_in(account)
        yield window
        window.forgive(NETWORK, REFUSALS)
        assert window.complaints == []
        assert window.foreign == []
        await window.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    server = ServerProcess(tmp_path_factory.mktemp("documents") / "data", "run", "--sandbox")
    await server.start()
    try:
        async with chromium() as browser, aiohttp.ClientSession() as http:
            yield Office(server, browser, http)
    finally:
        server.close()


async def listed(window: Window, title: str) -> None:
    """Wait until the list that is on the screen has it."""
    await window.see(f".todo:has-text('{title}')", timeout=AT_LAST_S * 1_000)


async def opened(window: Window, request_id: str) -> None:
    """Open it, and wait until the OA has told its present state."""
    await window.turn_to(f"/d/{request_id}")
    await window.see("#part-log")
    await window.see(f"{YES}:not(:disabled)", timeout=AT_LAST_S * 1_000)


async def test_a_large_document_is_read_and_approved_with_words(
    office: Office, tmp_path: Path
) -> None:
    request_id = await office.put(
        "关于医疗设备年度采购的请示",
        "s0201",
        kind=LARGE,
        attachments=[FILE],
        needs_opinion=True,
        urgency="urgent",
    )
    await office.put("关于病区改造的请示", "s0201")
    async with office.window("s0201") as window:
        page = window.page
        await window.turn_to("/todos")
        await listed(window, "关于病区改造的请示")
        await page.click(".todo a:has-text('关于医疗设备年度采购的请示')")
        await page.wait_for_url(f"**/d/{request_id}")
        await window.see("article h2:has-text('关于医疗设备年度采购的请示')")
        await window.see("article .tag:has-text('特急')")
        await window.see("#part-flow .current:has-text('已等待')")

        # All of the form, the two tables, the file.
        card = await window.command("documents.open", request_id=request_id)
        assert len(card["fields"]) > 50
        assert len(card["tables"]) == 2
        await page.click("#part-form .more:has-text('展开全部')")
        await expect(page.locator("#part-form .field")).to_have_count(
            len(card["fields"])
            + sum(
                len(table["rows"]) * len(table["columns"])
                for table in card["tables"]
                if any(column["may_edit"] for column in table["columns"])
            )
        )
        await expect(page.locator("#part-form section.table")).to_have_count(2)
        assert await window.sideways() == []
        assert await window.axe() == []
        await window.shot(tmp_path, "documents-1-large")

        href = await page.get_attribute(f"#part-files a:has-text('{FILE}')", "href")
        assert href is not None
        assert href.startswith("/api/")
        ours = await window.context.request.get(office.server.url + href)
        [file] = [a for f in card["fields"] for a in f["attachments"] if a["name"] == FILE]
        desk = f"{office.server.sandbox_url}/oa/weaver/weaver.file.FileDownload"
        asked = {"fileid": file["id"], "download": "1"}
        async with office.http.get(desk, params=asked) as answer:
            assert await ours.body() == await answer.read()

        # Words are wanted, kept over a reload, and a phrase of one's own is there the next time.
        await page.click(YES)
        await page.click(SEND)
        await window.see(".sheet [role=alert]:has-text('请填写意见')")
        await page.fill(WORDS, "同意采购")
        await page.click(".sheet button:has-text('存为常用语')")
        assert await window.axe() == []
        await page.click(".phrases button:has-text('请按程序办理')")
        await page.click(".sheet header button")
        await page.reload()
        await page.click(f"{YES}:not(:disabled)")
        await expect(page.locator(WORDS)).to_have_value("同意采购，请按程序办理")
        await window.see(".phrases .mine:has-text('同意采购')")
        await page.click(SEND)
        await window.see(".result:has-text('已同意')", timeout=AT_LAST_S * 1_000)
        await window.shot(tmp_path, "documents-2-approved")
        assert (await office.remarks(request_id, "approve"))[0].count("同意采购，请按程序办理") == 1

        # The next one is offered.
        await page.click(".finished .next")
        await window.see("article h2:has-text('关于病区改造的请示')")


async def test_a_form_is_filled_in_a_no_says_why_and_others_are_shown_it(office: Office) -> None:
    wanting = await office.put(
        "监护仪采购申请", "s0202", kind="采购申请", needs_affirmance=True, form={}, rows=[[]]
    )
    unfit = await office.put("外出学习申请", "s0202", kind="请假申请")
    shown = await office.put("多重耐药菌监测月报", "s0202", kind="院感上报")
    async with office.window("s0202") as window:
        page = window.page
        # What must be filled in is asked for, in place; the second question too.
        await opened(window, wanting)
        await page.click(YES)
        await window.see("#part-form .field.wrong")
        for field in await page.locator("#part-form .field.wrong input").all():
            await field.fill("12800.5")
        # The phone takes the page away in the middle, and gives it back.
        await page.click(YES)
        await window.see(WORDS)
        await page.reload()
        await window.see(f"{YES}:not(:disabled)", timeout=AT_LAST_S * 1_000)
        await expect(page.locator("#part-form .field input").first).to_have_value("12800.5")
        await page.click(YES)
        await page.click(SEND)
        await window.see(".sheet h2:has-text('确认')")
        await page.click(".sheet .answers .primary")
        await window.see(".result:has-text('已同意')", timeout=AT_LAST_S * 1_000)
        assert "12,800.50" in str((await office.seen(wanting))["fields"])

        # A no without words is not sent.
        await opened(window, unfit)
        await page.click(".foot .no")
        await page.click(SEND)
        await window.see(".sheet [role=alert]:has-text('请填写意见')")
        await page.fill(WORDS, "请补充邀请函")
        await page.click(SEND)
        await window.see(".result:has-text('已退回')", timeout=AT_LAST_S * 1_000)
        assert "请补充邀请函" in (await office.remarks(unfit, "reject"))[0]

        # Forwarded, it is still mine to decide.
        await opened(window, shown)
        await page.click(".foot .aside")
        await page.click("[role=menuitem]:has-text('转发')")
        await page.fill(".picker input", "qiulihua")
        await page.click(".picker [role=checkbox]:has-text('仇丽华')")
        await page.click(".picker footer .primary")
        await page.fill(WORDS, "请知悉")
        await page.click(SEND)
        await window.see("[role=status]:has-text('已转发')", timeout=AT_LAST_S * 1_000)
        assert (await office.seen(shown))["forwarded"] == ["s0003"]
        await window.see(f"{YES}:not(:disabled)", timeout=AT_LAST_S * 1_000)


async def test_who_was_slower_sees_the_new_state_and_keeps_the_words(
    office: Office, tmp_path: Path
) -> None:
    request_id = await office.put("保洁合同续签会签", "s0203", "s0204", mode="any")
    async with office.window("s0203", DESKTOP) as window:
        await opened(window, request_id)
        await window.page.click(YES)
        await window.page.fill(WORDS, "同意，但请先核对单价")
        await office.act_at_the_desk(request_id, "s0204")
        await window.page.click(SEND)
        note = ".content .note:has-text('公文状态已变化')"
        await window.see(note, timeout=AT_LAST_S * 1_000)
        await window.see(f"{note} blockquote:has-text('同意，但请先核对单价')")
        await window.see(YES, state="detached")
        await window.see("#part-log li:has-text('同意')")
        await window.shot(tmp_path, "documents-3-moved")
        assert await window.axe() == []
        await window.page.click(f"{note} button:has-text('知道了')")
        await window.see(note, state="detached")


async def test_a_lost_answer_is_read_back_and_told_wherever_one_is(
    office: Office, tmp_path: Path
) -> None:
    request_id = await office.put("夜班人员调配方案", "s0205")
    vanished = await office.put("病区陪护管理规定", "s0205")
    async with office.window("s0205") as window:
        page = window.page
        # One that never arrived is looked after while others are handled; see the end.
        await opened(window, vanished)
        async with office.fault("swallowed"):
            await page.click(YES)
            await page.fill(WORDS, "同意执行")
            await page.click(SEND)
            await window.see(".note:has-text('还不知道是否提交成功')", timeout=AT_LAST_S * 1_000)
            await window.see(YES, state="detached")

        await opened(window, request_id)
        await page.click(YES)
        await page.fill(WORDS, "同意调配")
        async with office.fault("lost_submit"):
            await page.click(SEND)
            await window.see(".note:has-text('还不知道是否提交成功'), .result:has-text('已同意')")
            await window.shot(tmp_path, "documents-4-unknown")
            await window.see(".result:has-text('已同意')", timeout=AT_LAST_S * 1_000)
        assert len(await office.remarks(request_id, "approve")) == 1

        # A slow one is not waited for: its end comes as a word on another screen.
        slow = await office.put("电子病历模板调整", "s0205")
        await opened(window, slow)
        async with office.fault("slow_submit"):
            await page.click(YES)
            await page.click(SEND)
            await window.see(".foot:has-text('正在提交，请勿重复操作')", timeout=AT_LAST_S * 1_000)
            await window.turn_to("/messages")
            told = ".word:has-text('电子病历模板调整')"
            await window.see(told, timeout=AT_LAST_S * 1_000)
        await office.until_done(slow, "s0205")
        await window.turn_to(f"/d/{slow}")
        await window.see(".result:has-text('已同意')", timeout=AT_LAST_S * 1_000)
        assert len(await office.remarks(slow, "approve")) == 1

        # Half a minute later it is said that it does not show, and one may knowingly act again.
        await window.turn_to(f"/d/{vanished}")
        absent = ".note:has-text('OA 中没有查到您的操作')"
        await window.see(f"{absent} blockquote:has-text('同意执行')", timeout=2 * AT_LAST_S * 1_000)
        await window.shot(tmp_path, "documents-5-absent")
        assert await window.axe() == []
        assert await office.remarks(vanished, "approve") == []
        await page.click(f"{YES}:not(:disabled)")
        await expect(page.locator(WORDS)).to_have_value("同意执行")
        await page.click(SEND)
        await window.see(".result:has-text('已同意')", timeout=AT_LAST_S * 1_000)
        assert len(await office.remarks(vanished, "approve")) == 1


async def test_an_oa_that_fails_takes_nothing_away_and_lets_nothing_be_done(
    office: Office,
) -> None:
    request_id = await office.put("冬季呼吸道疾病防控预案", "s0206")
    other = await office.put("会议室改造申请", "s0206")
    async with office.window("s0206") as window:
        page = window.page
        await window.turn_to("/todos")
        await listed(window, "会议室改造申请")
        await opened(window, request_id)
        async with office.fault("down"):
            await page.click(".bar [aria-haspopup=menu]")
            await page.click("[role=menuitem]:has-text('重新读取')")
            await window.see(".banner:has-text('OA 暂时无法连接')", timeout=AT_LAST_S * 1_000)
            await window.see("#part-form")
            await window.see(f"{YES}:disabled")
            await window.see(".barred:has-text('暂时不能办理')")
            # Of one that was never opened here there is what the list knew.
            await window.turn_to(f"/d/{other}")
            await window.see(".banner:has-text('以下是列表中的信息')", timeout=AT_LAST_S * 1_000)
            await window.see("article h2:has-text('会议室改造申请')")
        # It comes back by itself.
        await window.see(f"{YES}:not(:disabled)", timeout=AT_LAST_S * 1_000)

        # A filter in front of it is no silence, also when the background met it first.
        async with office.fault("blocked"):
            await window.turn_to("/todos")
            await window.turn_to(f"/d/{other}")
            await window.see(
                ".banner:has-text('OA 的安全设置拒绝了访问')", timeout=AT_LAST_S * 1_000
            )
            await window.see(f"{YES}:disabled")
        await window.see(f"{YES}:not(:disabled)", timeout=AT_LAST_S * 1_000)

        # Without a line it is shown as it was.
        await window.turn_to(f"/d/{request_id}")
        await window.see(f"{YES}:not(:disabled)", timeout=AT_LAST_S * 1_000)
        await window.context.set_offline(True)
        await window.see(".barred:has-text('网络未连接')", timeout=AT_LAST_S * 1_000)
        await window.see("#part-form")
        await window.context.set_offline(False)
        await window.see(f"{YES}:not(:disabled)", timeout=AT_LAST_S * 1_000)
        await window.turn_to("/d/999999")
        await window.see(".note:has-text('没有找到这份公文')")


async def test_a_hundred_rows_a_plain_yes_and_the_way_back(office: Office, tmp_path: Path) -> None:
    first = await office.put("手卫生依从性检查报告", "s0207", kind="公文审批", form={}, rows=[])
    second = await office.put("门诊出诊时间调整", "s0207", kind="公文审批", form={}, rows=[])
    for number in range(97):
        await office.put(f"办公电脑采购申请 {number:02d}", "s0207", kind="公文审批", form={})
    async with office.window("s0207") as window:
        page = window.page
        await window.turn_to("/todos")
        await window.see("[role=tab]:has-text('待办 99')", timeout=AT_LAST_S * 1_000)
        async with asyncio.timeout(AT_LAST_S):
            while not await page.locator(".end:has-text('共 99 项')").count():
                await page.evaluate("document.querySelector('.virtual')?.scrollTo(0, 1e6)")
                await asyncio.sleep(0.1)
        assert 0 < await page.locator(".todo").count() <= MOST_ROWS
        assert await window.axe() == []

        # Whoever comes back from far down, or hears of a new one, is where they were.
        await (
            page.locator(".todo", has_text="手卫生依从性检查报告")
            .locator("h2, .title")
            .first.click()
        )
        await window.see("article h2")
        await page.go_back()
        await office.put("办公电脑采购申请 97", "s0207", kind="公文审批", form={})
        await window.see(".end:has-text('共 100 项')", timeout=AT_LAST_S * 1_000)

        # Taken back, and left: both times nobody is told.
        row = page.locator(".todo", has_text="手卫生依从性检查报告")
        await row.locator("button.yes").click()
        await window.see(".bar:has-text('即将同意')")
        await window.shot(tmp_path, "documents-5-undo")
        await page.click(".bar button:has-text('撤销')")
        await window.see(".bar:has-text('即将同意')", state="detached")
        await row.locator("button.yes").click()
        await window.see(".bar:has-text('离开本页则不会提交')")
        await page.click("nav button:has-text('消息')")
        await window.see(".word:has-text('1 件没有提交')")

        # Let stand, it is said; the row fades with words.
        await page.click("nav button:has-text('待办')")
        await page.click(".chip[aria-label='按文字查找']")
        await page.fill(".filters input", "门诊出诊")
        await window.see(".as-of:has-text('找到 1 项')", timeout=AT_LAST_S * 1_000)
        await page.locator(".todo", has_text="门诊出诊时间调整").locator("button.yes").click()
        await office.until_done(second, "s0207")
        await window.see(".todo.faded:has-text('已同意')")
        assert (await office.seen(first))["pending"] == ["s0207"]
        await page.click(".filters .plain")
        await window.see("[role=tab]:has-text('待办 99')", timeout=AT_LAST_S * 1_000)


async def test_copies_are_ticked_and_taken_note_of_together(office: Office) -> None:
    for number in range(3):
        await office.put(f"院务会纪要 {number}", "s0001", copies=["s0208"])
    async with office.window("s0208") as window:
        page = window.page
        await window.turn_to("/todos?state=read")
        await listed(window, "院务会纪要 2")
        await page.click("button[aria-label='多选']")
        await expect(page.locator(".todo button.yes")).to_have_count(0)
        await page.click(".many button:has-text('全选')")
        assert await window.axe() == []
        await page.click(".many .primary")
        await window.see(".word:has-text('已标为已阅')", timeout=AT_LAST_S * 1_000)
        await window.see(".many", state="detached")


async def test_a_desktop_has_the_flow_beside_the_document(office: Office, tmp_path: Path) -> None:
    request_id = await office.put(
        "后勤维保合同会签",
        kind="会签",
        steps=[{"name": "科室审核", "approvers": ["s0210"]}, {"approvers": ["s0209", "s0211"]}],
    )
    await office.act_at_the_desk(request_id, "s0210")
    async with office.window("s0209", DESKTOP) as window:
        await window.turn_to("/todos")
        await listed(window, "后勤维保合同会签")
        await window.page.click(".todo a:has-text('后勤维保合同会签')")
        await window.see("#details .flow .done:has-text('科室审核')")
        await window.see("#details .flow .current:has-text('等待')")
        await window.see(f"{YES}:not(:disabled)", timeout=AT_LAST_S * 1_000)
        assert await window.sideways() == []
        assert await window.axe() == []
        await window.shot(tmp_path, "documents-6-desktop")
        await window.page.click("nav button:has-text('消息')")
        await expect(window.page.locator("#details")).to_be_empty()
