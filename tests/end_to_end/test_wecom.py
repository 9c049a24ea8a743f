"""WeCom as the house the app lives in, in a real browser: a tap on a card, a picture, a first binding."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser

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

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

IN_WECOM = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 wxwork/4.1.6 MicroMessenger/7.0.1 Language/zh"
)
PHONE_WITHIN_MS = 25_000


class Place:
    """A running hospital, and windows onto it."""

    def __init__(self, server: ServerProcess, browser: Browser) -> None:
        self.server, self.browser = server, browser
        self.windows: list[Window] = []

    async def window(self, screen: Screen, **also: Any) -> Window:
        window = await open_window(self.browser, self.server.url, screen, **also)
        self.windows.append(window)
        return window

    async def stand_ins(self, place: str) -> Window:
        window = await open_stand_ins(self.browser, self.server.sandbox_url, place)
        self.windows.append(window)
        return window

    async def in_wecom(self) -> Window:
        return await self.window(PHONE, user_agent=IN_WECOM)

    async def ask(self, path: str) -> Any:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.server.sandbox_url}{path}") as answer,
        ):
            return await answer.json()

    async def tap(self, window: Window, person: str, url: str) -> None:
        """Open a card as that person's phone does."""
        door = f"{self.server.sandbox_url}/wecom/phones/{person}/open"
        await window.page.goto(f"{door}?url={url}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hospital_runs(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[ServerProcess, Browser]]:
    folder = tmp_path_factory.mktemp("wecom")
    settings = {"YUANXIN_NOTICE_FIRST_SECONDS": "1"}
    server = ServerProcess(folder / "data", "run", "--sandbox", settings=settings)
    await server.start()
    try:
        async with chromium() as browser:
            yield server, browser
    finally:
        server.close()


@pytest_asyncio.fixture(loop_scope="module")
async def place(hospital_runs: tuple[ServerProcess, Browser]) -> AsyncIterator[Place]:
    place = Place(*hospital_runs)
    yield place
    for window in place.windows:
        await window.close()


async def test_a_tap_on_a_card_opens_its_conversation_without_a_screen(
    place: Place, tmp_path: Path
) -> None:
    desk = await place.window(DESKTOP)
    await desk.come_in("s0001")
    opened = await desk.command("chat.open", person_id="s0300")
    await desk.command(
        "chat.send",
        conversation_id=opened["conversation_id"],
        client_id="c1",
        content={"kind": "text", "text": "夜班请多留意 3 床"},
    )
    sandbox = await place.stand_ins("/#s0300")
    card = sandbox.page.locator(".cards a.notice").last
    await card.wait_for(timeout=PHONE_WITHIN_MS)
    url = await card.get_attribute("href")
    assert url is not None

    phone = await place.in_wecom()
    shown: list[str] = []
    phone.page.on("framenavigated", lambda frame: shown.append(frame.url))
    begun = time.monotonic()
    await place.tap(phone, "s0300", url)
    await phone.see(".bubble:has-text('夜班请多留意 3 床')")
    print(f"from a tap to the conversation, signed in: {time.monotonic() - begun:.2f} s")
    await phone.shot(tmp_path, "wecom-1-tapped")

    assert phone.page.url == url
    assert not [url for url in shown if "/sign-in" in url]
    assert (await phone.command("account.me"))["person"]["person_id"] == "s0300"
    [here] = [
        one for one in (await phone.command("account.sessions"))["sessions"] if one["current"]
    ]
    assert here["device"] == "WeCom · iPhone"
    phone.forgive(REFUSALS)
    assert phone.complaints == []
    assert [url for url in phone.foreign if not url.startswith(place.server.sandbox_url)] == []


async def test_the_sandboxs_own_phone_signs_in_whoever_holds_it(place: Place) -> None:
    """A browser that is no WeCom, as whoever tries the sandbox has it, on a page somebody else left."""
    window = await place.window(DESKTOP)
    await window.come_in("s0001")

    await place.tap(window, "s0301", f"{place.server.url}/contacts")
    await window.see(".list")

    assert window.page.url == f"{place.server.url}/contacts"
    assert (await window.command("account.me"))["person"]["person_id"] == "s0301"
    assert await window.page.evaluate("localStorage.getItem('yuanxin.account')") == "s0301"
    names = await window.page.evaluate("indexedDB.databases().then(all => all.map(d => d.name))")
    assert "yuanxin:s0001" not in names


async def test_a_desktop_is_signed_in_by_a_picture(place: Place, tmp_path: Path) -> None:
    desk = await place.window(DESKTOP)
    await desk.goto("/d/1")
    await desk.see("a:has-text('企业微信扫码登录')")
    await desk.shot(tmp_path, "wecom-2-sign-in")

    await desk.page.click("a:has-text('企业微信扫码登录')")
    await desk.see("svg[role=img]")
    await desk.shot(tmp_path, "wecom-3-picture")
    await desk.page.fill("input[name=userid]", "s0302")
    await desk.page.click("button:has-text('确认登录')")
    await desk.page.wait_for_url("**/d/1")

    assert (await desk.command("account.me"))["person"]["person_id"] == "s0302"


async def test_whoever_is_new_binds_by_a_code_and_comes_where_he_wanted(
    place: Place, tmp_path: Path
) -> None:
    phone = await place.in_wecom()

    await place.tap(phone, "new.comer", f"{place.server.url}/contacts")
    await phone.see("h1:has-text('绑定企业微信')")
    await phone.shot(tmp_path, "wecom-4-bind")
    assert await phone.axe() == []
    await phone.page.fill("input[name=username]", "s0303")
    await phone.page.click("button:has-text('获取验证码')")
    await phone.see("[role=status]:has-text('验证码已发出')")
    texts = await place.ask("/sms/inbox/s0303")
    [code] = re.findall(r"验证码 (\d{6})", texts[-1]["text"])
    sandbox = await place.stand_ins("/#s0303")
    await sandbox.see(f".cards .notice:has-text('{code}')")
    wrong = "000000" if code != "000000" else "000001"
    await phone.page.fill("input[name=code]", wrong)
    await phone.page.click("button[type=submit]")
    await phone.see("[role=alert]:has-text('不正确')")
    await phone.shot(tmp_path, "wecom-5-wrong")
    await phone.page.fill("input[name=code]", code)
    await phone.page.click("button[type=submit]")
    await phone.page.wait_for_url("**/contacts")

    assert (await phone.command("account.me"))["person"]["person_id"] == "s0303"
    again = await place.in_wecom()
    await place.tap(again, "new.comer", f"{place.server.url}/contacts")
    await again.see(".list")
    assert again.page.url == f"{place.server.url}/contacts"

    office = await place.window(DESKTOP)
    await office.come_in("admin")
    await office.goto("/admin/notices")
    await office.page.click("a[href='/admin/wecom']")
    await office.page.fill("input[name=find]", "new.comer")
    row = office.page.locator(".bound:has-text('短信验证码')")
    await row.wait_for()
    await office.shot(tmp_path, "wecom-9-admin")
    assert await office.axe() == []
    await row.locator("button").click()
    await office.page.click("[role=dialog] button:has-text('解绑')")
    await row.wait_for(state="detached")


async def test_a_wecom_that_is_down_ends_on_a_page_in_words_and_then_on_the_form(
    place: Place, tmp_path: Path
) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{place.server.sandbox_url}/wecom/faults", json={"mode": "down", "for_s": 60}
        ) as answer,
    ):
        assert answer.status == 200
    phone = await place.in_wecom()
    try:
        await place.tap(phone, "s0304", f"{place.server.url}/d/1")
        await phone.see("text=暂时连不上企业微信")
        await phone.shot(tmp_path, "wecom-6-down")
        assert await phone.axe() == []
        await phone.page.click("a:has-text('用账号和密码登录')")
        await phone.see("form.form")
        await phone.see("a:has-text('企业微信登录')")
        await phone.shot(tmp_path, "wecom-7-form")
        await phone.goto("/d/1")
        await phone.see("text=企业微信登录没有成功")
        await phone.enter("s0304")
        await phone.page.wait_for_url("**/d/1")
    finally:
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{place.server.sandbox_url}/wecom/faults", json={"mode": "off"}),
        ):
            pass


async def test_a_colleagues_card_offers_wecom_only_inside_it(place: Place, tmp_path: Path) -> None:
    inside, outside = await place.in_wecom(), await place.window(PHONE)
    await place.tap(inside, "s0305", f"{place.server.url}/p/s0002")
    await outside.come_in("s0306")
    await outside.goto("/p/s0002")

    await inside.see(".way:has-text('企业微信')")
    await inside.shot(tmp_path, "wecom-8-card")
    await outside.see(".way.primary")
    assert await outside.page.locator(".way:has-text('企业微信')").count() == 0
