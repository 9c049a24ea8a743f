"""The WeCom stand-in is as strict with sign-ins and tickets as WeCom is."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest
from yarl import URL

from tests.clocks import ManualClock
from tests.sandbox.running import RunningSandbox, running_sandbox

OURS = "https://yx.example"
AUTHORIZE = "/wecom/connect/oauth2/authorize"
GOOD = {
    "appid": "wwsandbox",
    "redirect_uri": f"{OURS}/back?kept=1",
    "response_type": "code",
    "scope": "snsapi_base",
    "state": "abc123",
    "agentid": "1000002",
}


@dataclass
class Visitor:
    """A browser at the stand-in's door; `phone` makes it somebody's WeCom."""

    sandbox: RunningSandbox
    http: aiohttp.ClientSession

    async def ask(self, path: str, **query: str) -> tuple[int, str, str]:
        """Status, where it sends one, and what it shows."""
        url = URL(f"{self.sandbox.base}{path}?{urlencode(query)}", encoded=True)
        async with self.http.get(url, allow_redirects=False) as response:
            return response.status, response.headers.get("Location", ""), await response.text()

    async def pick_up(self, phone: str, agent: str = "wxwork/4.1") -> str:
        url = f"{self.sandbox.base}/wecom/phones/{phone}/open"
        async with self.http.get(
            url,
            params={"url": f"{OURS}/d/7?n=1"},
            headers={"User-Agent": agent},
            allow_redirects=False,
        ) as response:
            return response.headers["Location"]

    async def code(self, **changed: str) -> str:
        _, location, text = await self.ask(AUTHORIZE, **{**GOOD, **changed})
        assert location, text
        return parse_qs(urlsplit(location).query)["code"][0]

    async def api(self, endpoint: str, **query: str) -> dict[str, Any]:
        query = {"access_token": await self.sandbox.token(), **query}
        _, _, text = await self.ask(f"/wecom/cgi-bin/{endpoint}", **query)
        answer: dict[str, Any] = json.loads(text)
        return answer

    async def detail(self, body: Any) -> dict[str, Any]:
        url = f"{self.sandbox.base}/wecom/cgi-bin/auth/getuserdetail"
        query = {"access_token": await self.sandbox.token()}
        async with self.http.post(url, params=query, json=body) as response:
            return dict(await response.json())


@pytest.fixture
async def visitor(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Visitor]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        running_sandbox(tmp_path, clock, public_url=OURS) as sandbox,
        aiohttp.ClientSession(cookie_jar=jar) as http,
    ):
        yield Visitor(sandbox, http)


async def test_a_member_is_sent_back_with_code_and_state(visitor: Visitor) -> None:
    await visitor.pick_up("s0003")

    status, location, _ = await visitor.ask(AUTHORIZE, **GOOD)

    query = parse_qs(urlsplit(location).query)
    assert status == 302
    assert location.startswith(f"{OURS}/back?kept=1&")
    assert query["state"] == ["abc123"]
    answer = await visitor.api("auth/getuserinfo", code=query["code"][0])
    assert answer == {"errcode": 0, "errmsg": "ok", "userid": "S0003"}


async def test_a_code_is_good_once_and_for_five_minutes(
    visitor: Visitor, clock: ManualClock
) -> None:
    await visitor.pick_up("s0001")
    used, late = await visitor.code(), await visitor.code()
    await visitor.api("auth/getuserinfo", code=used)
    clock.advance(301)

    codes = [
        (await visitor.api("auth/getuserinfo", **query))["errcode"]
        for query in ({"code": used}, {"code": late}, {"code": "made up"}, {})
    ]

    assert codes == [40029, 40029, 40029, 41008]


async def test_a_bad_token_uses_no_code_up(visitor: Visitor) -> None:
    await visitor.pick_up("s0001")
    code = await visitor.code()

    refused = await visitor.api("auth/getuserinfo", code=code, access_token="bad")

    assert refused["errcode"] == 40014
    assert (await visitor.api("auth/getuserinfo", code=code))["userid"] == "s0001"


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"appid": "another"}, "40013"),
        ({"agentid": "7"}, "40056"),
        ({"redirect_uri": "https://evil.example/back"}, "50001"),
        ({"redirect_uri": "https://yx.example.evil.example/"}, "50001"),
        ({"redirect_uri": "javascript:alert(1)"}, "50001"),
        ({"redirect_uri": ""}, "50001"),
        ({"state": "no-dashes"}, "40035"),
        ({"state": "x" * 129}, "40035"),
        ({"scope": "snsapi_userinfo"}, "40035"),
        ({"response_type": "token"}, "40035"),
    ],
)
async def test_what_cannot_be_is_told_on_a_page_and_goes_nowhere(
    visitor: Visitor, changed: dict[str, str], errcode: str
) -> None:
    await visitor.pick_up("s0001")

    status, location, text = await visitor.ask(AUTHORIZE, **{**GOOD, **changed})

    assert (status, location) == (200, "")
    assert errcode in text


async def test_a_browser_that_is_no_wecom_is_told_to_be_one(visitor: Visitor) -> None:
    _, location, text = await visitor.ask(AUTHORIZE, **GOOD)

    assert location == ""
    assert "请在企业微信客户端打开链接" in text


async def test_a_member_out_of_scope_is_refused(visitor: Visitor) -> None:
    await visitor.pick_up("s0005")

    _, location, text = await visitor.ask(AUTHORIZE, **GOOD)

    assert location == ""
    assert "60011" in text


async def test_somebody_from_outside_has_an_openid_only(visitor: Visitor) -> None:
    await visitor.pick_up("stranger")

    answer = await visitor.api("auth/getuserinfo", code=await visitor.code())

    assert "userid" not in answer
    assert answer["openid"].startswith("o")


async def test_private_facts_are_asked_for_and_not_without_the_apps_id(visitor: Visitor) -> None:
    await visitor.pick_up("s0001")
    wanted = {**GOOD, "scope": "snsapi_privateinfo"}

    _, location, text = await visitor.ask(AUTHORIZE, **wanted)
    _, agreed, _ = await visitor.ask("/wecom/connect/oauth2/agreed", **wanted)
    without = await visitor.code(scope="snsapi_privateinfo", agentid="")

    assert location == ""
    assert "同意" in text
    code = parse_qs(urlsplit(agreed).query)["code"][0]
    assert (await visitor.api("auth/getuserinfo", code=code))["user_ticket"]
    assert "user_ticket" not in await visitor.api("auth/getuserinfo", code=without)


async def test_agreed_facts_are_shown_for_half_an_hour_and_to_nobody_else(
    visitor: Visitor, clock: ManualClock
) -> None:
    await visitor.pick_up("s0001")
    _, agreed, _ = await visitor.ask(
        "/wecom/connect/oauth2/agreed", **{**GOOD, "scope": "snsapi_privateinfo"}
    )
    code = parse_qs(urlsplit(agreed).query)["code"][0]
    ticket = (await visitor.api("auth/getuserinfo", code=code))["user_ticket"]

    shown = await visitor.detail({"user_ticket": ticket})
    unknown = [
        await visitor.detail(body)
        for body in ({"user_ticket": "made up"}, {}, [], {"user_ticket": 7})
    ]
    clock.advance(1_800)
    late = await visitor.detail({"user_ticket": ticket})

    assert (shown["userid"], shown["mobile"]) == ("s0001", "100")
    assert {said["errcode"] for said in unknown} == {84015}
    assert late["errcode"] == 84014


async def test_a_picture_is_confirmed_for_somebody(visitor: Visitor) -> None:
    query = {**GOOD, "login_type": "CorpApp"}

    _, _, text = await visitor.ask("/wecom/wwlogin/sso/login", **query)
    _, back, _ = await visitor.ask("/wecom/wwlogin/sso/confirm", **query, userid="s0002")
    _, _, wrong = await visitor.ask("/wecom/wwlogin/sso/login", **{**query, "login_type": "x"})

    assert "<svg" in text
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert (await visitor.api("auth/getuserinfo", code=code))["userid"] == "s0002"
    assert "40035" in wrong


async def test_a_tap_opens_the_card_in_wecom_and_signs_in_first_elsewhere(
    visitor: Visitor,
) -> None:
    in_wecom = await visitor.pick_up("s0001")
    elsewhere = await visitor.pick_up("s0001", agent="Mozilla/5.0 Chrome/140")

    assert in_wecom == f"{OURS}/d/7?n=1"
    assert elsewhere == f"{OURS}/api/v1/auth/wecom?to=%2Fd%2F7%3Fn%3D1"


async def test_tickets_stay_the_same_for_two_hours_and_are_two_kinds(
    visitor: Visitor, clock: ManualClock
) -> None:
    company = await visitor.api("get_jsapi_ticket")
    app = await visitor.api("ticket/get", type="agent_config")
    clock.advance(7_000)
    later = await visitor.api("get_jsapi_ticket")
    clock.advance(201)
    renewed = await visitor.api("get_jsapi_ticket")

    assert company["expires_in"] == 7_200
    assert (later["ticket"], later["expires_in"]) == (company["ticket"], 200)
    assert len({company["ticket"], app["ticket"], renewed["ticket"]}) == 3
    assert (await visitor.api("ticket/get", type="else"))["errcode"] == 40035


async def test_tickets_are_given_a_hundred_times_an_hour_to_an_app(
    visitor: Visitor, clock: ManualClock
) -> None:
    for _ in range(100):
        assert (await visitor.api("ticket/get", type="agent_config"))["errcode"] == 0
    assert (await visitor.api("ticket/get", type="agent_config"))["errcode"] == 45009

    clock.advance(3_601)

    assert (await visitor.api("ticket/get", type="agent_config"))["errcode"] == 0


async def test_texts_lie_on_the_phone_they_were_sent_to_by_who_may(
    sandbox: RunningSandbox,
) -> None:
    url, text = f"{sandbox.base}/sms/send", {"mobile": "100", "text": "验证码 1"}
    statuses = []
    for secret, body in (("sandboxsms", text), ("wrong", text), ("sandboxsms", {"mobile": "100"})):
        async with sandbox.http.post(
            url, json=body, headers={"Authorization": f"Bearer {secret}"}
        ) as response:
            statuses.append(response.status)
    shown = []
    for whose in ("100", "S0001", "s0002"):
        async with sandbox.http.get(f"{sandbox.base}/sms/inbox/{whose}") as response:
            shown.append([card["text"] for card in await response.json()])

    assert statuses == [202, 401, 400]
    assert shown == [["验证码 1"], ["验证码 1"], []]
