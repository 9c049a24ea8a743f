"""One token for everybody, fetched as seldom as possible."""

import asyncio

import pytest
from aiohttp import web

from server.integrations.wecom import Misconfigured, Retry, WeComError
from server.integrations.wecom.token import AccessToken, MemoryTokens
from tests.clocks import ManualClock
from tests.integrations.wecom.scripted import REQUEST, Scripted


def counting_tokens(wecom: Scripted, lifetime_s: int = 7_200) -> None:
    """A new token at each call."""
    wecom.token = lambda request: {
        "access_token": f"t{wecom.calls['gettoken']}",
        "expires_in": lifetime_s,
    }


async def test_fifty_sends_on_a_cold_cache_fetch_one_token(wecom: Scripted) -> None:
    await asyncio.gather(*(wecom.client.send(REQUEST) for _ in range(50)))

    assert wecom.calls == {"gettoken": 1, "message/send": 50}


async def test_fifty_sends_with_a_dead_token_fetch_one_other(wecom: Scripted) -> None:
    counting_tokens(wecom)
    await wecom.client.send(REQUEST)
    wecom.send = lambda request: (
        {"errcode": 42001} if request.query["access_token"] == "t1" else {"msgid": "m"}
    )
    await asyncio.gather(*(wecom.client.send(REQUEST) for _ in range(50)))

    assert wecom.calls["gettoken"] == 2
    assert wecom.calls["message/send"] == 101


async def test_fifty_waiting_for_a_token_share_its_failure(wecom: Scripted) -> None:
    wecom.token = lambda request: web.Response(status=502)
    results = await asyncio.gather(
        *(wecom.client.send(REQUEST) for _ in range(50)), return_exceptions=True
    )

    assert wecom.calls == {"gettoken": 1}
    assert all(isinstance(result, Retry) for result in results)


async def test_after_a_failure_the_next_call_asks_again(wecom: Scripted) -> None:
    good = wecom.token
    wecom.token = lambda request: web.Response(status=502)
    with pytest.raises(Retry):
        await wecom.client.send(REQUEST)
    wecom.token = good

    assert (await wecom.client.send(REQUEST)).msgid == "m1"


async def test_whoever_gives_up_waiting_takes_nobody_along(wecom: Scripted) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()
    good = wecom.token

    async def hesitant(request: web.Request) -> web.Response:
        asked.set()
        await answer.wait()
        return web.json_response({"errcode": 0, **good(request)})

    wecom.token = hesitant
    first = asyncio.create_task(wecom.client.send(REQUEST))
    await asked.wait()
    second = asyncio.create_task(wecom.client.send(REQUEST))
    first.cancel()
    answer.set()

    assert (await second).msgid == "m1"


@pytest.mark.parametrize(("after_s", "fetches"), [(6_899, 1), (6_901, 2)])
async def test_a_token_is_renewed_when_less_than_five_minutes_are_left(
    wecom: Scripted, clock: ManualClock, after_s: int, fetches: int
) -> None:
    await wecom.client.send(REQUEST)
    clock.advance(after_s)
    await wecom.client.send(REQUEST)

    assert wecom.calls["gettoken"] == fetches


async def test_a_short_lived_token_is_used_for_half_of_its_life(
    wecom: Scripted, clock: ManualClock
) -> None:
    counting_tokens(wecom, lifetime_s=60)
    for _ in range(4):
        await wecom.client.send(REQUEST)
        clock.advance(14)

    assert wecom.calls["gettoken"] == 2


async def test_a_wrong_secret_is_tried_once_a_minute(wecom: Scripted, clock: ManualClock) -> None:
    wecom.token = lambda request: {"errcode": 40001, "errmsg": "invalid credential"}
    for _ in range(5):
        with pytest.raises(Misconfigured, match="secret is wrong"):
            await wecom.client.send(REQUEST)
        clock.advance(14)
    clock.advance(1)
    with pytest.raises(Misconfigured):
        await wecom.client.send(REQUEST)

    assert wecom.calls == {"gettoken": 2}


async def test_a_server_that_kills_every_token_gets_only_so_many_calls_for_new_ones(
    wecom: Scripted, clock: ManualClock
) -> None:
    counting_tokens(wecom)
    wecom.send = lambda request: {"errcode": 40014}
    waits = []
    for _ in range(40):
        with pytest.raises(Retry) as failed:
            await wecom.client.send(REQUEST)
        waits.append(failed.value.after)
    clock.advance(60)
    with pytest.raises(Retry):
        await wecom.client.send(REQUEST)

    assert waits[-1] == 60
    assert wecom.calls["gettoken"] == 21


@pytest.mark.parametrize(
    "answer",
    [
        {"access_token": "", "expires_in": 7_200},
        {"access_token": None},
        {"access_token": "t", "expires_in": "soon"},
        {"errcode": -1},
    ],
)
async def test_an_answer_without_a_token_is_worth_another_try(
    wecom: Scripted, answer: dict[str, object]
) -> None:
    wecom.token = lambda request: answer
    with pytest.raises(Retry):
        await wecom.client.send(REQUEST)


async def test_tokens_are_kept_where_told_under_the_app(
    wecom: Scripted, clock: ManualClock
) -> None:
    store = MemoryTokens()
    first = await AccessToken(wecom.config(), wecom.http, clock, store).current()
    same = await AccessToken(wecom.config(), wecom.http, clock, store).current()
    await AccessToken(wecom.config(agent_id=8), wecom.http, clock, store).current()

    assert same == first
    assert wecom.calls["gettoken"] == 2
    assert first.value not in repr(first)


async def test_failures_keep_their_kind(wecom: Scripted) -> None:
    wecom.token = lambda request: {"errcode": 45009}
    with pytest.raises(WeComError) as failed:
        await wecom.client.send(REQUEST)

    assert failed.value.code == 45009
