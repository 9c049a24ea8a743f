"""Who is let in, from where, and how the server takes its leave."""

import asyncio

import aiohttp
import msgspec
import pytest

from realtime.errors import Closing
from realtime.testing import ConnectRefused, SocketClient
from tests.realtime.ward import eventually, running_ward


async def test_a_ticket_that_is_refused_says_so_in_the_protocols_own_words() -> None:
    async with running_ward() as ward:
        with pytest.raises(ConnectRefused) as refused:
            await ward.connect("")
        assert refused.value.told == {
            "message": "unauthenticated",
            "data": {"code": "unauthenticated", "message": "sign in again"},
        }


@pytest.mark.parametrize("auth", [None, {}, {"ticket": None}, {"other": 1}])
async def test_no_ticket_is_no_entrance(auth: dict[str, object] | None) -> None:
    async with running_ward() as ward:
        with pytest.raises(ConnectRefused):
            await SocketClient.connect(ward.url, auth=auth)
        await eventually(lambda: not ward.hub.online_people())


async def test_a_session_revoked_while_it_arrives_does_not_get_in() -> None:
    async with running_ward() as ward:

        async def revoke(_: str) -> None:
            ward.hub.disconnect("li", Closing.REVOKED, session_ids=frozenset({"phone"}))

        ward.application.reading = revoke
        with pytest.raises(ConnectRefused) as refused:
            await ward.connect("li/phone")
        assert refused.value.code == "unauthenticated"
        await ward.connect("li/desk")


async def test_connecting_leaving_and_connecting_while_admission_is_under_way_leaks_nobody() -> (
    None
):
    async with running_ward() as ward:
        gate, reading = asyncio.Event(), asyncio.Event()

        async def wait(_: str) -> None:
            reading.set()
            await gate.wait()

        ward.application.reading = wait
        client = await ward.open()
        for packet in ('40{"ticket":"ann"}', "41", '40{"ticket":"ann"}'):
            await client.send(packet)
        await reading.wait()
        await client.ended()
        assert client.close_code == 1002
        gate.set()
        await eventually(lambda: not ward.gateway.sockets)
        await ward.gateway.close()
        assert ward.hub.connections_of("ann") == ()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_page_from_elsewhere_is_refused_by_either_transport(origin: str) -> None:
    async with running_ward() as ward, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await SocketClient.open(ward.url, headers={"Origin": origin})
        assert refused.value.status == 403
        url = f"{ward.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url, headers={"Origin": origin}) as answer:
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_our_pages_and_clients_without_a_page_are_let_in() -> None:
    pages = frozenset({"https://yuanxin.example", "https://house.example/app"})
    async with running_ward(allowed_origins=pages) as ward:
        await ward.connect("li")
        await ward.connect("li", headers={"Origin": "https://yuanxin.example"})
        await ward.connect("li", headers={"Origin": "https://house.example"})
        await ward.connect("li", headers={"Origin": ward.url})
        assert len(ward.hub.connections_of("li")) == 4


async def test_the_devices_address_is_the_real_one_and_a_strangers_word_is_not_taken() -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9, 10.1.2.3"}
    async with running_ward() as ward:
        await ward.connect("li", headers=forwarded)
        assert ward.application.addresses == ["127.0.0.1"]
    async with running_ward(trusted_proxies=frozenset({"127.0.0.1"})) as ward:
        await ward.connect("li", headers=forwarded)
        assert ward.application.addresses == ["10.1.2.3"]


async def test_a_command_is_acked_and_an_event_without_an_ack_is_done_too() -> None:
    async with running_ward() as ward:

        async def echo(_: object, body: object) -> object:
            return body

        ward.application.handlers["echo"] = echo
        client = await ward.connect("li")
        assert await client.call("echo", {"a": [1, "早"]}) == {
            "ok": True,
            "result": {"a": [1, "早"]},
        }
        await client.emit("echo", {"quiet": True})
        await client.send('4299["echo"]')
        await client.until(lambda: '4399[{"ok":true,"result":{}}]' in client.frames)
        assert ("echo", {"quiet": True}) in ward.application.handled
        assert sum(str(frame).startswith("43") for frame in client.frames) == 2


async def test_a_command_that_breaks_is_answered_and_the_next_one_works() -> None:
    async with running_ward() as ward:

        async def fine(_: object, body: object) -> str:
            return "fine"

        ward.application.handlers["fine"] = fine
        client = await ward.connect("li")
        assert (await client.call("breaks"))["error"]["code"] == "unavailable"
        assert (await client.call("fine"))["result"] == "fine"


async def test_many_who_are_sent_away_are_told_to_come_back_spread_out() -> None:
    async with running_ward() as ward:
        clients = [await ward.connect(f"person-{number}") for number in range(250)]
        await ward.gateway.close(Closing.GOING_AWAY)
        for client in clients:
            await client.ended()
        waits = sorted(client.named("closing")[0]["retry_after_ms"] for client in clients)
    assert waits[-1] <= 500, "250 at 500 a second are half a second"
    early, late = waits[50], waits[200]
    assert 20 < early < 200 < 300 < late, "and they are spread over all of it"


async def test_going_away_lets_commands_finish_and_acks_them_before_it_says_so() -> None:
    async with running_ward() as ward:
        gate = asyncio.Event()

        async def slow(_: object, body: dict[str, int]) -> int:
            await gate.wait()
            return body["n"]

        ward.application.handlers["slow"] = slow
        client = await ward.connect("li")
        calls = [client.start("slow", {"n": n}) for n in range(10)]
        await eventually(lambda: len(ward.application.handled) == 10)
        closing = asyncio.create_task(ward.gateway.close(Closing.GOING_AWAY))
        await asyncio.sleep(0)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await SocketClient.open(ward.url)
        gate.set()
        assert [(await call)["result"] for call in calls] == list(range(10))
        await closing
        await client.ended()
        [(name, told)] = client.events
        assert (name, told["reason"], told["reconnect"]) == ("closing", "going_away", True)
        assert 0 <= told["retry_after_ms"] <= 2, "one client need not wait"
        assert client.close_code == 1001
        assert ward.gateway.sockets == 0


async def test_a_stuck_reader_does_not_keep_the_server_from_going() -> None:
    async with running_ward() as ward:
        stuck = await ward.connect("stuck")
        stuck.pause_reading()
        for position in range(60):
            ward.tell("person:stuck", position, text="x" * 20_000)
            await asyncio.sleep(0)
        assert ward.hub.is_online("stuck")
        await asyncio.wait_for(ward.gateway.close(flush_s=2.0), 5.0)
        assert ward.gateway.sockets == 0


async def test_a_polling_client_is_served_and_told_why_it_is_closed() -> None:
    async with running_ward() as ward, aiohttp.ClientSession() as http:
        url = f"{ward.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as answer:
            sid = msgspec.json.decode((await answer.text())[1:])["sid"]
        async with http.post(f"{url}&sid={sid}", data='40{"ticket":"li"}') as answer:
            assert await answer.text() == "ok"
        async with http.get(f"{url}&sid={sid}") as answer:
            assert (await answer.text()).startswith('40{"sid":')
        ward.tell("person:li", 1)
        ward.hub.disconnect("li", Closing.REVOKED)
        assert not ward.hub.is_online("li")
        async with http.get(f"{url}&sid={sid}") as answer:
            told = (await answer.text()).split("\x1e")
        assert [packet[:14] for packet in told] == ['42["chat.sent"', '42["closing",{', "41"]
        async with http.get(f"{url}&sid={sid}") as answer:
            assert await answer.text() == "1"
        async with http.get(f"{url}&sid={sid}") as answer:
            assert answer.status == 400
