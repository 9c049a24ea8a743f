"""The client on the wire: what each answer means, and what never leaves it."""

import asyncio
import logging
import traceback
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from server.integrations.wecom import (
    CONTENT,
    UNLICENSED,
    UNREACHABLE,
    Misconfigured,
    Paused,
    RefusedByWeCom,
    Retry,
    WeComError,
)
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.config import WeComConfig
from tests.clocks import ManualClock
from tests.integrations.wecom.scripted import REQUEST, SECRET, TOKEN, Scripted, scripted_wecom


def error(code: int, **fields: Any) -> Any:
    return lambda request: {"errcode": code, "errmsg": "no", **fields}


async def test_the_bytes_given_are_the_bytes_sent(wecom: Scripted) -> None:
    sent = await wecom.client.send(REQUEST)

    assert sent.msgid == "m1"
    assert wecom.bodies == [b"", REQUEST]
    assert wecom.queries == [
        {"corpid": "wwcorp", "corpsecret": SECRET},
        {"access_token": TOKEN},
    ]


async def test_people_not_reached_are_found_whatever_the_case(wecom: Scripted) -> None:
    wecom.send = lambda request: {"msgid": "m", "invaliduser": "s0001", "unlicenseduser": "S0002|"}

    assert (await wecom.client.send(REQUEST)).refused == {
        "S0001": UNREACHABLE,
        "s0002": UNLICENSED,
    }


@pytest.mark.parametrize("code", [-1, 45033])
async def test_busy_means_the_same_bytes_later(wecom: Scripted, code: int) -> None:
    wecom.send = error(code)
    with pytest.raises(Retry) as failed:
        await wecom.client.send(REQUEST)

    assert failed.value.code == code
    assert wecom.calls["message/send"] == 1


@pytest.mark.parametrize(
    "code", [40001, 40013, 40056, 40091, 41001, 41011, 48002, 50001, 50003, 60020]
)
async def test_a_wrong_setting_rings_the_alarm_after_one_call(wecom: Scripted, code: int) -> None:
    wecom.send = error(code)
    with pytest.raises(Misconfigured) as failed:
        await wecom.client.send(REQUEST)

    assert failed.value.code == code
    assert wecom.calls == {"gettoken": 1, "message/send": 1}


async def test_an_untrusted_address_is_named(wecom: Scripted) -> None:
    message = "not allow to access from your ip, hint: [1], from ip: 203.0.113.9, more info at x"
    wecom.send = lambda request: {"errcode": 60020, "errmsg": message}
    with pytest.raises(Misconfigured, match=r"203\.0\.113\.9"):
        await wecom.client.send(REQUEST)


@pytest.mark.parametrize("code", [40003, 46004, 50002, 60011, 60021, 60111, 81013])
async def test_people_out_of_reach_are_refused_for_good(wecom: Scripted, code: int) -> None:
    wecom.send = error(code, invaliduser="s0001")
    with pytest.raises(RefusedByWeCom) as refused:
        await wecom.client.send(REQUEST)

    assert refused.value.users == {"S0001": UNREACHABLE, "s0002": UNREACHABLE}


@pytest.mark.parametrize("code", [40008, 40033, 40035, 40058, 44004, 45002, 82004, 99999])
async def test_content_wecom_dislikes_is_refused_for_good(wecom: Scripted, code: int) -> None:
    wecom.send = error(code)
    with pytest.raises(RefusedByWeCom) as refused:
        await wecom.client.send(REQUEST)

    assert set(refused.value.users.values()) == {CONTENT}
    assert wecom.calls["message/send"] == 1


async def test_too_often_pauses_a_minute_and_after_three_of_them_an_hour(
    wecom: Scripted, clock: ManualClock
) -> None:
    async def pause() -> float:
        with pytest.raises(Paused) as paused:
            await wecom.client.send(REQUEST)
        return paused.value.seconds

    wecom.send = error(45009)
    first = await asyncio.gather(pause(), pause(), pause(), pause(), pause())
    clock.advance(60)
    second = await pause()
    clock.advance(60)
    third = await pause()
    clock.advance(60)
    fourth = await pause()
    clock.advance(3_600)
    wecom.send = lambda request: {"msgid": "m"}
    await wecom.client.send(REQUEST)
    wecom.send = error(45009)

    assert first == [60, 60, 60, 60, 60]
    assert (second, third, fourth) == (60, 60, 3_600)
    assert await pause() == 60


@pytest.mark.parametrize("code", [40014, 42001])
async def test_a_dead_token_is_replaced_once_and_the_same_bytes_go_again(
    wecom: Scripted, code: int
) -> None:
    tokens = iter(["old", "new"])
    wecom.token = lambda request: {"access_token": next(tokens), "expires_in": 7_200}
    wecom.send = lambda request: (
        {"msgid": "m"} if request.query["access_token"] == "new" else {"errcode": code}
    )

    assert (await wecom.client.send(REQUEST)).msgid == "m"
    assert wecom.bodies == [b"", REQUEST, b"", REQUEST]


async def test_a_server_that_kills_every_token_is_asked_twice_and_gives_one_refresh(
    wecom: Scripted,
) -> None:
    await wecom.client.send(REQUEST)
    wecom.calls.clear()
    wecom.send = error(40014)
    with pytest.raises(Retry) as failed:
        await wecom.client.send(REQUEST)

    assert failed.value.code == 40014
    assert wecom.calls == {"message/send": 2, "gettoken": 1}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (web.Response(status=502, text="<html>"), Retry),
        (web.Response(status=500), Retry),
        (web.Response(status=429), Retry),
        (web.Response(status=302, headers={"Location": "https://elsewhere.example/"}), Retry),
        (web.Response(status=404), Misconfigured),
        (web.Response(status=403), Misconfigured),
        (web.Response(text="<html>ok</html>", content_type="text/html"), Retry),
        (web.Response(text=""), Retry),
        (web.Response(text="[]"), Retry),
        (web.Response(text="{}"), Retry),
        (web.Response(text='{"errcode": "many"}'), Retry),
        (web.Response(body=b'{"errcode": 0, "x": "\xff"}'), Retry),
        (web.Response(text="[" * 100_000), Retry),
    ],
    ids=lambda value: None if isinstance(value, type) else "",
)
async def test_what_is_not_an_answer_of_wecoms_is_unknown_or_another_server(
    wecom: Scripted, answer: web.Response, kind: type[WeComError]
) -> None:
    wecom.send = lambda request: answer
    with pytest.raises(kind):
        await wecom.client.send(REQUEST)

    assert wecom.calls["message/send"] == 1


async def test_an_answer_without_end_is_not_read_to_the_end(wecom: Scripted) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b" " * 1_000_000)
        return response

    wecom.send = endless
    with pytest.raises(Retry):
        await wecom.client.send(REQUEST)


async def test_a_broken_connection_is_an_unknown_outcome(wecom: Scripted) -> None:
    def broken(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    wecom.send = broken
    with pytest.raises(Retry):
        await wecom.client.send(REQUEST)

    assert wecom.calls["message/send"] == 1


async def test_a_closed_port_is_worth_another_try() -> None:
    async with scripted_wecom() as wecom:
        base = wecom.base
    async with aiohttp.ClientSession() as http:
        config = WeComConfig(base, "wwcorp", 7, SECRET)
        with pytest.raises(Retry):
            await WeComClient(config, http).send(REQUEST)


@pytest.mark.parametrize("which", ["token", "send"])
async def test_silence_ends_the_call_whichever_it_was(which: str) -> None:
    over = asyncio.Event()

    async def silent(request: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async with scripted_wecom(total_timeout_s=0.1) as wecom:
        setattr(wecom, which, silent)
        with pytest.raises(Retry, match="in time"):
            await wecom.client.send(REQUEST)
        over.set()


async def test_without_an_api_base_nothing_is_sent() -> None:
    async with aiohttp.ClientSession() as http:
        client = WeComClient(WeComConfig("", "wwcorp", 7, SECRET), http)
        with pytest.raises(Misconfigured, match="no WeCom API base"):
            await client.send(REQUEST)


@pytest.mark.parametrize(
    "base",
    [
        "qyapi.example/cgi-bin/",
        "https://qyapi.example/cgi-bin",
        "https://u:p@qyapi.example/cgi-bin/",
        "https://qyapi.example/cgi-bin/?x=1",
        "file:///cgi-bin/",
    ],
)
def test_an_api_base_that_cannot_be_one_is_refused_at_start(base: str) -> None:
    with pytest.raises(ValueError, match="API base"):
        WeComConfig(base, "wwcorp", 7, SECRET)


def everything_said(failed: BaseException) -> str:
    """Text, repr and traceback of an error and of all that it hangs on to."""
    said = [str(failed), repr(failed), "".join(traceback.format_exception(failed))]
    said += [everything_said(other) for other in (failed.__cause__, failed.__context__) if other]
    return "\n".join(said)


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: web.Response(status=502),
        lambda request: web.Response(text="<html>"),
        lambda request: (request.transport.abort(), web.Response())[1],
        error(40014),
        error(60020),
        error(81013),
        lambda request: {"errcode": 40058, "errmsg": f"echo {request.query_string}"},
    ],
)
@pytest.mark.parametrize("which", ["token", "send"])
async def test_neither_token_nor_secret_nor_address_is_ever_told(
    wecom: Scripted, which: str, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    setattr(wecom, which, answer)
    with pytest.raises(WeComError) as failed:
        await wecom.client.send(REQUEST)

    # The server of this test writes an access log of its own, which is not what is looked at.
    logged = [r.getMessage() for r in caplog.records if not r.name.startswith("aiohttp.access")]
    said = "\n".join([everything_said(failed.value), repr(wecom.client), *logged])
    said += repr(wecom.config()) + repr(vars(wecom.client))
    for secret in (SECRET, TOKEN, f"{wecom.base}message", f"{wecom.base}gettoken"):
        assert secret not in said
