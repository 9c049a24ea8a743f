"""No method of wechatpy reaches requests over our client, and those that would are closed."""

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import pytest
import requests
from wechatpy.client.api.base import BaseWeChatAPI

from server.integrations.wecom.client import CLOSED, NotOverThisWire, WeComClient
from tests.integrations.wecom.scripted import Scripted

PURE = {"jsapi.get_jsapi_signature", "oauth.authorize_url"}


def methods(client: WeComClient) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public method of every group of endpoints."""
    for group, api in vars(client).items():
        if isinstance(api, BaseWeChatAPI):
            for name in dir(type(api)):
                if not name.startswith("_") and inspect.isfunction(getattr(type(api), name)):
                    yield f"{group}.{name}", getattr(api, name)


def made_up(method: Callable[..., Any]) -> dict[str, Any]:
    """Something for every argument that has no default."""
    special = {"msg_type": "text", "articles": [Counter()], "user_ids": ["a"]}
    needed = inspect.signature(method).parameters.values()
    return {
        one.name: special.get(one.name, "1")
        for one in needed
        if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
    }


async def test_every_method_is_awaitable_pure_or_closed(
    wecom: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reached(*args: object, **options: object) -> None:
        raise AssertionError("requests was reached")

    monkeypatch.setattr(requests.sessions.Session, "request", reached)
    asked, closed, pure = set(), set(), set()
    for path, method in methods(wecom.client):
        try:
            result = method(**made_up(method))
        except NotOverThisWire:
            closed.add(path)
            continue
        if inspect.iscoroutine(result):
            result.close()
            asked.add(path)
        else:
            pure.add(path)

    assert closed == set(CLOSED)
    assert pure == PURE
    assert len(asked) > 90


async def test_a_method_of_wechatpy_is_awaited_and_answers(wecom: Scripted) -> None:
    wecom.send = lambda request: {"userid": request.query["userid"], "name": "单雄信"}
    member = await wecom.client.user.get("s0001")

    assert member["name"] == "单雄信"


async def test_an_upload_goes_whole_again_with_the_second_token(wecom: Scripted) -> None:
    refused = iter([True, False])
    wecom.send = lambda request: (
        {"errcode": 40014} if next(refused) else {"media_id": "m", "type": "file"}
    )
    await wecom.client.media.upload("file", ("排班表.xlsx", b"x" * 1_000))
    first, second = (body for body in wecom.bodies if body)

    assert b'name="media"' in first
    assert first.count(b"x" * 1_000) == second.count(b"x" * 1_000) == 1


@pytest.mark.parametrize("touch", ["access_token", "fetch_access_token"])
async def test_the_token_is_not_handed_out(wecom: Scripted, touch: str) -> None:
    with pytest.raises(NotOverThisWire):
        getattr(wecom.client, touch)()


async def test_what_wechatpy_keeps_of_requests_raises_when_touched(wecom: Scripted) -> None:
    with pytest.raises(NotOverThisWire):
        wecom.client._http.get("https://elsewhere.example/")


async def test_another_host_is_never_asked(wecom: Scripted) -> None:
    with pytest.raises(NotOverThisWire, match="another host"):
        await wecom.client.get("https://elsewhere.example/cgi-bin/x?access_token=t")

    assert not wecom.calls


def test_building_a_client_needs_no_network() -> None:
    async def build() -> None:
        async with aiohttp.ClientSession() as http:
            WeComClient(Scripted(base="").config(), http)

    asyncio.run(build())
