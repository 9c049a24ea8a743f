"""Several nodes have one token: it is fetched once for all of them, and Redis is not needed to send."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.integrations.wecom import Misconfigured
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.shared_tokens import RedisTokens
from tests.clocks import ManualClock
from tests.integrations.wecom.scripted import REQUEST, Scripted
from tests.integrations.wecom.test_token import counting_tokens
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis
NODES = 3


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    server.kill()


@pytest.fixture
async def nodes(
    redis: RedisServer, wecom: Scripted, clock: ManualClock
) -> AsyncIterator[list[WeComClient]]:
    stores = [RedisTokens(redis.url, clock, f"node-{number}") for number in range(NODES)]
    yield [WeComClient(wecom.config(), wecom.http, clock, store) for store in stores]
    for store in stores:
        await store.close()


async def send_everywhere(nodes: list[WeComClient], each: int = 10) -> None:
    await asyncio.gather(*(node.send(REQUEST) for node in nodes for _ in range(each)))


async def test_one_token_is_fetched_for_all_nodes_at_each_expiry(
    nodes: list[WeComClient], wecom: Scripted, clock: ManualClock
) -> None:
    counting_tokens(wecom)
    for expiry in range(1, 6):
        await send_everywhere(nodes)
        assert wecom.calls["gettoken"] == expiry
        clock.advance(7_000)


async def test_a_token_that_died_early_is_replaced_once_for_all_nodes(
    nodes: list[WeComClient], wecom: Scripted
) -> None:
    counting_tokens(wecom)
    await send_everywhere(nodes)
    dead = {"t1"}
    wecom.send = lambda request: (
        {"errcode": 42001} if request.query["access_token"] in dead else {"msgid": "m"}
    )
    await send_everywhere(nodes)

    assert wecom.calls["gettoken"] == 2


async def test_a_node_whose_fetch_fails_lets_the_next_one_try(
    nodes: list[WeComClient], wecom: Scripted
) -> None:
    good = wecom.token
    wecom.token = lambda request: {"errcode": 40001}
    with pytest.raises(Misconfigured):
        await nodes[0].send(REQUEST)
    wecom.token = good

    assert (await nodes[1].send(REQUEST)).msgid == "m1"


async def test_without_redis_every_node_has_a_token_of_its_own(
    nodes: list[WeComClient], wecom: Scripted, redis: RedisServer
) -> None:
    redis.kill()
    await send_everywhere(nodes)

    assert wecom.calls["gettoken"] == NODES
