"""The WeCom stand-in misbehaves when told to, for as long as told."""

import asyncio

import aiohttp
import pytest

from tests.clocks import ManualClock
from tests.sandbox.running import RunningSandbox, textcard


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("invalid_token", 40014),
        ("rate_limited", 45009),
        ("busy", -1),
        ("concurrency", 45033),
        ("untrusted_ip", 60020),
        ("invalid_user", 81013),
    ],
)
async def test_a_fault_answers_with_its_code_and_delivers_nothing_until_it_ends(
    sandbox: RunningSandbox, clock: ManualClock, mode: str, code: int
) -> None:
    await sandbox.fault(mode, 10)
    during = await sandbox.send(textcard())
    clock.advance(10)
    after = await sandbox.send(textcard())

    assert during["errcode"] == code
    assert after["errcode"] == 0
    assert len(await sandbox.inbox("s0001")) == 1


async def test_expired_token_kills_the_tokens_given_out_so_far(sandbox: RunningSandbox) -> None:
    old = await sandbox.token()
    await sandbox.fault("expired_token")

    assert (await sandbox.send(textcard(), old))["errcode"] == 42001
    assert (await sandbox.send(textcard()))["errcode"] == 0


async def test_a_worn_token_dies_after_two_hundred_calls(sandbox: RunningSandbox) -> None:
    old = await sandbox.token()
    await sandbox.fault("worn_token")
    answers = [(await sandbox.send(textcard(n=f"n{n}"), old))["errcode"] for n in range(202)]

    assert answers == [0] * 200 + [42001, 42001]
    assert (await sandbox.send(textcard(n="again")))["errcode"] == 0


async def test_when_it_is_down_a_gateway_answers(sandbox: RunningSandbox) -> None:
    await sandbox.fault("down")
    async with sandbox.http.get(f"{sandbox.base}/wecom/cgi-bin/gettoken") as response:
        assert response.status == 502
        assert response.content_type == "text/html"


@pytest.mark.parametrize(("mode", "delivered"), [("reset", 0), ("lost_answer", 1)])
async def test_a_broken_line_may_or_may_not_have_delivered(
    sandbox: RunningSandbox, mode: str, delivered: int
) -> None:
    token = await sandbox.token()
    await sandbox.fault(mode)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await sandbox.send(textcard(), token)

    assert len(await sandbox.inbox("s0001")) == delivered


async def test_a_slow_call_is_carried_out_in_the_end(sandbox: RunningSandbox) -> None:
    token = await sandbox.token()
    await sandbox.fault("slow")
    call = asyncio.create_task(sandbox.send(textcard(), token))
    while "message/send" not in (await sandbox.counts())["calls"]:
        pass
    before = await sandbox.inbox("s0001")
    await sandbox.fault("off")

    assert (await call)["errcode"] == 0
    assert before == []
    assert len(await sandbox.inbox("s0001")) == 1


@pytest.mark.parametrize(
    ("order", "word"),
    [
        (b"{", "JSON"),
        (b"[]", "object"),
        (b'{"mode": "sideways"}', "mode must be one of down, slow"),
        (b'{"mode": 1}', "mode"),
        (b'{"mode": "down", "for_s": "long"}', "for_s must be a number"),
        (b'{"mode": "down", "for_s": true}', "for_s must be a number"),
        (b'{"mode": "down", "for_s": -1}', "for_s must be more than 0"),
        (b'{"mode": "down", "for_s": NaN}', "for_s must be more than 0"),
        (b'{"mode": "down", "for": 1}', "unknown field"),
    ],
)
async def test_a_wrong_fault_is_refused_with_a_sentence(
    sandbox: RunningSandbox, order: bytes, word: str
) -> None:
    async with sandbox.http.post(f"{sandbox.base}/wecom/faults", data=order) as response:
        answer = await response.json()

    assert response.status == 400
    assert word in answer["error"]
    assert answer["error"].endswith(".")
