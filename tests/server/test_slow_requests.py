"""Who stops in the middle of a request does not keep the connection."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from server.serving import web_runner
from tests.server.house import open_house


async def answer_to(port: int, words: bytes, until: bytes = b"") -> bytes:
    """What comes up to some words, or until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(words)
    try:
        async with asyncio.timeout(5):
            return await (reader.readuntil(until) if until else reader.read())
    finally:
        writer.close()


async def test_a_body_that_does_not_come_is_waited_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.http.answers.BODY_WITHIN_S", 0.05)
    async with open_house(tmp_path) as house:
        token = await house.token("ann")
        for path in ("auth/login", "commands/chat.search"):
            head = (
                f"POST /api/v1/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                "Content-Type: application/json\r\nContent-Length: 60\r\n\r\n"
            )
            words = head.encode() + b'{"a'
            answer = await answer_to(house.server.port, words, until=b"in time")
            assert answer.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("words", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"], ids=["none", "half"])
async def test_a_request_that_is_not_finished_is_not_waited_for(
    words: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.serving.IDLE_S", 0.05)
    runner = web_runner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        assert await answer_to(runner.addresses[0][1], words) == b""
    finally:
        await runner.cleanup()
