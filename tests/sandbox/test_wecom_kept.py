"""What the WeCom stand-in has answered for outlives it."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import aiohttp

from tests.clocks import ManualClock
from tests.sandbox.running import running_sandbox, textcard


async def test_a_restart_keeps_phones_calls_tokens_and_the_duplicate_check(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with running_sandbox(tmp_path, clock) as before:
        token = await before.token()
        await before.send(textcard(), token)
        inbox = await before.inbox("s0001")
    async with running_sandbox(tmp_path, clock) as after:
        await after.send(textcard(), token)

        assert await after.inbox("s0001") == inbox
        assert [call["repeated"] for call in await after.calls()] == [False, True]


async def test_a_kill_loses_no_card_that_was_answered_for(tmp_path: Path) -> None:
    answered: list[str] = []
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.sandbox.serve",
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    base = (await child.stdout.readline()).decode().strip()

    async def keep_sending(user: str, http: aiohttp.ClientSession) -> None:
        query = {"corpid": "wwsandbox", "corpsecret": "sandbox"}
        async with http.get(f"{base}/wecom/cgi-bin/gettoken", params=query) as response:
            token = (await response.json())["access_token"]
        for n in range(10_000):
            body = json.dumps(textcard(user, n=f"{user}-{n}"), ensure_ascii=False).encode()
            url = f"{base}/wecom/cgi-bin/message/send"
            async with http.post(url, params={"access_token": token}, data=body) as response:
                assert (await response.json())["errcode"] == 0
            answered.append(f"{user}-{n}")
            if len(answered) == 60:
                os.kill(child.pid, signal.SIGKILL)

    async with aiohttp.ClientSession() as http:
        results = await asyncio.gather(
            *(keep_sending(user, http) for user in ("s0001", "s0002", "s0003")),
            return_exceptions=True,
        )
    await child.wait()

    assert all(isinstance(result, aiohttp.ClientError) for result in results), results
    async with running_sandbox(tmp_path) as after:
        kept = {
            call["request"]["textcard"]["url"].partition("?n=")[2] for call in await after.calls()
        }
        shown = [
            card["notice_id"]
            for user in ("s0001", "s0002", "s0003")
            for card in await after.inbox(user)
        ]
    assert set(answered) <= kept
    assert len(shown) == len(set(shown))
    assert set(answered) <= set(shown) | set(list_of_surplus(answered))


def list_of_surplus(answered: list[str]) -> list[str]:
    """What WeCom drops: above thirty a minute for one person."""
    return [name for name in answered if int(name.rpartition("-")[2]) >= 30]
