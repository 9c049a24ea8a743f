"""The WeCom stand-in answers as WeCom does."""

import asyncio
import json
from pathlib import Path

import pytest
from wechatpy.enterprise import WeChatClient

from tests.clocks import ManualClock
from tests.sandbox.running import AGENT_ID, PEOPLE, RunningSandbox, running_sandbox, textcard


async def test_a_card_lies_on_the_phone_with_its_notice_id(
    sandbox: RunningSandbox, clock: ManualClock
) -> None:
    answer = await sandbox.send(textcard("s0001", n="n42", btntxt="查看"))

    assert answer["errcode"] == 0
    assert answer["msgid"]
    assert await sandbox.inbox("S0001") == [
        {
            "notice_id": "n42",
            "msgtype": "textcard",
            "title": "待办",
            "description": "有一份文件",
            "url": "https://h.example/d/7?n=n42",
            "button": "查看",
            "received_at": clock.now(),
            "msgid": answer["msgid"],
        }
    ]


async def test_the_newest_card_is_the_last(sandbox: RunningSandbox) -> None:
    for n in ("a", "b", "c"):
        await sandbox.send(textcard(n=n))

    assert [card["notice_id"] for card in await sandbox.inbox("s0001")] == ["a", "b", "c"]


async def test_an_identical_request_is_shown_once_within_its_window(
    sandbox: RunningSandbox, clock: ManualClock
) -> None:
    request = textcard(duplicate_check_interval=1_800)
    first = await sandbox.send(request)
    clock.advance(1_799)
    again = await sandbox.send(request)
    clock.advance(2)
    await sandbox.send(request)

    assert again["errcode"] == 0
    assert again["msgid"] == first["msgid"]
    assert len(await sandbox.inbox("s0001")) == 2
    assert [call["repeated"] for call in await sandbox.calls()] == [False, True, False]


async def test_without_the_check_an_identical_request_is_shown_again(
    sandbox: RunningSandbox,
) -> None:
    for _ in range(2):
        await sandbox.send(textcard(enable_duplicate_check=0))

    assert len(await sandbox.inbox("s0001")) == 2


async def test_who_is_not_reached_is_named_in_lower_case_beside_success(
    sandbox: RunningSandbox,
) -> None:
    answer = await sandbox.send(textcard("s0001|S0003|Nobody|s0004|s0005"))

    assert answer["errcode"] == 0
    assert answer["invaliduser"] == "nobody|s0005"
    assert answer["unlicenseduser"] == "s0004"
    assert len(await sandbox.inbox("s0003")) == 1
    assert (await sandbox.calls())[0]["refused"] == ["nobody", "s0005", "s0004"]


async def test_when_nobody_is_left_it_is_an_error(sandbox: RunningSandbox) -> None:
    answer = await sandbox.send(textcard("Nobody"))

    assert answer["errcode"] == 81013
    assert answer["invaliduser"] == "nobody"
    assert await sandbox.calls() == []


@pytest.mark.parametrize(
    ("touser", "reached"),
    [("@all", ["s0001", "s0002", "s0003"]), ("", ["s0001", "s0002"])],
)
async def test_everybody_and_departments_can_be_written_to(
    sandbox: RunningSandbox, touser: str, reached: list[str]
) -> None:
    await sandbox.send(textcard(touser, toparty="2"))

    assert (await sandbox.calls())[0]["delivered"] == reached


async def test_the_surplus_of_a_minute_is_dropped_without_a_word(
    sandbox: RunningSandbox, clock: ManualClock
) -> None:
    token = await sandbox.token()
    for n in range(33):
        answer = await sandbox.send(textcard(n=str(n)), token)
        assert answer["errcode"] == 0
    dropped = sandbox.wecom.state.dropped()
    clock.advance(61)
    await sandbox.send(textcard(n="later"), token)

    assert dropped == {"s0001": 3}
    assert len(await sandbox.inbox("s0001")) == 31


async def test_the_surplus_of_an_hour_is_dropped_without_a_word(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with running_sandbox(tmp_path, clock, people=[*PEOPLE, *PEOPLE]) as sandbox:
        token = await sandbox.token()
        for n in range(1_002):
            await sandbox.send(textcard(n=str(n)), token)
            clock.advance(3)

        assert len(await sandbox.inbox("s0001")) == 1_000
        assert sandbox.wecom.state.dropped() == {"s0001": 2}


async def test_a_day_has_two_hundred_cards_for_each_account(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with running_sandbox(tmp_path, clock, people=PEOPLE[:1]) as sandbox:
        token = await sandbox.token()
        for n in range(200):
            await sandbox.send(textcard(n=str(n)), token)
            clock.advance(3)
        too_many = await sandbox.send(textcard(n="more"), token)

    assert too_many["errcode"] == 45009


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"agentid": None}, 41011),
        ({"agentid": AGENT_ID + 1}, 40056),
        ({"agentid": str(AGENT_ID)}, 40056),
        ({"agentid": True}, 40056),
        ({"touser": ""}, 82001),
        ({"touser": "|".join(f"u{n}" for n in range(1_001))}, 40032),
        ({"toparty": "|".join(str(n) for n in range(101))}, 82002),
        ({"totag": "|".join(str(n) for n in range(101))}, 82003),
        ({"touser": ["s0001"]}, 40035),
        ({"msgtype": "poem"}, 40008),
        ({"msgtype": 7}, 40008),
        ({"msgtype": "text"}, 40035),
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "markdown", "markdown": {"content": "字" * 683}}, 45002),
        ({"msgtype": "news", "news": {"articles": []}}, 45008),
        ({"msgtype": "news", "news": {"articles": [{"title": "t", "url": "ftp://x"}]}}, 40058),
        ({"msgtype": "image", "image": {}}, 40007),
        ({"msgtype": "template_card", "template_card": {"card_type": "text_notice"}}, 40058),
        ({"safe": 1}, 40074),
        ({"title": ""}, 40058),
        ({"title": "题" * 43}, 40058),
        ({"description": "字" * 171}, 40058),
        ({"url": "ftp://h.example/"}, 40058),
        ({"url": "https://h.example/" + "x" * 2_048}, 40058),
        ({"url": 5}, 40058),
        ({"enable_duplicate_check": 2}, 40035),
        ({"duplicate_check_interval": 14_401}, 40035),
    ],
)
async def test_a_wrong_request_gets_wecoms_code(
    sandbox: RunningSandbox, changed: dict[str, object], code: int
) -> None:
    answer = await sandbox.send(textcard(**changed))

    assert answer["errcode"] == code
    assert await sandbox.inbox("s0001") == []


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"{", 40035), (b"[]", 40035), (json.dumps(textcard()).encode(), 40033)],
    ids=["no JSON", "no object", "escaped characters"],
)
async def test_a_body_that_is_not_wecoms_json_is_refused(
    sandbox: RunningSandbox, raw: bytes, code: int
) -> None:
    assert (await sandbox.send(raw))["errcode"] == code


async def test_a_backslash_before_a_u_is_not_an_escape(sandbox: RunningSandbox) -> None:
    answer = await sandbox.send(textcard(title="C:\\u4e00"))

    assert answer["errcode"] == 0


async def test_long_text_is_cut_and_a_long_button_too(sandbox: RunningSandbox) -> None:
    text = {"msgtype": "text", "text": {"content": "字" * 700}}
    await sandbox.send(textcard(**text))
    await sandbox.send(textcard(btntxt="五个字的钮"))

    shown = await sandbox.inbox("s0001")
    assert shown[0]["description"] == "字" * 682
    assert shown[1]["button"] == "五个字的"


async def test_a_business_error_comes_as_wecom_sends_it(sandbox: RunningSandbox) -> None:
    url = f"{sandbox.base}/wecom/cgi-bin/message/send"
    async with sandbox.http.post(url, params={"access_token": "x"}, data=b"{}") as response:
        answer = await response.json()

    assert response.status == 200
    assert response.headers["Error-Code"] == "40014"
    assert response.headers["Error-Msg"] == answer["errmsg"]
    assert answer["errmsg"].startswith("invalid access_token, hint: [")
    assert answer["errmsg"].endswith("https://open.work.weixin.qq.com/devtool/query?e=40014")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 41002),
        ({"corpid": "wwsandbox"}, 41004),
        ({"corpid": "wwother", "corpsecret": "sandbox"}, 40013),
        ({"corpid": "wwsandbox", "corpsecret": "wrong"}, 40001),
    ],
)
async def test_a_token_is_given_only_for_the_right_secret(
    sandbox: RunningSandbox, query: dict[str, str], code: int
) -> None:
    async with sandbox.http.get(f"{sandbox.base}/wecom/cgi-bin/gettoken", params=query) as response:
        assert (await response.json())["errcode"] == code


async def test_a_token_is_the_same_until_its_end(
    sandbox: RunningSandbox, clock: ManualClock
) -> None:
    first = await sandbox.token()
    clock.advance(7_199)
    same = await sandbox.token()
    clock.advance(2)
    dead = await sandbox.send(textcard(), first)
    other = await sandbox.token()

    assert same == first
    assert dead["errcode"] == 42001
    assert other != first
    assert (await sandbox.send(textcard(), ""))["errcode"] == 41001


async def test_members_and_departments_are_read_as_from_wecom(sandbox: RunningSandbox) -> None:
    async def ask(endpoint: str, **query: str) -> dict[str, object]:
        query["access_token"] = token
        url = f"{sandbox.base}/wecom/cgi-bin/{endpoint}"
        async with sandbox.http.get(url, params=query) as response:
            return dict(await response.json())

    token = await sandbox.token()
    member = await ask("user/get", userid="s0003")
    departments = await ask("department/list")

    assert (member["userid"], member["name"], member["department"]) == ("S0003", "区适子", [3])
    assert "mobile" not in member
    assert [row["id"] for row in departments["department"]] == [1, 2, 3, 4]
    assert await ask("user/simplelist", department_id="2") == {
        "errcode": 0,
        "errmsg": "ok",
        "userlist": [
            {"userid": "s0001", "name": "单雄信", "department": [2]},
            {"userid": "s0002", "name": "曾巩", "department": [2]},
        ],
    }
    assert (await ask("user/get", userid="s0005"))["errcode"] == 60011
    assert (await ask("user/get", userid="nobody"))["errcode"] == 60111
    assert (await ask("user/simplelist", department_id="99"))["errcode"] == 60003


async def test_an_unmodified_wechatpy_client_gets_through(sandbox: RunningSandbox) -> None:
    class Pointed(WeChatClient):  # type: ignore[misc]
        API_BASE_URL = f"{sandbox.base}/wecom/cgi-bin/"

    client = Pointed("wwsandbox", "sandbox", access_token=await sandbox.token())
    answer = await asyncio.to_thread(
        client.message.send_text_card, AGENT_ID, ["s0002"], "题", "文", "https://h.example/c/1?n=w"
    )
    client._http.close()

    assert answer["errcode"] == 0
    assert [card["notice_id"] for card in await sandbox.inbox("s0002")] == ["w"]
