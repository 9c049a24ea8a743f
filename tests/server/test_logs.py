"""What the log must never hold: words people wrote, their names, and whatever opens a door.

A day is acted with planted markers, good and bad; then the log is read, at the most talkative level too.
"""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from realtime.testing import ConnectRefused, SocketClient
from server.logs import JsonLines, start_logging
from server.storage import StoreBusy
from tests.clocks import ManualClock
from tests.end_to_end.processes import ServerProcess
from tests.server.house import NAMES, PASSWORD, House, open_house

WORDS = "胆囊切除MARKER-TEXT"
TITLE = "夜班MARKER-TITLE"
TYPED = "MARKER-password-in-the-wrong-field"


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    root, talkative = logging.getLogger(), logging.getLogger("aiohttp.server")
    kept = root.handlers[:], root.level, talkative.filters[:]
    yield
    root.handlers[:], root.level, talkative.filters[:] = kept


def lines_of(text: str) -> list[dict[str, Any]]:
    """The log's lines; a line that is no JSON object fails."""
    return [json.loads(line) for line in text.splitlines()]


def assert_none_of(markers: list[str], log: str) -> None:
    found = {m: line for m in markers for line in log.splitlines() if m in line}
    assert not found


async def act_a_day(house: House) -> list[str]:
    """Everything that goes well and badly with secrets in it; which markers were planted."""
    token = await house.sign_in("ann")
    tickets = [await house.ticket(token) for _ in range(3)]
    await house.login("ann", TYPED)
    await house.login(TYPED, "x")
    socket = await SocketClient.connect(house.url, tickets[0])
    with pytest.raises(ConnectRefused):
        await SocketClient.connect(house.url, tickets[0])

    group = await socket.ask("chat.create_group", {"title": TITLE, "member_ids": ["bob"]})
    content = {"kind": "text", "text": WORDS}
    sent = {**group, "client_id": "c1", "content": content}
    await socket.ask("chat.send", sent)
    await socket.call("chat.send", {**sent, "content": {**content, "text": WORDS * 2}})
    await socket.call("chat.send", {**sent, "content": {**content, "surprise": WORDS}})
    await socket.ask("chat.search", {"text": WORDS})
    await socket.ask("contacts.search", {"query": NAMES["bob"]})
    await socket.call(WORDS, {"text": WORDS})
    await socket.call("account.change_password", {"old": TYPED, "new": TYPED + "2"})
    await socket.ask("stream.catch_up")

    await house.request("POST", "/api/v1/commands/chat.send", data=WORDS.encode() + b'"{')
    await house.get(f"/c/{WORDS}?token={token}&ticket={tickets[1]}")
    await house.get("/socket.io/?EIO=4&transport=polling&sid=" + tickets[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
    writer.write(f"GET /?token={token} NONSENSE\r\nAuthorization: {token}\r\n\r\n".encode())
    await reader.read()
    writer.close()
    await writer.wait_closed()

    polled = await house.get("/socket.io/?EIO=4&transport=polling")
    sid = json.loads(polled.text[1:])["sid"]
    path = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
    await house.request("POST", path, data=f'40{{"ticket":"{tickets[2]}"}}')
    await house.get(path)
    await house.request("POST", path, data=f'42["chat.send",{json.dumps(sent)}'.encode())

    await socket.send(f'42["{WORDS}"')
    await socket.ended()
    await socket.close()
    await house.post("auth/logout", {}, token)
    return [WORDS, TITLE, TYPED, PASSWORD, token, *tickets, NAMES["ann"], NAMES["bob"], "胆囊"]


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_a_day_in_the_log_holds_no_words_names_or_keys(
    tmp_path: Path, level: str, capfd: pytest.CaptureFixture[str], logging_as_before: None
) -> None:
    start_logging(level)
    async with open_house(tmp_path, ManualClock()) as house:
        markers = await act_a_day(house)

    log = capfd.readouterr().err
    assert_none_of(markers, log)
    assert any(line["message"] == "serving" for line in lines_of(log))
    assert {line["level"] for line in lines_of(log)} <= {"debug", "info", "warning"}


async def test_a_fault_of_ours_is_logged_once_with_its_cause_and_without_the_words(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    logging_as_before: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start_logging("debug")
    async with open_house(tmp_path, ManualClock()) as house:
        token = await house.sign_in("ann")
        opened = (await house.ask("ann", "chat.open", person_id="bob")).result
        socket = await house.socket("ann")

        def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError("the cause")

        monkeypatch.setattr(house.server.store, "submit", broken)
        content = {"kind": "text", "text": WORDS}
        await socket.call("chat.send", {**opened, "client_id": "c1", "content": content})
        monkeypatch.undo()

    log = capfd.readouterr().err
    errors = [line for line in lines_of(log) if line["level"] == "error"]
    assert_none_of([WORDS, token, NAMES["ann"]], log)
    assert [(line["message"], line["command"]) for line in errors] == [
        ("command failed", "chat.send")
    ]
    assert "ZeroDivisionError: the cause" in errors[0]["exception"]


async def test_strangers_nonsense_is_one_line_without_what_they_sent(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], logging_as_before: None
) -> None:
    start_logging("info")
    async with open_house(tmp_path, ManualClock()) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        writer.write(b"GET /MARKER NONSENSE\r\n\r\n")
        assert b" 400 " in await reader.read()
        writer.close()
        await writer.wait_closed()

    lines = [line for line in lines_of(capfd.readouterr().err) if "no HTTP" in line["message"]]
    assert [(line["level"], "exception" in line) for line in lines] == [("info", False)]


def test_a_line_is_json_whatever_is_in_it() -> None:
    record = logging.makeLogRecord(
        {"name": "x", "levelno": 20, "levelname": "INFO", "msg": "早\n%s", "args": ("\ud800",)}
    )
    record.path = Path("/a")  # a fact given as `extra`, of a type JSON does not know

    line = JsonLines().format(record)

    assert "\n" not in line
    assert json.loads(line)["path"] == "/a"


# The stand-ins as well: tokens of WeCom, titles of documents


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    settings = {
        "YUANXIN_LOG_LEVEL": "debug",
        "YUANXIN_NOTICE_FIRST_SECONDS": "1",
        "YUANXIN_NOTICE_SHOW_TEXT": "on",
    }
    process = ServerProcess(tmp_path / "data", "run", "--sandbox", settings=settings)
    await process.start()
    yield process
    process.close()


async def test_a_notice_and_a_document_leave_no_words_in_the_log(sandbox: ServerProcess) -> None:
    async with aiohttp.ClientSession() as http:

        async def post(place: str, body: Any, token: str = "") -> Any:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with http.post(place, json=body, headers=headers) as answer:
                return await answer.json()

        api = f"{sandbox.url}/api/v1"
        form = {"account": "s0001", "password": "yuanxin"}
        signed_in = await post(f"{api}/auth/login", form)
        token = signed_in["token"]
        ticket = (await post(f"{api}/auth/ticket", {}, token))["ticket"]
        document = {"title": "采购MARKER-DOCUMENT", "creator": "s0002", "approvers": ["s0001"]}
        await post(f"{sandbox.sandbox_url}/oa/requests", document)
        await post(f"{api}/commands/todos.list", {"state": "pending"}, token)
        opened = await post(f"{api}/commands/chat.open", {"person_id": "s0003"}, token)
        content = {"kind": "text", "text": WORDS}
        sent = {**opened["result"], "client_id": "c1", "content": content}
        await post(f"{api}/commands/chat.send", sent, token)
        async with asyncio.timeout(20):
            while True:
                async with http.get(f"{sandbox.sandbox_url}/wecom/inbox/s0003") as answer:
                    cards = await answer.json()
                if any(WORDS[:4] in str(card) for card in cards):
                    break
                await asyncio.sleep(0.05)
    assert await sandbox.stop() == 0

    log = sandbox.log()
    name = signed_in["person"]["name"]
    assert_none_of([WORDS, WORDS[:4], "MARKER-DOCUMENT", token, ticket, name, '"sandbox"'], log)
    assert_none_of(["access_token=", "corpsecret="], log)


def logged_exception(fault: Exception) -> str:
    try:
        raise fault
    except Exception:
        record = logging.makeLogRecord({"msg": "work failed", "exc_info": sys.exc_info()})
    told: str = json.loads(JsonLines().format(record))["exception"]
    return told


def test_a_busy_store_is_a_sentence_and_anything_else_a_traceback() -> None:
    busy = logged_exception(StoreBusy("10000 operations are waiting"))
    odd = logged_exception(ValueError("odd"))

    assert busy == "10000 operations are waiting"
    assert odd.startswith("Traceback")
    assert odd.endswith("ValueError: odd")
