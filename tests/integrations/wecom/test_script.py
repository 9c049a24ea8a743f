"""What signs the calls of a page's script: the signature, and tickets fetched as seldom as possible."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from server.integrations.wecom import Host, Misconfigured, RefusedByWeCom, Retry, WeComError
from server.integrations.wecom.host_client import DOOR, PICTURE, WeComHost
from server.integrations.wecom.script import REST_S, signature
from tests.clocks import ManualClock
from tests.integrations.wecom.scripted import SECRET, TOKEN, Scripted


def host(wecom: Scripted, clock: ManualClock, **told: Any) -> Host:
    return WeComHost(wecom.config(), wecom.client, clock, **told)


def counting_tickets(wecom: Scripted, lifetime_s: int = 7_200) -> None:
    wecom.send = lambda request: {
        "ticket": f"{request.path}{sum(wecom.calls.values())}",
        "expires_in": lifetime_s,
    }


def test_a_signature_is_the_published_one() -> None:
    """From WeCom's documentation of the signature (path 96909)."""
    ticket = (
        "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    )
    page = "http://mp.weixin.qq.com?params=value"
    expected = "0f9de62fce790f9a083d5c99e95740ceb90c27ed"

    assert signature(ticket, "Wm3WZYTPz0wzccnW", 1414587457, page) == expected
    assert signature(ticket, "Wm3WZYTPz0wzccnW", 1414587457, f"{page}#part") == expected


async def test_each_permission_has_a_ticket_of_its_own(wecom: Scripted) -> None:
    clock = ManualClock()
    counting_tickets(wecom)
    signing = host(wecom, clock)

    config = await signing.sign("config", "https://yx.example/")
    agent = await signing.sign("agent", "https://yx.example/")

    assert wecom.calls == {"gettoken": 1, "get_jsapi_ticket": 1, "ticket/get": 1}
    assert [query.get("type") for query in wecom.queries[1:]] == [None, "agent_config"]
    assert config.timestamp == clock.now() // 1000
    assert config.nonce != agent.nonce
    expected = signature(
        "/cgi-bin/ticket/get3", agent.nonce, agent.timestamp, "https://yx.example/"
    )
    assert agent.signature == expected


async def test_fifty_pages_on_a_cold_cache_fetch_one_ticket_each(wecom: Scripted) -> None:
    counting_tickets(wecom)
    signing = host(wecom, ManualClock())

    await asyncio.gather(*(signing.sign(level, "p") for level in ("config", "agent") * 25))

    assert wecom.calls == {"gettoken": 1, "get_jsapi_ticket": 1, "ticket/get": 1}


@pytest.mark.parametrize(("lifetime_s", "kept_s"), [(7_200, 6_900), (100, 50)])
async def test_a_ticket_is_renewed_before_its_end(
    wecom: Scripted, lifetime_s: int, kept_s: int
) -> None:
    clock = ManualClock()
    counting_tickets(wecom, lifetime_s)
    signing = host(wecom, clock)
    await signing.sign("config", "p")
    clock.advance(kept_s - 1)
    await signing.sign("config", "p")
    assert wecom.calls["get_jsapi_ticket"] == 1

    clock.advance(2)
    await signing.sign("config", "p")

    assert wecom.calls["get_jsapi_ticket"] == 2


async def test_a_failure_is_everybodys_answer_for_a_while(wecom: Scripted) -> None:
    clock = ManualClock()
    wecom.send = lambda request: {"errcode": 45009}
    signing = host(wecom, clock)

    answers = await asyncio.gather(
        *(signing.sign("agent", "p") for _ in range(20)), return_exceptions=True
    )
    assert all(isinstance(answer, WeComError) for answer in answers)
    assert wecom.calls["ticket/get"] == 1

    counting_tickets(wecom)
    clock.advance(REST_S + 1)
    assert await signing.sign("agent", "p")


@pytest.mark.parametrize("ticket", [None, "", 7])
async def test_an_answer_without_a_ticket_is_none(wecom: Scripted, ticket: Any) -> None:
    wecom.send = lambda request: {"ticket": ticket}

    with pytest.raises(Retry):
        await host(wecom, ManualClock()).sign("config", "p")


async def test_a_visitor_is_a_member_with_what_was_agreed_to_or_from_outside(
    wecom: Scripted,
) -> None:
    signing = host(wecom, ManualClock())
    wecom.send = lambda request: {"userid": "Ann", "user_ticket": "agreed"}
    member = await signing.visitor("code")
    wecom.send = lambda request: {"openid": "o1", "external_userid": "w1"}
    outsider = await signing.visitor("code")

    assert (member.user_id, member.ticket) == ("Ann", "agreed")
    assert "agreed" not in repr(member)
    assert outsider.user_id == ""


async def test_a_code_is_asked_about_again_only_when_the_token_was_dead(wecom: Scripted) -> None:
    signing = host(wecom, ManualClock())
    wecom.send = lambda request: web.Response(status=502)
    with pytest.raises(Retry):
        await signing.visitor("code")
    wecom.send = lambda request: {"errcode": 40029}
    with pytest.raises(RefusedByWeCom) as refused:
        await signing.visitor("code")

    assert wecom.calls["auth/getuserinfo"] == 2
    assert "code" not in str(refused.value).replace("errcode", "")
    assert TOKEN not in str(refused.value)
    assert SECRET not in str(refused.value)


async def test_without_wecom_nobody_is_asked() -> None:
    config = Scripted(base="").config(api_base="", corp_id="", secret="")
    signing = WeComHost(config, None, ManualClock())

    assert not signing.is_there
    with pytest.raises(Misconfigured):
        await signing.visitor("code")


async def test_the_addresses_are_wecoms_own_unless_others_are_given(wecom: Scripted) -> None:
    own = host(wecom, ManualClock())
    other = host(wecom, ManualClock(), door="http://a.example/x", picture="http://a.example/y")

    assert own.door("b", "s", asks=False).startswith(f"{DOOR}?appid=wwcorp&redirect_uri=b&")
    assert own.picture("b", "s").startswith(f"{PICTURE}?login_type=CorpApp&appid=wwcorp&agentid=7&")
    assert other.door("b", "s", asks=True).startswith("http://a.example/x?")
    assert other.picture("b", "s").startswith("http://a.example/y?")
