"""A whole server that is linked by Redis, and what becomes of it without."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from realtime.hub import Hub
from realtime.testing import ConnectRefused
from server.auth.tickets.redis import RedisTickets
from server.checking import check
from server.clock import SystemClock
from server.line import opened_line
from server.settings import BadSetting, Settings
from server.settings_loading import load
from tests.operating import Operator, operator
from tests.redis_server import RedisServer
from tests.server.house import House, open_house

__all__ = ["operator"]

pytestmark = pytest.mark.redis


async def redis_is_ready(house: House) -> bool:
    answer = await house.get("/readyz")
    assert answer.status == 200
    return answer.body["checks"]["redis"]["ready"]


async def until(house: House, ready: bool) -> None:
    async with asyncio.timeout(20):
        while await redis_is_ready(house) is not ready:
            pass


async def test_a_server_on_the_line_serves_as_one_that_is_alone(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    url = redis_server.url.replace("/0", "/5")
    async with open_house(tmp_path, redis_url=url) as house:
        await until(house, True)
        ann, bob = await house.socket("ann"), await house.socket("bob")
        opened = await ann.ask("chat.open", {"person_id": "bob"})
        text = {"kind": "text", "text": "上午查房"}
        await ann.ask("chat.send", {**opened, "client_id": "1", "content": text})
        told = await bob.wait_for("chat.sent")
        assert told["message"]["content"] == text
        metrics = (await house.get("/metrics")).text
        assert "realtime_line_connected 1.0" in metrics


async def test_a_ticket_is_kept_in_redis(tmp_path: Path, redis_server: RedisServer) -> None:
    url = redis_server.url.replace("/0", "/6")
    async with open_house(tmp_path, redis_url=url) as house:
        ticket = await house.ticket(await house.sign_in("ann"))
        elsewhere = RedisTickets(url)
        assert await elsewhere.redeem(ticket) is not None
        await elsewhere.close()


async def test_without_redis_those_who_are_here_go_on_and_others_are_told_to_wait(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with open_house(tmp_path, redis_url=own_redis.url) as house:
        await until(house, True)
        ann, bob = await house.socket("ann"), await house.socket("bob")
        opened = await ann.ask("chat.open", {"person_id": "bob"})
        token = await house.token("cai")
        ticket = await house.ticket(token)
        own_redis.kill()
        text = {"kind": "text", "text": "上午查房"}
        await ann.ask("chat.send", {**opened, "client_id": "1", "content": text})
        await bob.wait_for("chat.sent")
        refused = await house.post("auth/ticket", {}, token)
        assert (refused.status, refused.code) == (503, "unavailable")
        with pytest.raises(ConnectRefused) as told:
            await type(ann).connect(house.url, ticket)
        assert told.value.code == "unavailable"
        await until(house, False)
        await own_redis.start()
        await until(house, True)
        await house.socket("cai")


async def test_a_redis_that_takes_nothing_is_named_although_it_carries_the_line(
    tmp_path: Path, own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_house(tmp_path, redis_url=own_redis.url) as house:
        await until(house, True)
        async with Redis.from_url(own_redis.url) as redis:
            await redis.replicaof("127.0.0.1", "9")
        readyz = await house.get("/readyz")
        assert "read only replica" in readyz.body["checks"]["redis"]["detail"]
        assert "nobody can connect" in caplog.text


async def test_nodes_of_one_store_that_do_not_hear_each_other_are_named(
    redis_server: RedisServer,
) -> None:
    url, clock = redis_server.url.replace("/0", "/7"), SystemClock()
    async with opened_line(Settings(redis_url=url), clock, CollectorRegistry()) as line:
        hub = Hub(clock, backplane=line.backplane)
        await hub.start()
        async with asyncio.timeout(20):
            while not (await line.check(1)).ready:
                await asyncio.sleep(0.01)
        of_two = await line.check(2)
        await hub.stop()
    assert not of_two.ready
    assert "0 of 1 other nodes are heard" in of_two.detail


async def test_a_redis_that_was_never_there_keeps_no_server_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = "redis://nurse:verysecret@127.0.0.1:9/0"
    async with open_house(tmp_path, redis_url=url) as house:
        assert not await redis_is_ready(house)
        refused = await house.post("auth/ticket", {}, await house.sign_in("ann"))
        assert refused.status == 503
        readyz = await house.get("/readyz")
        assert "verysecret" not in readyz.text
        assert "verysecret" not in repr(replace(house.server.settings))
    assert "verysecret" not in caplog.text


@pytest.mark.parametrize(
    "url", ["localhost:6379", "http://localhost", "redis://:verysecret@localhost:port"]
)
def test_what_is_no_address_of_a_redis_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(BadSetting, match="YUANXIN_REDIS_URL") as refused:
        load({"YUANXIN_REDIS_URL": url})
    assert "verysecret" not in str(refused.value)


def test_the_check_before_a_start_names_a_redis_that_is_not_there(
    operator: Operator, tmp_path: Path
) -> None:
    checked = operator("check", folder=tmp_path, redis_url="redis://:verysecret@127.0.0.1:9/0")

    assert checked.returncode == 1
    assert "redis     NOT READY: " in checked.stdout
    assert "verysecret" not in checked.stdout + checked.stderr


async def test_the_check_names_a_redis_that_serves(
    redis_server: RedisServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = await check(Settings(data_dir=tmp_path, redis_url=redis_server.url), SystemClock())

    assert (status, "redis     ready\n" in capsys.readouterr().out) == (0, True)
