"""The cases of the public Engine.IO v4 and Socket.IO v5 protocol suites, and some they lack.

The suites run in Node against `python -m tests.protocol_server`; these are the same questions asked from
Python, so that plain pytest notices when an answer changes.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.protocol_server import listening

TEXT = aiohttp.WSMsgType.TEXT


class Dialer:
    """A suite's view of a server: plain HTTP and plain WebSockets."""

    direct = True

    def __init__(self, http: aiohttp.ClientSession, path: str) -> None:
        self.http = http
        self.path = path

    async def ask(
        self, query: str, method: str = "GET", body: str | None = None
    ) -> tuple[int, str]:
        async with self.http.request(method, f"{self.path}?{query}", data=body) as answer:
            return answer.status, await answer.text()

    async def poll(self, sid: str) -> tuple[int, str]:
        return await self.ask(f"EIO=4&transport=polling&sid={sid}")

    async def post(self, sid: str, body: str) -> tuple[int, str]:
        return await self.ask(f"EIO=4&transport=polling&sid={sid}", "POST", body)

    async def open(self) -> str:
        _, text = await self.ask("EIO=4&transport=polling")
        return str(json.loads(text[1:])["sid"])

    async def dial(
        self, query: str = "EIO=4&transport=websocket"
    ) -> aiohttp.ClientWebSocketResponse:
        return await self.http.ws_connect(f"{self.path}?{query}", timeout=aiohttp.ClientWSTimeout())

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        ws = await self.dial()
        await ws.receive()
        await ws.send_str("40")
        await ws.receive()
        await ws.receive()
        return ws


@pytest.fixture(params=[True, False], ids=["own-transport", "aiohttp"], autouse=True)
def direct(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask everything twice: of WebSockets that own their transport, and of those over aiohttp's."""
    monkeypatch.setattr(Dialer, "direct", request.param)


@asynccontextmanager
async def dialing(
    mode: str, interval_ms: int = 25_000, timeout_ms: int = 20_000
) -> AsyncIterator[Dialer]:
    async with (
        listening(mode, 0, interval_ms, timeout_ms, direct=Dialer.direct) as address,
        aiohttp.ClientSession() as http,
    ):
        yield Dialer(http, address)


@pytest.fixture
async def engine() -> AsyncIterator[Dialer]:
    async with dialing("engineio") as dialer:
        yield dialer


@pytest.fixture
async def sockets() -> AsyncIterator[Dialer]:
    async with dialing("socketio") as dialer:
        yield dialer


async def heard(ws: aiohttp.ClientWebSocketResponse) -> str | bytes:
    message = await ws.receive(timeout=5)
    assert message.type in (TEXT, aiohttp.WSMsgType.BINARY), message
    return message.data  # type: ignore[no-any-return]


async def closed(ws: aiohttp.ClientWebSocketResponse) -> None:
    async with asyncio.timeout(5):
        while (await ws.receive()).type in (TEXT, aiohttp.WSMsgType.BINARY):
            pass


# -- Engine.IO: handshake ----------------------------------------------------------------------------


async def test_a_session_is_opened_with_the_true_heartbeat() -> None:
    async with dialing("engineio", 300, 200) as engine:
        status, text = await engine.ask("EIO=4&transport=polling")
        assert status == 200
        assert text[0] == "0"
        polled = json.loads(text[1:])
        ws = await engine.dial()
        dialled = json.loads(str(await heard(ws))[1:])
        assert isinstance(polled.pop("sid"), str)
        assert isinstance(dialled.pop("sid"), str)
        common = {"pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000}
        assert polled == common | {"upgrades": ["websocket"]}
        assert dialled == common | {"upgrades": []}


@pytest.mark.parametrize(
    ("query", "method"),
    [
        ("transport=polling", "GET"), ("EIO=abc&transport=polling", "GET"),
        ("EIO=3&transport=polling", "GET"),
        ("EIO=4", "GET"), ("EIO=4&transport=abc", "GET"), ("EIO=4&transport=polling", "POST"),
        ("EIO=4&transport=polling", "PUT"), ("EIO=4&transport=polling&sid=nobody", "GET"),
        ("EIO=4&transport=polling&sid=nobody", "POST"), ("EIO=4&transport=websocket", "GET"),
    ],
)  # fmt: skip
async def test_a_request_the_protocol_forbids_is_a_400(
    engine: Dialer, query: str, method: str
) -> None:
    status, text = await engine.ask(query, method)
    assert status == 400
    assert set(json.loads(text)) == {"code", "message"}


@pytest.mark.parametrize(
    "query",
    ["transport=websocket", "EIO=abc&transport=websocket", "EIO=4", "EIO=4&transport=abc"],
)
async def test_a_websocket_the_protocol_forbids_is_not_opened(engine: Dialer, query: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await engine.dial(query)


# -- Engine.IO: messages -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload", ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA==", "4早"]
)
async def test_a_payload_comes_back_by_polling(engine: Dialer, payload: str) -> None:
    sid = await engine.open()
    assert await engine.post(sid, payload) == (200, "ok")
    assert await engine.poll(sid) == (200, payload)


@pytest.mark.parametrize("payload", ["abc", "", "bAQID*", "bAQ早", "2", "9"])
async def test_a_payload_that_is_none_ends_the_polling_session(
    engine: Dialer, payload: str
) -> None:
    sid = await engine.open()
    assert (await engine.post(sid, payload))[0] == 400
    assert (await engine.poll(sid))[0] == 400


async def test_two_polls_at_once_end_the_session(engine: Dialer) -> None:
    sid = await engine.open()
    first = asyncio.create_task(engine.poll(sid))
    second = asyncio.create_task(engine.poll(sid))
    answers = await asyncio.gather(first, second)
    assert sorted(status for status, _ in answers) == [200, 400]
    assert next(text for status, text in answers if status == 200) == "1"
    assert (await engine.poll(sid))[0] == 400


async def test_a_message_comes_back_by_websocket(engine: Dialer) -> None:
    ws = await engine.dial()
    await heard(ws)
    await ws.send_str("4hello")
    assert await heard(ws) == "4hello"
    await ws.send_bytes(b"\x01\x02\x03\x04")
    assert await heard(ws) == b"\x01\x02\x03\x04"
    await ws.send_str("4" + "长" * 100_000)
    assert await heard(ws) == "4" + "长" * 100_000


async def test_a_packet_that_is_none_closes_the_websocket(engine: Dialer) -> None:
    ws = await engine.dial()
    await heard(ws)
    await ws.send_str("abc")
    await closed(ws)


# -- Engine.IO: heartbeat, close, upgrade ------------------------------------------------------------


async def test_pings_are_sent_by_either_transport() -> None:
    async with dialing("engineio", 30, 5_000) as engine:
        sid = await engine.open()
        ws = await engine.dial()
        await heard(ws)
        for _ in range(3):
            assert await engine.poll(sid) == (200, "2")
            assert await engine.post(sid, "3") == (200, "ok")
            assert await heard(ws) == "2"
            await ws.send_str("3")


async def test_a_session_without_pongs_is_ended() -> None:
    async with dialing("engineio", 20, 20) as engine:
        sid = await engine.open()
        ws = await engine.dial()
        await closed(ws)
        async with asyncio.timeout(5):
            while (await engine.poll(sid))[0] == 200:
                pass


async def test_a_close_packet_ends_the_session(engine: Dialer) -> None:
    sid = await engine.open()
    poll = asyncio.create_task(engine.poll(sid))
    await asyncio.sleep(0)
    await engine.post(sid, "1")
    assert await poll == (200, "6")
    assert (await engine.poll(sid))[0] == 400
    ws = await engine.dial()
    await heard(ws)
    await ws.send_str("1")
    await closed(ws)


async def test_a_session_moves_from_polling_to_websocket_and_stays_there(engine: Dialer) -> None:
    sid = await engine.open()
    waiting = asyncio.create_task(engine.poll(sid))
    ws = await engine.dial(f"EIO=4&transport=websocket&sid={sid}")
    await ws.send_str("2probe")
    assert await heard(ws) == "3probe"
    assert await waiting == (200, "6")
    await ws.send_str("5")
    await ws.send_str("4hello")
    assert await heard(ws) == "4hello"
    assert (await engine.poll(sid))[0] == 400
    assert (await engine.post(sid, "4late"))[0] == 400
    await closed(await engine.dial(f"EIO=4&transport=websocket&sid={sid}"))
    await ws.send_str("4again")
    assert await heard(ws) == "4again"


async def test_an_upgrade_that_is_not_finished_leaves_the_polling_session(engine: Dialer) -> None:
    sid = await engine.open()
    ws = await engine.dial(f"EIO=4&transport=websocket&sid={sid}")
    await ws.send_str("4not a probe")
    await closed(ws)
    await engine.post(sid, "4hello")
    assert await engine.poll(sid) == (200, "4hello")


# -- Socket.IO ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "connected", "told"),
    [
        ("40", "40", '42["auth",{}]'),
        ('40{"token":"123"}', "40", '42["auth",{"token":"123"}]'),
        ("40/custom,", "40/custom,", '42/custom,["auth",{}]'),
        ('40/custom,{"token":"abc"}', "40/custom,", '42/custom,["auth",{"token":"abc"}]'),
    ],
)
async def test_a_namespace_is_connected(
    sockets: Dialer, sent: str, connected: str, told: str
) -> None:
    ws = await sockets.dial()
    await heard(ws)
    await ws.send_str(sent)
    answer = str(await heard(ws))
    assert answer.startswith(connected + "{")
    assert set(json.loads(answer.removeprefix(connected))) == {"sid"}
    assert await heard(ws) == told


async def test_an_unknown_namespace_is_refused_with_an_object(sockets: Dialer) -> None:
    ws = await sockets.dial()
    await heard(ws)
    await ws.send_str("40/random")
    assert await heard(ws) == '44/random,{"message":"Invalid namespace"}'


async def test_a_socket_that_does_not_connect_is_closed_within_its_second(sockets: Dialer) -> None:
    ws = await sockets.dial()
    await heard(ws)
    await closed(ws)


@pytest.mark.parametrize("sent", ["4abc", '42["message"]', "40[1]"])
async def test_a_handshake_that_is_none_closes_the_socket(sockets: Dialer, sent: str) -> None:
    ws = await sockets.dial()
    await heard(ws)
    await ws.send_str(sent)
    await closed(ws)


async def test_leaving_one_namespace_keeps_the_other(sockets: Dialer) -> None:
    ws = await sockets.connect()
    await ws.send_str("40/custom")
    assert str(await heard(ws)).startswith("40/custom,")
    await heard(ws)
    await ws.send_str("41/custom")
    await ws.send_str('42["message","message to main namespace"]')
    assert await heard(ws) == '42["message-back","message to main namespace"]'


async def test_leaving_the_main_namespace_does_not_stop_the_heartbeat() -> None:
    async with dialing("socketio", 100, 5_000) as sockets:
        ws = await sockets.connect()
        await ws.send_str("41")
        assert await heard(ws) == "2"


@pytest.mark.parametrize(
    ("sent", "back"),
    [
        ('42["message",1,"2",{"3":[true]}]', '42["message-back",1,"2",{"3":[true]}]'),
        ('42456["message-with-ack",1,"2",{"3":[false]}]', '43456[1,"2",{"3":[false]}]'),
        ('420["message-with-ack"]', "430[]"),
    ],
)
async def test_an_event_is_answered(sockets: Dialer, sent: str, back: str) -> None:
    ws = await sockets.connect()
    await ws.send_str(sent)
    assert await heard(ws) == back


@pytest.mark.parametrize(
    ("sent", "back"),
    [
        ('452-["message",%s]', '452-["message-back",%s]'),
        ('452-789["message-with-ack",%s]', "462-789[%s]"),
    ],
)
async def test_binary_attachments_come_back(sockets: Dialer, sent: str, back: str) -> None:
    places = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
    ws = await sockets.connect()
    await ws.send_str(sent % places)
    await ws.send_bytes(b"\x01\x02\x03")
    await ws.send_bytes(b"\x04\x05\x06")
    assert await heard(ws) == back % places
    assert await heard(ws) == b"\x01\x02\x03"
    assert await heard(ws) == b"\x04\x05\x06"


@pytest.mark.parametrize(
    "frames",
    [
        ["4abc"], ["42{}"], ['42abc["message-with-ack",1]'], ["4"], ["44{}"], ["43[]"], ['42[1]'],
        ['451-["message",{"_placeholder":true,"num":0}]', "42[]"], [b"\x01"],
        ['451-["message",{"_placeholder":true,"num":5}]', b"\x01"], ["40"], ['42/custom,["message"]'],
    ],
)  # fmt: skip
async def test_a_packet_that_is_none_closes_the_socket(
    sockets: Dialer, frames: list[str | bytes]
) -> None:
    ws = await sockets.connect()
    for frame in frames:
        await (ws.send_bytes(frame) if isinstance(frame, bytes) else ws.send_str(frame))
    await closed(ws)
