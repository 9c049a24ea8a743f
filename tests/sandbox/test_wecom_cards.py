"""The stand-in's cards, codes, menu and calls back: as strict as WeCom, and kept over a kill."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.integrations.wecom.crypto import CallbackCipher
from server.integrations.wecom.envelope import encrypted_part, read_flat
from tests.clocks import ManualClock
from tests.sandbox.running import AGENT_ID, RunningSandbox, running_sandbox

TOKEN, KEY = "token", "c2FuZGJveGtleWZvcnRoZXN0YW5kaW5vZnl1YW54aW4"
CIPHER = CallbackCipher(TOKEN, KEY, "wwsandbox", 0)
HOUR = 3_600


class Product:
    """Whoever is called back: answers as it is told, and opens what came with the product's own cipher."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.reply = b""
        self.heard: list[dict[str, str]] = []
        self.hangs = False

    async def take(self, request: web.Request) -> web.Response:
        signature, at, nonce = (request.query[n] for n in ("msg_signature", "timestamp", "nonce"))
        if request.method == "GET":
            return web.Response(body=CIPHER.open(request.query["echostr"], signature, at, nonce, 0))
        if self.hangs:
            await asyncio.sleep(60)
        opened = CIPHER.open(encrypted_part(await request.read()), signature, at, nonce, 0)
        self.heard.append(read_flat(opened))
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, body=self.reply)


@asynccontextmanager
async def called_back(
    folder: Path, clock: ManualClock, **config: Any
) -> AsyncIterator[tuple[RunningSandbox, Product]]:
    product = Product()
    app = web.Application()
    app.router.add_route("*", "/wecom/callback", product.take)
    async with (
        TestServer(app) as server,
        running_sandbox(
            folder,
            clock,
            callback_token=TOKEN,
            callback_aes_key=KEY,
            callback_url=str(server.make_url("/wecom/callback")),
            callback_between_s=0.01,
            **config,
        ) as sandbox,
    ):
        yield sandbox, product


@pytest.fixture
async def both(tmp_path: Path, clock: ManualClock) -> AsyncIterator[tuple[RunningSandbox, Product]]:
    async with called_back(tmp_path, clock) as opened:
        yield opened


def card(task_id: str = "t1", touser: str = "s0001|s0002", **changed: Any) -> dict[str, Any]:
    button = {"type": 0, "text": "同意", "style": 1, "key": "yes"}
    opens = {"type": 1, "text": "查看", "style": 2, "url": "https://h.example/d/7?n=n1"}
    return {
        "touser": touser,
        "msgtype": "template_card",
        "agentid": AGENT_ID,
        "template_card": {
            "card_type": "button_interaction",
            "main_title": {"title": "待办"},
            "card_action": {"type": 1, "url": "https://h.example/d/7?n=n1"},
            "task_id": task_id,
            "button_list": [button, opens],
            **changed,
        },
        "enable_duplicate_check": 1,
    }


async def api(sandbox: RunningSandbox, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
    url = f"{sandbox.base}/wecom/cgi-bin/{path}"
    params = {"access_token": await sandbox.token(), **query}
    method = sandbox.http.get if body is None else sandbox.http.post
    async with method(url, params=params, **({} if body is None else {"json": body})) as said:
        return dict(await said.json())


async def update(sandbox: RunningSandbox, code: str, *users: str) -> dict[str, Any]:
    body = {
        "userids": list(users),
        "agentid": AGENT_ID,
        "response_code": code,
        "button": {"replace_name": "done"},
    }
    return await api(sandbox, "message/update_template_card", body)


async def door(sandbox: RunningSandbox, path: str, **fields: Any) -> int:
    async with sandbox.http.post(f"{sandbox.base}/wecom/{path}", json=fields) as said:
        return said.status


async def callbacks(sandbox: RunningSandbox) -> list[list[int]]:
    """The statuses of each call's tries, once all are over."""
    async with asyncio.timeout(20):
        while True:
            async with sandbox.http.get(f"{sandbox.base}/wecom/callbacks") as said:
                calls = await said.json()
            if not any(call["waiting"] for call in calls):
                return [[one["status"] for one in call["tries"]] for call in calls]
            await asyncio.sleep(0.02)


async def test_a_code_changes_a_card_once_for_those_who_have_it(
    both: tuple[RunningSandbox, Product],
) -> None:
    sandbox, _ = both
    sent = await sandbox.send(card())
    answer = await update(sandbox, sent["response_code"], "s0001", "S0003")

    assert (answer["errcode"], answer["invaliduser"]) == (0, ["S0003"])
    assert [(await sandbox.inbox(u))[0]["says"] for u in ("s0001", "s0002")] == ["done", ""]
    assert (await update(sandbox, sent["response_code"], "s0002"))["errcode"] == 42014
    assert (await update(sandbox, "nonsense", "s0002"))["errcode"] == 42014


async def test_a_code_is_worth_nothing_after_three_days(
    both: tuple[RunningSandbox, Product], clock: ManualClock
) -> None:
    sandbox, _ = both
    sent = await sandbox.send(card())
    clock.advance(72 * HOUR + 1)
    assert (await update(sandbox, sent["response_code"], "s0001"))["errcode"] == 42014


async def test_the_same_card_again_is_one_card_with_its_code(
    both: tuple[RunningSandbox, Product],
) -> None:
    sandbox, _ = both
    first, again = await sandbox.send(card()), await sandbox.send(card())
    other = card()
    other["template_card"]["main_title"]["title"] = "other"

    assert (first["msgid"], first["response_code"]) == (again["msgid"], again["response_code"])
    assert (await sandbox.send(other))["errcode"] == 42014


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"task_id": ""}, 42014),
        ({"task_id": "a b"}, 42014),
        ({"button_list": []}, 40058),
        ({"button_list": [{"text": "x"}]}, 40058),
        ({"button_list": [{"text": "x", "key": "k"}] * 2}, 40058),
        ({"button_list": [{"text": "x", "type": 1, "url": "ftp://h"}]}, 40058),
        ({"main_title": {}}, 40058),
    ],
)
async def test_a_card_that_makes_no_sense_is_refused(
    both: tuple[RunningSandbox, Product], changed: dict[str, Any], code: int
) -> None:
    sandbox, _ = both
    assert (await sandbox.send(card(**changed)))["errcode"] == code
    assert await sandbox.inbox("s0001") == []


async def test_without_a_callback_there_are_no_buttons(tmp_path: Path) -> None:
    async with running_sandbox(tmp_path) as sandbox:
        assert (await sandbox.send(card()))["errcode"] == 43012


async def test_a_press_is_heard_with_a_code_of_its_own(
    both: tuple[RunningSandbox, Product],
) -> None:
    sandbox, product = both
    sent = await sandbox.send(card())
    pressed = await door(sandbox, "press", userid="s0001", msgid=sent["msgid"], key="yes")
    refused = [
        await door(sandbox, "press", userid="s0001", msgid=sent["msgid"], key="no"),
        await door(sandbox, "press", userid="s0003", msgid=sent["msgid"], key="yes"),
        await door(sandbox, "press", userid="nobody", msgid=sent["msgid"], key="yes"),
    ]
    assert await callbacks(sandbox) == [[200]]
    [heard] = product.heard

    assert (pressed, refused) == (202, [400, 400, 400])
    assert (heard["FromUserName"], heard["TaskId"], heard["EventKey"]) == ("s0001", "t1", "yes")
    assert heard["ResponseCode"] != sent["response_code"]
    assert (await update(sandbox, heard["ResponseCode"], "s0001"))["errcode"] == 0
    assert await door(sandbox, "press", userid="s0001", msgid=sent["msgid"], key="yes") == 400


async def test_three_tries_are_made_and_no_more(both: tuple[RunningSandbox, Product]) -> None:
    sandbox, product = both
    product.statuses = [500, 200, 503, 502, 500]
    await door(sandbox, "say", userid="s0001", text="a")
    await callbacks(sandbox)
    await door(sandbox, "say", userid="s0001", text="b")

    assert await callbacks(sandbox) == [[500, 200], [503, 502, 500]]
    assert len({heard["MsgId"] for heard in product.heard}) == 2


async def test_who_does_not_answer_in_time_is_called_again(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with called_back(tmp_path, clock, callback_try_s=0.1) as (sandbox, product):
        product.hangs = True
        await door(sandbox, "say", userid="s0001", text="a")
        assert await callbacks(sandbox) == [[0, 0, 0]]


async def test_the_address_is_checked_as_the_console_does(
    both: tuple[RunningSandbox, Product],
) -> None:
    sandbox, _ = both
    async with sandbox.http.post(f"{sandbox.base}/wecom/callbacks/check") as said:
        assert await said.json() == {"status": 200, "ok": True}


async def test_a_sealed_answer_is_shown_on_the_phone_and_any_other_is_not(
    both: tuple[RunningSandbox, Product],
) -> None:
    sandbox, product = both
    inner = "<xml><Content><![CDATA[您好]]></Content></xml>"
    product.reply = CIPHER.seal(inner.encode(), "1", "n").xml().encode()
    await door(sandbox, "say", userid="s0001", text="a")
    await callbacks(sandbox)
    product.reply = b"<xml>something else</xml>"
    await door(sandbox, "say", userid="s0001", text="b")
    await callbacks(sandbox)

    assert [one["description"] for one in await sandbox.inbox("s0001")] == ["您好"]


async def test_a_message_is_taken_back_within_a_day(
    both: tuple[RunningSandbox, Product], clock: ManualClock
) -> None:
    sandbox, _ = both
    first = (await sandbox.send(card("t1")))["msgid"]
    assert (await api(sandbox, "message/recall", {"msgid": first}))["errcode"] == 0
    assert await sandbox.inbox("s0001") == []
    late = (await sandbox.send(card("t2")))["msgid"]
    clock.advance(25 * HOUR)
    assert (await api(sandbox, "message/recall", {"msgid": late}))["errcode"] != 0
    assert (await api(sandbox, "message/recall", {"msgid": "nonsense"}))["errcode"] != 0


def button(**fields: Any) -> dict[str, Any]:
    return {"type": "click", "name": "待办", "key": "todos", **fields}


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([button()], 0),
        ([{"name": "我的", "sub_button": [button()] * 5}], 0),
        ([], 40016),
        ([button()] * 4, 40016),
        ([{"name": "我的", "sub_button": [button()] * 6}], 40023),
        ([button(type="dance")], 40017),
        ([button(name="六个汉字超长")], 40018),
        ([button(key="")], 40019),
        ([button(type="view", url="h" * 1_025)], 40020),
    ],
)
async def test_a_menu_is_taken_whole_or_not_at_all(
    both: tuple[RunningSandbox, Product], buttons: list[Any], code: int
) -> None:
    sandbox, _ = both
    answer = await api(sandbox, "menu/create", {"button": buttons}, agentid=AGENT_ID)
    kept = await api(sandbox, "menu/get", agentid=AGENT_ID)

    assert answer["errcode"] == code
    assert kept.get("button") == (None if code else buttons)
    assert (await api(sandbox, "menu/get", agentid=7))["errcode"] == 40056


async def test_what_was_pressed_is_called_after_a_kill(tmp_path: Path, clock: ManualClock) -> None:
    async with running_sandbox(
        tmp_path, clock, callback_token=TOKEN, callback_aes_key=KEY
    ) as sandbox:
        await door(sandbox, "say", userid="s0001", text="a")
    async with called_back(tmp_path, clock) as (again, product):
        assert await callbacks(again) == [[200]]
        assert product.heard[0]["Content"] == "a"


async def test_whoever_left_the_app_is_not_reached(both: tuple[RunningSandbox, Product]) -> None:
    sandbox, _ = both
    assert await door(sandbox, "events", userid="s0001", event="unsubscribe") == 202
    refused = await sandbox.send(card("t1", "s0001"))
    assert await door(sandbox, "events", userid="s0001", event="subscribe") == 202
    reached = await sandbox.send(card("t2", "s0001"))

    assert (refused["errcode"], reached["errcode"]) == (81013, 0)
