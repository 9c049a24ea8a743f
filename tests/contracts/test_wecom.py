"""The WeCom port's promise, against the client on a real server and against the one in memory."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from server.integrations.wecom import (
    UNREACHABLE,
    Button,
    Misconfigured,
    Paused,
    RefusedByWeCom,
    Retry,
    Sent,
    WeCom,
    WeComCards,
    button_card_request,
    card_update,
    textcard_request,
)
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.memory import MemoryWeCom
from tests.sandbox.running import AGENT_ID, running_sandbox

NOBODY = "http://127.0.0.1:9/wecom/callback"


class Kept(Protocol):
    """An adapter, and how to see and break what stands behind it."""

    wecom: WeCom
    after: WeComCards

    async def cards(self, user: str) -> int: ...

    async def break_with(self, error: type[Exception]) -> None: ...

    async def mend(self) -> None: ...


class KeptInMemory:
    def __init__(self) -> None:
        self.memory = MemoryWeCom(unknown={"nobody"})
        self.wecom: WeCom = self.memory
        self.after: WeComCards = self.memory

    async def cards(self, user: str) -> int:
        return len(self.memory.phones.get(user.lower(), ()))

    async def break_with(self, error: type[Exception]) -> None:
        made = {
            Retry: Retry("busy", -1),
            Paused: Paused("too often", 60, 45009),
            Misconfigured: Misconfigured("address", 60020),
            RefusedByWeCom: RefusedByWeCom("scope", 81013, {"s0001": UNREACHABLE}),
        }
        self.memory.failures.append(made[error])

    async def mend(self) -> None:
        self.memory.failures.clear()


@pytest.fixture(params=["client", "memory"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    if request.param == "memory":
        yield KeptInMemory()
        return
    told = {"callback_token": "token", "callback_aes_key": "k" * 43, "callback_url": NOBODY}
    async with running_sandbox(tmp_path, **told) as sandbox:
        client = WeComClient(sandbox.config(), sandbox.http)

        class KeptByClient:
            wecom: WeCom = client
            after: WeComCards = client

            async def cards(self, user: str) -> int:
                return len(await sandbox.inbox(user))

            async def break_with(self, error: type[Exception]) -> None:
                modes = {
                    Retry: "busy",
                    Paused: "rate_limited",
                    Misconfigured: "untrusted_ip",
                    RefusedByWeCom: "invalid_user",
                }
                await sandbox.fault(modes[error])

            async def mend(self) -> None:
                await sandbox.fault("off")

        yield KeptByClient()


def card(*users: str, n: str = "n1") -> bytes:
    return textcard_request(
        AGENT_ID, users, "待办：请假审批", "张* 提交，等您处理", f"https://h.example/d/7?n={n}"
    )


async def test_a_request_reaches_the_phone(kept: Kept) -> None:
    sent = await kept.wecom.send(card("s0001"))

    assert sent.msgid
    assert sent.refused == {}
    assert await kept.cards("s0001") == 1


async def test_the_same_bytes_again_are_one_card_with_the_same_msgid(kept: Kept) -> None:
    request = card("s0001")
    first = await kept.wecom.send(request)
    again = await kept.wecom.send(request)

    assert again == first
    assert await kept.cards("s0001") == 1


async def test_another_notice_id_is_another_card(kept: Kept) -> None:
    await kept.wecom.send(card("s0001", n="n1"))
    await kept.wecom.send(card("s0001", n="n2"))

    assert await kept.cards("s0001") == 2


async def test_who_is_refused_is_named_as_in_the_request(kept: Kept) -> None:
    sent = await kept.wecom.send(card("S0001", "NoBody"))

    assert sent == Sent(sent.msgid, {"NoBody": UNREACHABLE})
    assert await kept.cards("s0001") == 1


async def test_when_nobody_is_reached_everybody_is_named(kept: Kept) -> None:
    with pytest.raises(RefusedByWeCom) as refused:
        await kept.wecom.send(card("NoBody"))

    assert refused.value.code == 81013
    assert refused.value.users == {"NoBody": UNREACHABLE}


@pytest.mark.parametrize("error", [Retry, Paused, Misconfigured, RefusedByWeCom])
async def test_an_error_sends_nothing_and_the_same_bytes_get_through_later(
    kept: Kept, error: type[Exception]
) -> None:
    request = card("s0001")
    await kept.break_with(error)
    with pytest.raises(error):
        await kept.wecom.send(request)
    before = await kept.cards("s0001")
    await kept.mend()
    await kept.wecom.send(request)

    assert before == 0
    assert await kept.cards("s0001") == 1


def test_a_request_is_what_wecom_reads() -> None:
    body = json.loads(card("s0001", "s0002"))

    assert body["touser"] == "s0001|s0002"
    assert body["agentid"] == AGENT_ID
    assert body["enable_duplicate_check"] == 1
    assert 1_800 <= body["duplicate_check_interval"] <= 14_400


def pressable(*users: str, task: str = "n1@1") -> bytes:
    url = f"https://h.example/d/7?n={task}"
    return button_card_request(
        AGENT_ID, users, "待办", "张* 提交", url, task_id=task, buttons=[Button("同意", "yes")]
    )


async def test_only_a_card_with_buttons_brings_a_code_and_the_same_one_again(kept: Kept) -> None:
    plain = await kept.wecom.send(card("s0001"))
    first = await kept.wecom.send(pressable("s0001"))
    again = await kept.wecom.send(pressable("s0001"))

    assert plain.response_code == ""
    assert first.response_code
    assert again == first
    assert first.response_code not in repr(first)


async def test_a_code_changes_a_card_once(kept: Kept) -> None:
    sent = await kept.wecom.send(pressable("s0001"))
    update = card_update(AGENT_ID, ["s0001"], sent.response_code, "已同意")
    await kept.after.update_card(update)

    with pytest.raises(RefusedByWeCom):
        await kept.after.update_card(update)


async def test_a_message_is_taken_back(kept: Kept) -> None:
    sent = await kept.wecom.send(card("s0001"))
    await kept.after.recall(sent.msgid)


@pytest.mark.parametrize("error", [Retry, Paused, Misconfigured])
async def test_what_can_be_done_afterwards_fails_as_sending_does(
    kept: Kept, error: type[Exception]
) -> None:
    sent = await kept.wecom.send(pressable("s0001"))
    update = card_update(AGENT_ID, ["s0001"], sent.response_code, "已同意")
    for act in (lambda: kept.after.update_card(update), lambda: kept.after.recall(sent.msgid)):
        await kept.break_with(error)
        with pytest.raises(error):
            await act()
        await kept.mend()
    await kept.after.update_card(update)
