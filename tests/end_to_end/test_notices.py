"""Notices as people meet them: do-not-disturb and why, and an administrator who sends again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.end_to_end.browser import DESKTOP, PHONE, Screen, Window, chromium, open_window
from tests.end_to_end.processes import ServerProcess
from tests.end_to_end.walking import LOOKS, Look, Walker

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
ALL_DAY = {"days": list(range(7)), "begins": 0, "ends": 0}
"""Quiet hours that hold whatever the time is."""


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

    async def fault(self, mode: str, for_s: float = 600) -> None:
        url = f"{self.server.sandbox_url}/wecom/faults"
        async with self.http.post(url, json={"mode": mode, "for_s": for_s}) as answer:
            assert answer.status == 200

    async def inbox(self, person: str) -> list[dict[str, str]]:
        async with self.http.get(f"{self.server.sandbox_url}/wecom/inbox/{person}") as answer:
            return list(await answer.json())

    async def write(self, to: str, client_id: str) -> str:
        """The administrator writes to somebody who is away: the conversation."""
        sender = await self.window("admin", DESKTOP)
        opened = await sender.command("chat.open", person_id=to)
        conversation_id: str = opened["conversation_id"]
        content = {"kind": "text", "text": "请看一下"}
        await sender.command(
            "chat.send", conversation_id=conversation_id, client_id=client_id, content=content
        )
        await sender.close()
        return conversation_id


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hospital(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hospital]:
    folder = tmp_path_factory.mktemp("notices")
    settings = {"YUANXIN_NOTICE_FIRST_SECONDS": "1"}
    server = ServerProcess(folder / "data", "run", "--sandbox", settings=settings)
    await server.start()
    try:
        async with chromium() as browser, aiohttp.ClientSession() as http:
            yield Hospital(server, browser, http)
    finally:
        server.close()


async def ended(window: Window, person: str, state: str) -> None:
    """Wait until a notice of a person's is in this state."""
    for _ in range(300):
        rows = await window.command("notices.admin_ledger", person_id=person, state=state)
        if rows["items"]:
            return
        await window.page.wait_for_timeout(100)
    raise AssertionError(f"no notice of {person} is {state}")


async def test_quiet_hours_are_chosen_and_the_reason_is_read(hospital: Hospital) -> None:
    window = await hospital.window("s0011")
    page = window.page
    await window.turn_to("/me")
    await page.click("a[href='/me/notice-settings']")
    await page.click(".add")
    for name, value in (("begins", "00:00"), ("ends", "00:00")):
        await page.fill(f".period input[name={name}]", value)
        await page.locator(f".period input[name={name}]").blur()
    await window.see(".period:has-text('全天')")
    await page.click("[data-kind=mail] [data-road=digest]")
    await window.see("[data-kind=mail] [data-road=digest][aria-checked=true]")
    await window.see(".hours")
    for _ in range(100):
        kept = await window.command("notices.preferences")
        if kept["quiet"] == [ALL_DAY] and {"kind": "mail", "road": "digest"} in kept["roads"]:
            break
        await page.wait_for_timeout(50)
    else:
        raise AssertionError("the choice was not saved")
    await window.goto("/sign-in")  # away
    await page.goto("about:blank")
    await hospital.write("s0011", "quiet-1")

    for _ in range(300):
        items = (await window.command("notices.why"))["items"]
        if items and items[0]["why"] == "quiet":
            break
        await page.wait_for_timeout(100)
    assert not await hospital.inbox("s0011")
    await window.goto("/me/notices")
    await window.see("[data-why=quiet]:has-text('免打扰时段')")
    await window.close()


async def test_what_was_refused_is_sent_again_by_hand(hospital: Hospital) -> None:
    window = await hospital.window("admin", DESKTOP)
    page = window.page
    await hospital.fault("invalid_user")
    await hospital.write("s0012", "again-1")
    await ended(window, "s0012", "refused")
    await hospital.fault("off", 1)
    assert not await hospital.inbox("s0012")

    await window.turn_to("/me")
    await page.click("a[href='/admin/notices']")
    await page.click(".show")
    await page.click("[data-state=refused] .resend")
    await page.click("[role=alertdialog] .primary, [role=dialog] .primary")
    await window.see("[data-state=refused]:has-text('已重发')")
    for _ in range(300):
        if await hospital.inbox("s0012"):
            break
        await page.wait_for_timeout(100)
    assert len(await hospital.inbox("s0012")) == 1
    await ended(window, "s0012", "sent")
    await window.close()


async def test_the_connection_test_names_the_cause(hospital: Hospital) -> None:
    window = await hospital.window("admin", DESKTOP)
    await hospital.fault("untrusted_ip")
    await window.turn_to("/admin/notices")
    await window.page.click(".run")
    await window.see("[data-step=secret][data-found=good]")
    await window.see("[data-step=address][data-found=bad]:has-text('企业可信 IP')")
    await hospital.fault("off", 1)
    await window.close()


async def test_who_is_no_administrator_is_told_whom_to_ask(hospital: Hospital) -> None:
    window = await hospital.window("s0013", DESKTOP)
    await window.turn_to("/admin/notices")
    await window.see(".note:has-text('系统管理员')")
    await window.close()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
async def test_every_screen_of_notices_is_sound(
    hospital: Hospital, tmp_path: Path, look: Look
) -> None:
    walker = Walker(look, tmp_path)
    window = await hospital.window("admin", look.screen, **look.settings)
    roads = [{"kind": "mail", "road": "digest"}, {"kind": "forum", "road": "app"}]
    night = {"days": [0, 1, 2, 3, 4], "begins": 1_320, "ends": 420}
    await window.command("notices.set_preferences", quiet=[night, ALL_DAY], roads=roads)
    await window.turn_to("/me")
    await walker.judge(window, "me", "a[href='/me/notices']")
    await window.turn_to("/me/notice-settings")
    await walker.judge(window, "notice-settings", ".period")
    await window.turn_to("/me/notices")
    await walker.judge(window, "notices", ".content :is(li .row, .note)")
    await window.turn_to("/admin/notices")
    await window.page.click(".run")
    await window.see("[data-step=callback]")
    await walker.judge(window, "admin-notices", ".ledger :is(li.row, .note)")
    await window.command("account.set_settings", language="zh", theme="system", font="normal")
    await window.close()

    assert not walker.faults, "\n".join(walker.faults)


async def test_without_a_network_it_is_said_and_afterwards_tried_again(hospital: Hospital) -> None:
    window = await hospital.window("s0014")
    await window.turn_to("/me/notices")
    await window.see(".content :is(li .row, .note)")
    await window.context.set_offline(True)
    await window.turn_to("/me/notice-settings")
    await window.see(".content .note[role=alert]")
    await window.see(".network .away")
    await window.context.set_offline(False)
    await window.see(".network .back")
    await window.page.click(".content .note .button")
    await window.see("[data-kind=chat]")
    await window.close()
