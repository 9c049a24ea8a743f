"""Signing in by WeCom, from a tap on a card to a session, and everything that may come instead of it."""

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest

from server.directory.access import sign_out_everywhere
from server.http.keys import SESSIONS
from server.work import SystemWork
from tests.features.host.lobby import Lobby, open_lobby, state_of


def is_told(text: str, *words: str) -> bool:
    return all(word in text for word in words)


async def test_a_tap_on_a_card_ends_at_its_document_signed_in(lobby: Lobby) -> None:
    phone = await lobby.browser("Ann")

    page = await phone.go("/api/v1/auth/wecom?to=/d/7%3Ffrom%3Dcard")

    assert page.path == "/d/7?from=card"
    assert await phone.who() == "ann"
    assert await lobby.asked("auth/getuserinfo") == 1
    [row] = await lobby.audited("host.sign_in")
    assert (row.actor_id, row.subject, row.detail["device"]) == ("ann", "ann", "WeCom · iPhone")


async def test_a_page_nobody_we_know_opens_in_wecom_is_signed_in_before_it_is_loaded(
    lobby: Lobby,
) -> None:
    phone = await lobby.browser("Ann")

    first = await phone.go("/d/7?from=card")
    again = await phone.go("/d/7?from=card")

    assert (first.path, len(first.hops)) == ("/d/7?from=card", 4)
    assert await phone.who() == "ann"
    assert again.hops == []


async def test_nobody_is_sent_to_wecom_in_a_circle_nor_from_elsewhere(lobby: Lobby) -> None:
    phone = await lobby.browser()
    desktop = await lobby.browser(agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0")

    assert await phone.step("/d/7") == "/api/v1/auth/wecom?to=%2Fd%2F7"
    for address in ("/d/7", "/sign-in?next=%2Fd%2F7", "/bind"):
        assert (await phone.go(address)).hops == []
    assert (await desktop.go("/d/7")).hops == []


async def test_the_session_lies_in_a_cookie_no_page_can_read_and_in_no_address(
    lobby: Lobby,
) -> None:
    phone = await lobby.browser("Ann")
    async with phone.http.get(await phone.callback(), allow_redirects=False) as response:
        kept = response.headers.getall("Set-Cookie")
        location = response.headers["Location"]

    [session] = [cookie for cookie in kept if cookie.startswith("yuanxin_session=")]
    assert is_told(session, "HttpOnly", "SameSite=Lax")
    assert location == "/d/7"


async def test_the_way_out_is_as_wecom_wants_it(lobby: Lobby) -> None:
    browser = await lobby.browser()

    door = await browser.step("/api/v1/auth/wecom?to=/d/7")
    asking = await browser.step("/api/v1/auth/wecom?to=/d/7&scope=privateinfo")

    back = quote(f"{lobby.url}/api/v1/auth/wecom/callback", safe="")
    assert door == (
        f"{lobby.wecom}/wecom/connect/oauth2/authorize?appid=wwsandbox&redirect_uri={back}"
        f"&response_type=code&scope=snsapi_base&state={state_of(door)}&agentid=1000002"
        "#wechat_redirect"
    )
    assert "&scope=snsapi_privateinfo&" in asking
    assert "/d/7" not in door


async def test_a_picture_is_confirmed_on_a_phone_and_the_desktop_is_signed_in(lobby: Lobby) -> None:
    desktop = await lobby.browser(agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0")

    shown = await desktop.go("/api/v1/auth/wecom/qr?to=/c/9")
    confirm = str(shown.url).replace("/sso/login", "/sso/confirm") + "&userid=ann"
    page = await desktop.go(confirm)

    assert is_told(shown.text, "<svg", "确认登录")
    assert page.path == "/c/9"
    assert await desktop.who() == "ann"


async def test_loading_the_way_back_again_goes_on_for_whoever_is_signed_in(lobby: Lobby) -> None:
    phone = await lobby.browser("Ann")
    back = await phone.callback("/d/7")
    await phone.go(back)

    page = await phone.go(back)

    assert page.path == "/d/7"
    assert await lobby.asked("auth/getuserinfo") == 1


async def test_loading_it_again_without_a_session_is_told_and_goes_nowhere(lobby: Lobby) -> None:
    phone = await lobby.browser("Ann")
    back = await phone.callback("/d/7")
    await phone.go(back)
    await phone.post("auth/logout")

    page = await phone.go(back)

    assert (page.status, page.hops) == (400, [])
    assert is_told(
        page.text, "已经用过一次", "was used once", "/sign-in?next=%2Fd%2F7&amp;by=account"
    )
    assert await phone.who() == ""
    assert await lobby.asked("auth/getuserinfo") == 1


async def test_a_state_of_another_browser_signs_nobody_in(lobby: Lobby) -> None:
    """Somebody who sends a colleague the link of a sign-in of his own would lead him into his account."""
    attacker, victim = await lobby.browser("bob"), await lobby.browser()
    back = await attacker.callback()

    page = await victim.go(back)

    assert page.status == 400
    assert is_told(page.text, "不是从这个浏览器开始", "did not begin in this browser")
    assert await victim.who() == ""
    assert await lobby.asked("auth/getuserinfo") == 0


@pytest.mark.parametrize("query", ["", "?state=", "?code=x", "?state=made&code=up", "?state=%00"])
async def test_what_never_began_is_told_in_words(lobby: Lobby, query: str) -> None:
    page = await (await lobby.browser("Ann")).go(f"/api/v1/auth/wecom/callback{query}")

    assert page.status == 400
    assert is_told(page.text, "没有登录成功", "You are not signed in", "/api/v1/auth/wecom?to=")


async def test_a_sign_in_that_took_too_long_is_told(lobby: Lobby) -> None:
    phone = await lobby.browser("Ann")
    back = await phone.callback()
    lobby.clock.advance(601)

    assert (await phone.go(back)).status == 400
    assert await phone.who() == ""


async def test_a_code_that_was_used_or_is_too_old_is_told(lobby: Lobby) -> None:
    phone = await lobby.browser("Ann")
    used = (await phone.callback()).partition("code=")[2].partition("&")[0]
    async with lobby.sandbox.http.get(
        f"{lobby.wecom}/wecom/cgi-bin/auth/getuserinfo",
        params={"access_token": await lobby.sandbox.token(), "code": used},
    ) as response:
        assert (await response.json())["userid"] == "Ann"
    again = await phone.callback()
    replayed = again.replace(again.partition("code=")[2].partition("&")[0], used)

    late = await phone.callback()
    lobby.clock.advance(301)

    for address in (replayed, late):
        page = await phone.go(address)
        assert page.status == 400
        assert is_told(page.text, "已经用过一次")
    assert await phone.who() == ""


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/%09/evil.example",
        "/%0a/evil.example",
        "%20//evil.example",
        "javascript:alert(1)",
        "/api/v1/auth/wecom?to=/d/7",
        "/sign-in?next=//evil.example",
        "/d/%C3%A9",
        "/" + "x" * 600,
        "",
    ],
)
async def test_no_target_leads_anywhere_but_to_a_screen(lobby: Lobby, to: str) -> None:
    phone = await lobby.browser("Ann")

    door = await phone.step(f"/api/v1/auth/wecom?to={quote(to, safe='%')}")

    assert await phone.step(await phone.step(door)) == "/"


async def test_who_comes_under_another_name_is_moved_to_the_public_one_once(lobby: Lobby) -> None:
    browser = await lobby.browser()
    other = lobby.url.replace("127.0.0.1", "localhost")

    moved = await browser.step(f"{other}/api/v1/auth/wecom?to=/d/7")
    away = await browser.step(moved.replace("127.0.0.1", "localhost"))

    assert moved == f"{lobby.url}/api/v1/auth/wecom?to=/d/7&moved=1"
    assert away.startswith(lobby.wecom)


async def test_somebody_of_another_company_is_told(lobby: Lobby) -> None:
    stranger = await lobby.browser("nobody")

    page = await stranger.go(await stranger.callback())

    assert page.status == 403
    assert is_told(page.text, "不是本院企业微信的成员")
    assert "/api/v1/auth/wecom?" not in page.text, "trying again would not help"


async def test_who_refused_is_told(lobby: Lobby) -> None:
    phone = await lobby.browser("Ann")
    door = await phone.step("/api/v1/auth/wecom?to=/d/7&scope=privateinfo")
    asked = await phone.go(door)
    agree = asked.text.partition('first" href="')[2].partition('"')[0].replace("&amp;", "&")
    refuse = asked.text.partition('</a><a class="button" href="')[2].partition('"')[0]

    refused = await phone.go(refuse.replace("&amp;", "&"))
    door = await phone.step("/api/v1/auth/wecom?to=/d/7&scope=privateinfo")
    asked = await phone.go(door)
    agree = asked.text.partition('first" href="')[2].partition('"')[0].replace("&amp;", "&")
    agreed = await phone.go(f"{lobby.wecom}{agree}")

    assert is_told(refused.text, "没有确认您的身份")
    assert agreed.path == "/d/7"
    assert await phone.who() == "ann"


async def test_a_leaver_is_told_and_not_let_in(lobby: Lobby) -> None:
    phone = await lobby.browser("Ann")
    await phone.go("/api/v1/auth/wecom")
    await lobby.has_left("ann")

    page = await phone.go("/api/v1/auth/wecom")

    assert page.status == 403
    assert is_told(page.text, "已经离职")
    assert await phone.who() == ""


async def test_an_id_that_was_given_to_somebody_else_is_theirs(lobby: Lobby) -> None:
    phone = await lobby.browser("Ann")
    await phone.go("/api/v1/auth/wecom")
    await lobby.has_left("ann")
    await lobby.is_listed_as("cai", "Ann")

    await phone.go("/api/v1/auth/wecom")

    assert await phone.who() == "cai"


async def test_who_is_signed_out_everywhere_is_out_at_once(lobby: Lobby) -> None:
    phone, desktop = await lobby.browser("Ann"), await lobby.browser("Ann")
    for browser in (phone, desktop):
        await browser.go("/api/v1/auth/wecom")
    server = lobby.server
    system = SystemWork(server.store, server.hub, lobby.clock)

    ended = await sign_out_everywhere(system, server.web[SESSIONS], "ann", "left WeCom")

    assert ended == 2
    assert [await browser.who() for browser in (phone, desktop)] == ["", ""]
    [row] = await lobby.audited("directory.sign_out_everywhere")
    assert row.detail == {"sessions": 2, "why": "left WeCom"}


@pytest.mark.parametrize("mode", ["down", "html", "reset", "lost_answer", "busy", "invalid_token"])
async def test_a_wecom_that_cannot_be_asked_is_told_and_the_form_is_offered(
    lobby: Lobby, mode: str
) -> None:
    phone = await lobby.browser("Ann")
    back = await phone.callback()
    await lobby.sandbox.fault(mode)

    page = await phone.go(back)

    assert page.status == 503
    assert is_told(page.text, "暂时连不上企业微信", "cannot be reached", "by=account")
    assert await phone.who() == ""


async def test_a_wrong_setting_is_told_as_ours(tmp_path: Path) -> None:
    async with open_lobby(tmp_path, wecom_secret="wrong") as lobby:
        phone = await lobby.browser("Ann")

        page = await phone.go("/api/v1/auth/wecom?to=/d/7")

        assert page.status == 503
        assert is_told(page.text, "设置有误", "not set up correctly")
        assert "wrong" not in page.text


async def test_without_a_wecom_nothing_is_offered(tmp_path: Path) -> None:
    async with open_lobby(tmp_path, wecom_api_base="") as lobby:
        browser = await lobby.browser()

        page = await browser.go("/api/v1/auth/wecom?to=/d/7")
        ways = await browser.go("/api/v1/auth/ways")

        assert page.status == 404
        assert is_told(page.text, "没有开通", "/sign-in?next=%2Fd%2F7&amp;by=account")
        assert ways.text == '{"wecom":false}'


async def test_two_windows_that_leave_at_once_both_come_back(lobby: Lobby) -> None:
    phone = await lobby.browser("Ann")
    first, second = await phone.callback("/d/1"), await phone.callback("/d/2")

    assert (await phone.go(first)).path == "/d/1"
    assert (await phone.go(second)).path == "/d/2"


async def test_made_up_codes_do_not_wear_wecom_out(lobby: Lobby) -> None:
    """Each would cost a question, and WeCom takes so many of the whole company."""
    stranger = await lobby.browser()
    for _ in range(100):
        door = await stranger.step("/api/v1/auth/wecom")
        back = f"/api/v1/auth/wecom/callback?code=made-up&state={state_of(door)}"
        assert (await stranger.go(back)).status == 400

    door = await stranger.step("/api/v1/auth/wecom")
    page = await stranger.go(f"/api/v1/auth/wecom/callback?code=more&state={state_of(door)}")

    assert page.status == 503
    assert await lobby.asked("auth/getuserinfo") == 100


async def test_made_up_codes_side_by_side_are_no_more_than_one_after_another(lobby: Lobby) -> None:
    stranger = await lobby.browser()
    doors = [await stranger.step("/api/v1/auth/wecom") for _ in range(120)]
    backs = [f"/api/v1/auth/wecom/callback?code=made-up&state={state_of(door)}" for door in doors]
    await asyncio.gather(*map(stranger.go, backs))

    assert await lobby.asked("auth/getuserinfo") == 100


async def test_wecoms_mark_of_our_domain_is_shown_when_it_lies_in_the_data_folder(
    lobby: Lobby,
) -> None:
    browser = await lobby.browser()
    (lobby.server.settings.data_dir / "WW_verify_Ab12.txt").write_text("Ab12")

    found, missing = [await browser.go(f"/WW_verify_{mark}.txt") for mark in ("Ab12", "another")]

    assert (found.status, found.text) == (200, "Ab12")
    assert missing.status == 404
