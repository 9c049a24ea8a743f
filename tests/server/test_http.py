"""What comes over HTTP and is not what was asked for: every refusal has its status and one shape."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apsw
import pytest

from server.http.answers import BODY_LIMIT, HEADERS
from server.storage import StoreBusy
from tests.server.house import Answer, House

pytestmark = pytest.mark.asyncio(loop_scope="module")

ME, OPEN = "/api/v1/commands/account.me", "/api/v1/commands/chat.open"
TEXT = {"kind": "text", "text": "查房完毕"}


async def post(house: House, path: str, data: Any, **headers: str) -> Answer:
    headers["Authorization"] = f"Bearer {await house.token('ann')}"
    return await house.request("POST", path, data=data, headers=headers)


@contextmanager
def disk_refuses(house: House) -> Iterator[None]:
    """As if the disk had become read-only under the running server."""
    database: apsw.Connection = house.server.store._db  # type: ignore[attr-defined]
    database.execute("PRAGMA query_only=1")
    try:
        yield
    finally:
        database.execute("PRAGMA query_only=0")


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'person_id': 'bob'}",
        b"\xff\xfe",
        b"\x00",
        b"NaN",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"person_id":"\\ud800"}',
        b'{"person_id":"bob"} trailing',
        gzip.compress(b'{"person_id":"bob"}', mtime=0),
    ],
)
async def test_a_body_that_is_not_json_is_invalid(house: House, body: bytes) -> None:
    answer = await post(house, OPEN, body)

    assert (answer.status, answer.code) == (400, "invalid")


@pytest.mark.parametrize(
    "body",
    [
        [],
        [{"person_id": "bob"}],
        "bob",
        7,
        True,
        None,
        {},
        {"person_id": None},
        {"person_id": ""},
        {"person_id": "x" * 65},
        {"person_id": ["bob"]},
        {"person_id": {"$ne": "ann"}},
        {"$where": "1"},
        {"person_id": "bob", "__proto__": {}},
        {"person_id": "bob", "actor": "eve"},
    ],
)
async def test_a_body_of_another_shape_is_invalid(house: House, body: object) -> None:
    answer = await post(house, OPEN, json.dumps(body).encode())

    assert (answer.status, answer.code) == (400, "invalid")


async def test_a_body_nested_deeper_than_any_command_is_invalid(house: House) -> None:
    for depth in (20, 500, 2_000):
        nested = b'{"person_id":' + b"[" * depth + b"]" * depth + b"}"

        assert (await post(house, OPEN, nested)).code == "invalid"


async def test_no_body_is_an_empty_object(house: House) -> None:
    assert (await post(house, ME, b"")).result["person"]["person_id"] == "ann"


async def test_a_body_beyond_the_limit_is_too_large(house: House) -> None:
    fits = await post(house, OPEN, b" " * (BODY_LIMIT - 1))
    large = await post(house, OPEN, b" " * (BODY_LIMIT + 1))

    assert fits.code == "invalid"
    assert (large.status, large.code) == (413, "too_large")


async def test_a_small_body_is_not_inflated_to_a_large_one(house: House) -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    answer = await post(house, OPEN, bomb, **{"Content-Encoding": "gzip"})

    assert (answer.status, answer.code) == (400, "invalid")


async def test_a_form_that_is_none_is_invalid(house: House) -> None:
    form = {"account": "ann", "password": "correct horse"}

    answer = await house.request("POST", "/api/v1/auth/login", data=form)

    assert (answer.status, answer.code) == (400, "invalid")


# Raw requests


async def raw(house: House, text: bytes, *, breaks_off: bool = False) -> bytes:
    """Whatever comes back for bytes that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
    try:
        writer.write(text)
        if breaks_off:
            writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "text",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 20_000 + b"\r\n\r\n",
        b"GET /\xe4\xb8\xad HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_refused_without_a_word_about_us(
    house: House, text: bytes
) -> None:
    answer = await raw(house, text)

    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert b"Traceback" not in answer
    assert b".py" not in answer


async def test_a_body_that_breaks_off_is_no_fault_of_ours(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

    await raw(house, head + b"Content-Length: 100\r\n\r\n{", breaks_off=True)
    chunks = await raw(house, head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")

    assert b" 400 " in chunks.partition(b"\r\n")[0]
    assert not [r for r in caplog.records if r.name.startswith("server.") and r.exc_info]


# Statuses


async def test_every_status_that_is_promised_is_seen(house: House) -> None:
    ann, bob = await house.token("ann"), await house.token("bob")
    group = {"title": "夜班", "member_ids": ["bob"]}
    conversation = (await house.ask("ann", "chat.create_group", **group)).result
    sent = {**conversation, "client_id": "c-1", "content": TEXT}
    first = await house.ask("ann", "chat.send", **sent)
    typing = [await house.ask("bob", "chat.typing", **conversation) for _ in range(6)]

    seen = {
        "again": await house.ask("ann", "chat.send", **sent),
        "conflict": await house.ask(
            "ann", "chat.send", **{**sent, "content": TEXT | {"text": "x"}}
        ),
        "invalid": await house.ask("ann", "chat.send", **{**sent, "client_id": ""}),
        "unauthenticated": await house.post("commands/account.me", {}),
        "forbidden": await house.post("commands/chat.rename", {**conversation, "title": "x"}, bob),
        "not_found": await house.ask("eve", "chat.history", **conversation),
        "too_large": await house.post("commands/chat.send", {"x": "x" * BODY_LIMIT}, ann),
        "rate_limited": typing[-1],
    }
    with disk_refuses(house):
        seen["unavailable"] = await house.ask("ann", "chat.send", **{**sent, "client_id": "c-2"})

    assert first.result == seen["again"].result
    assert {name: answer.status for name, answer in seen.items()} == {
        "again": 200,
        "invalid": 400,
        "unauthenticated": 401,
        "forbidden": 403,
        "not_found": 404,
        "conflict": 409,
        "too_large": 413,
        "rate_limited": 429,
        "unavailable": 503,
    }
    assert [name for name, answer in seen.items() if name != "again" and answer.code != name] == []


async def test_a_full_queue_is_answered_with_busy_and_when_to_come_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StoreBusy("10000 operations are waiting")

    await house.token("ann")
    monkeypatch.setattr(house.server.store, "apply", full)
    answer = await house.ask("ann", "chat.open", person_id="dan")

    assert (answer.status, answer.code) == (503, "busy")
    assert answer.body["error"]["retry_after_ms"] == 500
    assert answer.headers["Retry-After"] == "1"


async def test_a_busy_store_is_busy_also_before_the_command(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await house.sign_in("bob")

    async def full(*_: object, **__: object) -> None:
        raise StoreBusy("10000 reads are waiting")

    for method in ("get", "find"):
        monkeypatch.setattr(house.server.store, method, full)
    answer = await house.post("commands/account.me", {}, token)

    assert (answer.status, answer.code) == (503, "busy")


async def test_nothing_is_lost_and_all_is_well_after_the_disk_has_refused(house: House) -> None:
    with disk_refuses(house):
        refused = await house.ask("ann", "chat.open", person_id="eve")
        not_ready = await house.get("/readyz")
        read = await house.ask("ann", "chat.conversations")
    opened = await house.ask("ann", "chat.open", person_id="eve")

    assert refused.code == "unavailable"
    assert not_ready.status == 503
    assert read.status == 200
    assert opened.status == 200
    assert (await house.get("/readyz")).status == 200


async def test_a_fault_of_ours_is_told_without_its_insides(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the inside of the server")

    socket = await house.socket("ann")
    monkeypatch.setattr(house.server.store, "get", broken)
    by_http = await house.ask("ann", "account.me")
    by_socket = await socket.call("account.me")

    assert (by_http.status, by_http.code) == (503, "unavailable")
    assert by_socket["error"]["code"] == "unavailable"
    assert "inside" not in by_http.text + str(by_socket)
    assert "ZeroDivision" not in by_http.text + str(by_socket)
    assert len([r for r in caplog.records if r.exc_info]) == 2


# Headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/c/somewhere"),
        ("GET", "/assets/missing.js"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("POST", "/"),
        ("POST", "/api/v1/auth/login"),
        ("POST", "/api/v1/auth/ticket"),
        ("POST", ME),
        ("GET", ME),
        ("PUT", ME),
        ("DELETE", "/api/v1/nowhere"),
        ("GET", "/api"),
        ("GET", "/socket.io/"),
        ("GET", "/socket.io/?EIO=4&transport=polling"),
    ],
)
async def test_every_answer_carries_the_security_headers(
    house: House, method: str, path: str
) -> None:
    answer = await house.request(method, path)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["Server"] == "Yuanxin"
    assert answer.status < 500 or path in ("/", "/c/somewhere")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ME), ("POST", "/api/v1/nowhere"), ("GET", "/api/"), ("PUT", "/api/v1/auth/login")],
)
async def test_below_api_what_is_missing_is_told_in_the_one_shape(
    house: House, method: str, path: str
) -> None:
    answer = await house.request(method, path)

    assert (answer.status, answer.code) == (404, "not_found")
    assert answer.headers["Cache-Control"] == "no-store"
