"""What one client may cost, and that it costs nobody else anything."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest

from realtime.errors import Closing
from realtime.limits import ConnectionLimits
from realtime.testing import SocketClient
from tests.realtime.ward import eventually, running_ward

FILLER = "x" * 20_000


async def test_a_slow_reader_is_cut_off_at_its_bound_and_nobody_else() -> None:
    limits = ConnectionLimits(queued_events=50, queued_bytes=1 << 20)
    async with running_ward(limits=limits) as ward:
        ward.application.channels = {name: ["conversation:1"] for name in ("stuck", "li", "wu")}
        stuck, li, wu = [await ward.connect(name) for name in ("stuck", "li", "wu")]
        stuck.pause_reading()
        told = 0
        while ward.hub.is_online("stuck"):
            told += 1
            ward.tell("conversation:1", told, text=FILLER)
            await li.wait_for("chat.sent", lambda event, at=told: event["position"] == at)
        # 50 frames of ours, and what the transport and the kernels of both ends hold.
        assert told < 600
        await wu.wait_for("chat.sent", lambda event: event["position"] == told)
        assert ward.gateway.sockets == 2
        assert ward.hub.farewells.take("session-of-stuck") == "too_slow"
        assert ward.hub.farewells.take("session-of-li") is None


async def test_what_a_stuck_reader_held_is_given_back() -> None:
    limits = ConnectionLimits(queued_events=50, queued_bytes=1 << 20)
    async with running_ward(limits=limits) as ward:
        stuck = await ward.connect("stuck")
        (connection,) = ward.hub.connections_of("stuck")
        stuck.pause_reading()
        position = 0
        while connection.is_open:
            position += 1
            ward.tell("person:stuck", position, text=FILLER)
            await asyncio.sleep(0)
        assert not connection.wire.outgoing  # type: ignore[attr-defined]
        await eventually(lambda: ward.gateway.sockets == 0)


async def test_a_slow_reader_of_a_state_gets_the_newest_value_of_each_key() -> None:
    async with running_ward(limits=ConnectionLimits(queued_events=20)) as ward:
        client = await ward.connect("li")
        client.pause_reading()
        for version in range(1, 1001):
            ward.tell(
                "person:li", version, "todos.counted", key="todos", pending=version, text=FILLER
            )
            ward.tell("person:li", None, "chat.typed", text=FILLER)
        client.resume_reading()
        await client.wait_for("todos.counted", lambda event: event["pending"] == 1000)
        versions = [event["position"] for event in client.named("todos.counted")]
        assert versions == sorted(versions)
        assert len(versions) < 1000
        assert len(client.named("chat.typed")) < 1000


async def test_a_flood_is_ended_by_name() -> None:
    limits = ConnectionLimits(frames_per_second=0.01, frames_burst=100)
    async with running_ward(limits=limits) as ward:
        flooding, calm = await ward.connect("flooding"), await ward.connect("calm")
        for _ in range(150):
            await flooding.emit("noise")
        assert await flooding.wait_for("closing") == {"reason": "rate_limited", "reconnect": True}
        await flooding.ended()
        await eventually(lambda: not ward.hub.is_online("flooding"))
        assert len(ward.application.handled) <= 100
        assert calm.is_open


PING_FRAME, PONG_FRAME = b"\x89\x80" + bytes(4), b"\x8a\x80" + bytes(4)
FIRST_PART, PART, LAST_PART = b"\x01\x80" + bytes(4), b"\x00\x80" + bytes(4), b"\x80\x80" + bytes(4)


@pytest.mark.parametrize("protocol", [{}, {"Sec-WebSocket-Protocol": "x"}], ids=["own", "aiohttp"])
@pytest.mark.parametrize("frame", [PING_FRAME, PONG_FRAME], ids=["pings", "pongs"])
@pytest.mark.parametrize("together", [300, 20_000])
async def test_a_flood_of_frames_that_carry_nothing_is_ended_by_name(
    frame: bytes, protocol: dict[str, str], together: int
) -> None:
    limits = ConnectionLimits(frames_per_second=0.01, frames_burst=100)
    async with running_ward(limits=limits) as ward:
        client = await ward.connect("li", headers=protocol)
        client.write(frame * together)
        assert (await client.wait_for("closing"))["reason"] == "rate_limited"
        await client.ended()
        await eventually(lambda: ward.gateway.sockets == 0)


async def test_a_message_in_very_many_parts_is_a_flood() -> None:
    limits = ConnectionLimits(frames_per_second=0.01, frames_burst=100)
    async with running_ward(limits=limits) as ward:
        client = await ward.connect("li")
        client.write(FIRST_PART + PART * 300 + LAST_PART)
        assert (await client.wait_for("closing"))["reason"] == "rate_limited"


@pytest.mark.parametrize("protocol", [{}, {"Sec-WebSocket-Protocol": "x"}], ids=["own", "aiohttp"])
async def test_a_ping_is_answered(protocol: dict[str, str]) -> None:
    async with running_ward() as ward, aiohttp.ClientSession() as session:
        url = f"{ward.url}/socket.io/?EIO=4&transport=websocket"
        async with session.ws_connect(url, headers=protocol, autoping=False) as ws:
            await ws.receive()
            await ws.ping(b"there?")
            answer = await ws.receive()
            assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"there?")


async def test_answers_to_pings_do_not_pile_up_for_who_never_reads() -> None:
    limits = ConnectionLimits(frames_per_second=1e9, frames_burst=1_000_000_000)
    async with running_ward(limits=limits) as ward:
        client = await ward.connect("li")
        (connection,) = ward.hub.connections_of("li")
        client.pause_reading()
        ping = b"\x89\xfd" + bytes(4) + b"x" * 125
        for number in range(1, 61):
            client.write(ping * 1_600)
            await client.emit("noise")
            await eventually(lambda n=number: len(ward.application.handled) == n)  # type: ignore[misc]
        waiting = connection.wire._transport.get_write_buffer_size()  # type: ignore[attr-defined]
        assert waiting < 64 * 1024


BAD_FRAMES = [
    "", "abc", "9", "4", "49", "4abc", "42", "42{}", '42["a"', '42[1]', "42[]", '42["connect"]',
    '42abc["a"]', "43[]", '431{"a":1}', '42/other,["a"]', '41["x"]', '44{"message":"x"}', "40",
    '451-["a",{"_placeholder":true,"num":7}]', '4599999-["a"]', '451["a"]', '421-["a"]', "2probe", "5",
    '42' + "9" * 200 + '["a"]', "42" + "[" * 5_000, b"\x01\x02", '4²["a"]', "40" + "[" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("frame", BAD_FRAMES, ids=lambda frame: repr(frame)[:24])
async def test_a_bad_frame_ends_the_connection_by_name_and_leaves_no_ghost(
    frame: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_ward() as ward:
        client = await ward.connect("li")
        await client.send(frame)
        if isinstance(frame, str) and frame.startswith("451-"):
            await client.send(b"attachment")
        assert await client.wait_for("closing") == {"reason": "bad_frame", "reconnect": True}
        await client.ended()
        assert not ward.hub.is_online("li")
        await eventually(lambda: ward.gateway.sockets == 0)
        assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "body", ["[" * 5_000 + "]" * 5_000, r'{"text":"\ud83d"}'], ids=["too deep", "half an emoji"]
)
async def test_a_command_that_cannot_be_read_is_refused_and_the_connection_lives(body: str) -> None:
    async with running_ward() as ward:
        client = await ward.connect("li")
        await client.send(f'427["chat.send",{body}]')
        await client.until(lambda: len(client.frames) == 3)
        assert client.frames[2].startswith('437[{"ok":false,"error":{"code":"invalid"')  # type: ignore[arg-type]
        assert client.is_open


@pytest.mark.parametrize("size", [70_000, 2_000_000])
async def test_a_packet_that_is_too_large_ends_the_connection_by_name(size: int) -> None:
    async with running_ward(max_payload=65_536) as ward:
        client = await ward.connect("li")
        await client.send('42["a",{"b":"' + "x" * size + '"}]')
        assert (await client.wait_for("closing"))["reason"] == "too_large"
        await client.ended()
        await eventually(lambda: ward.gateway.sockets == 0)


async def test_bytes_are_counted_and_not_characters() -> None:
    async with running_ward(max_payload=3_000) as ward:
        client = await ward.connect("li")
        await client.send('427["a",{"b":"' + "字" * 900 + '"}]')
        await client.until(lambda: any(str(frame).startswith("437") for frame in client.frames))
        assert client.is_open
        await client.send('428["a",{"b":"' + "字" * 1_000 + '"}]')
        assert (await client.wait_for("closing"))["reason"] == "too_large"


async def test_attachments_that_never_come_end_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime.gateway.socket_server.ATTACHMENTS_S", 0.05)
    async with running_ward() as ward:
        client = await ward.connect("li")
        await client.send('451-["a",{"_placeholder":true,"num":0}]')
        assert (await client.wait_for("closing"))["reason"] == "bad_frame"
        await client.ended()


async def test_many_attachments_are_not_collected() -> None:
    async with running_ward() as ward:
        client = await ward.connect("li")
        await client.send('4599-["a",{"_placeholder":true,"num":0}]')
        assert (await client.wait_for("closing"))["reason"] == "bad_frame"


async def test_attachments_that_are_too_large_together_end_the_connection() -> None:
    async with running_ward(max_payload=1_000) as ward:
        client = await ward.connect("li")
        await client.send('453-["a",{"_placeholder":true,"num":0}]')
        await client.send(bytes(600))
        await client.send(bytes(600))
        assert (await client.wait_for("closing"))["reason"] == "bad_frame"


async def test_a_socket_that_never_connects_is_closed() -> None:
    async with running_ward(connect_within_s=0.05) as ward:
        client = await ward.open()
        await client.ended()
        await eventually(lambda: ward.gateway.sockets == 0)


@pytest.mark.parametrize("says", [None, "40{}"], ids=["silent", "refused"])
async def test_strangers_make_room_for_who_says_who_they_are(says: str | None) -> None:
    async with running_ward(max_sockets=4) as ward:
        ann = await ward.connect("ann")
        for _ in range(3):
            stranger = await ward.open()
            if says is not None:
                await stranger.send(says)
                await stranger.until(lambda s=stranger: len(s.frames) == 2)  # type: ignore[misc]
        others = [await ward.connect(name) for name in ("bob", "cai", "dan")]
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await ward.open()
        assert all(client.is_open for client in (ann, *others))
        assert ward.gateway.sockets == 4
        await others[0].send("41")
        await eventually(lambda: not ward.hub.is_online("bob"))
        await ward.connect("eve")


async def test_a_polling_request_that_does_not_end_ends_its_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime.gateway.engine.BODY_WITHIN_S", 0.05)
    async with running_ward() as ward, aiohttp.ClientSession() as session:
        url = f"{ward.url}/socket.io/?EIO=4&transport=polling"
        async with session.get(url) as opened:
            sid = msgspec.json.decode((await opened.text())[1:])["sid"]
        body = aiohttp.payload.AsyncIterablePayload(_half_a_body())
        async with session.post(f"{url}&sid={sid}", data=body) as answer:
            assert answer.status == 400
        await eventually(lambda: ward.gateway.sockets == 0)


async def _half_a_body() -> AsyncIterator[bytes]:
    yield b"40"
    await asyncio.sleep(60)


async def test_a_silent_device_is_gone_after_its_ping_times_out() -> None:
    async with running_ward(ping_interval_s=0.05, ping_timeout_s=0.05) as ward:
        client = await ward.connect("li")
        client.answers_pings = False
        await eventually(lambda: not ward.hub.is_online("li"))
        await client.ended()
        assert ward.hub.farewells.take("session-of-li") is None


async def test_a_device_that_vanishes_is_gone_at_once() -> None:
    async with running_ward() as ward:
        client = await ward.connect("li")
        client.drop()
        await eventually(lambda: ward.gateway.sockets == 0)
        assert not ward.hub.is_online("li")


async def test_commands_beyond_the_bound_wait_their_turn_and_start_in_order() -> None:
    async with running_ward(limits=ConnectionLimits(commands_at_once=4)) as ward:
        gate, started = asyncio.Event(), []

        async def wait(_: object, body: dict[str, int]) -> int:
            started.append(body["n"])
            await gate.wait()
            return body["n"]

        ward.application.handlers["wait"] = wait
        client = await ward.connect("li")
        calls = [client.start("wait", {"n": n}) for n in range(40)]
        await eventually(lambda: len(started) == 4)
        gate.set()
        answers = await asyncio.gather(*calls)
        assert [answer["result"] for answer in answers] == list(range(40))
        assert started == list(range(40))


async def give_a_long_answer(_: object, body: object) -> str:
    return "x" * 1_000_000


async def test_long_answers_end_no_reader_who_takes_them_and_hears_events_meanwhile() -> None:
    async with running_ward(limits=ConnectionLimits(queued_events=8)) as ward:
        ward.application.handlers["long"] = give_a_long_answer
        client = await ward.connect("li")
        client.pause_reading()
        calls = [client.start("long") for _ in range(20)]
        await eventually(lambda: len(ward.application.handled) > 8)
        for position in range(4):
            ward.tell("person:li", position)
        client.resume_reading()
        assert [(await call)["ok"] for call in calls] == [True] * 20
        await client.wait_for("chat.sent", lambda event: event["position"] == 3)


async def test_who_asks_and_never_reads_is_held_back_and_then_cut_off() -> None:
    limits = ConnectionLimits(commands_at_once=4, queued_events=8)
    async with running_ward(limits=limits, ping_interval_s=3600) as ward:
        ward.application.handlers["long"] = give_a_long_answer
        client = await ward.connect("li")
        (connection,) = ward.hub.connections_of("li")
        client.pause_reading()
        for _ in range(200):
            await client.emit("long")
            await client.send('421["long"]')
        await eventually(lambda: connection.wire.outgoing is not None)  # type: ignore[attr-defined]
        outgoing = connection.wire.outgoing  # type: ignore[attr-defined]
        await eventually(lambda: outgoing.size > limits.queued_bytes)
        await eventually(lambda: not connection.wire.workload.in_flight)  # type: ignore[attr-defined]
        assert outgoing.size <= limits.queued_bytes + 4 * 1_000_100
        assert len(ward.application.handled) < 100
        for position in range(9):
            ward.tell("person:li", position)
        await eventually(lambda: not ward.hub.is_online("li"))
        assert (len(outgoing), outgoing.size) == (0, 0)


async def test_who_asks_and_never_reads_is_gone_after_its_ping_times_out() -> None:
    async with running_ward(ping_interval_s=0.05, ping_timeout_s=0.05) as ward:
        ward.application.handlers["long"] = give_a_long_answer
        client = await ward.connect("li")
        client.pause_reading()
        for number in range(40):
            await client.send(f'42{number}["long"]')
        await eventually(lambda: not ward.hub.is_online("li"))
        await eventually(lambda: ward.gateway.sockets == 0)


async def test_who_is_still_reading_a_long_answer_is_not_silent() -> None:
    async with running_ward(ping_interval_s=0.05, ping_timeout_s=0.2) as ward:
        ward.application.handlers["long"] = give_a_long_answer
        client = await ward.connect("li")
        calls = [client.start("long") for _ in range(60)]
        while client.is_open and not all(call.done() for call in calls):
            # As over a thin line: a little at a time, so that the ping waits behind the answers.
            client.pause_reading()
            await asyncio.sleep(0.02)
            client.resume_reading()
            await asyncio.sleep(0.001)
        answers = await asyncio.gather(*calls)
        assert [answer["ok"] for answer in answers] == [True] * 60


async def test_a_person_may_not_open_connections_without_end() -> None:
    async with running_ward(limits=ConnectionLimits(connections_per_person=3)) as ward:
        for _ in range(3):
            await ward.connect("li")
        with pytest.raises(Exception, match="busy"):
            await SocketClient.connect(ward.url, "li")
        await ward.connect("wu")


async def test_a_disconnect_ends_only_the_sessions_named_and_tells_them_to_stay_away() -> None:
    async with running_ward() as ward:
        phone, desk = await ward.connect("li/phone"), await ward.connect("li/desk")
        ward.hub.disconnect("li", Closing.REVOKED, session_ids=frozenset({"phone"}))
        assert await phone.wait_for("closing") == {"reason": "revoked", "reconnect": False}
        await phone.ended()
        assert phone.frames[-1] == "41"
        assert desk.is_open
        assert ward.hub.farewells.take("phone") == "revoked"
