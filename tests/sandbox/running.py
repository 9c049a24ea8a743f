"""A sandbox on loopback for one test, and the few things tests ask of it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from server.clock import Clock, SystemClock
from server.integrations.wecom.config import WeComConfig
from server.sandbox.app import OA, WECOM, sandbox_app
from server.sandbox.config import SandboxConfig, SandboxPerson
from server.sandbox.oa import OAStandIn
from server.sandbox.wecom import WeComStandIn

PEOPLE = (
    SandboxPerson("s0001", "单雄信", "主任医师", "产科一组", mobile="100"),
    SandboxPerson("s0002", "曾巩", "护士长", "产科一组"),
    SandboxPerson("S0003", "区适子", "药师", "药剂科"),
    SandboxPerson("s0004", "查良镛", "干事", "宣传科", licensed=False),
    SandboxPerson("s0005", "仇英", "干事", "宣传科", in_scope=False),
)
AGENT_ID = 1_000_002
START_WITHIN_S = 45.0


@dataclass(frozen=True)
class ReachedSandbox:
    """The address of a sandbox, and a session to ask it with."""

    base: str
    http: aiohttp.ClientSession

    def config(self, **changed: Any) -> WeComConfig:
        """What the client is told in order to reach this WeCom."""
        told = {
            "api_base": f"{self.base}/wecom/cgi-bin/",
            "corp_id": "wwsandbox",
            "agent_id": AGENT_ID,
            "secret": "sandbox",
        }
        return WeComConfig(**{**told, **changed})

    async def inbox(self, userid: str) -> list[dict[str, Any]]:
        """What that phone shows."""
        async with self.http.get(f"{self.base}/wecom/inbox/{userid}") as response:
            return list(await response.json())

    async def calls(self) -> list[dict[str, Any]]:
        """Every accepted send."""
        async with self.http.get(f"{self.base}/wecom/calls") as response:
            return list(await response.json())

    async def counts(self) -> dict[str, Any]:
        """How often each endpoint was asked, and what was dropped silently."""
        async with self.http.get(f"{self.base}/wecom/counts") as response:
            return dict(await response.json())

    async def fault(self, mode: str, for_s: float = 60) -> None:
        """Turn the switch."""
        order = {"mode": mode, "for_s": for_s}
        async with self.http.post(f"{self.base}/wecom/faults", json=order) as response:
            assert response.status == 200, await response.text()

    async def token(self) -> str:
        """A token, asked for as anybody would."""
        query = {"corpid": "wwsandbox", "corpsecret": "sandbox"}
        async with self.http.get(f"{self.base}/wecom/cgi-bin/gettoken", params=query) as response:
            return str((await response.json())["access_token"])

    async def send(self, body: Any, token: str | None = None) -> dict[str, Any]:
        """WeCom's answer to this body of message/send."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        query = {"access_token": token if token is not None else await self.token()}
        url = f"{self.base}/wecom/cgi-bin/message/send"
        async with self.http.post(url, params=query, data=raw) as response:
            assert response.status == 200
            return dict(await response.json())


@dataclass(frozen=True)
class RunningSandbox(ReachedSandbox):
    """One in this process, with its WeCom and its OA."""

    wecom: WeComStandIn
    oa: OAStandIn


@asynccontextmanager
async def running_sandbox(
    data_dir: Path, clock: Clock | None = None, **changed: Any
) -> AsyncIterator[RunningSandbox]:
    """Serve a sandbox until the block ends."""
    told = {"people": PEOPLE, "clock": clock or SystemClock(), "seed_documents": 0, **changed}
    app = sandbox_app(SandboxConfig(data_dir=data_dir, **told))
    # Not aiohttp's TestServer, which breaks off what it is asked when the asker hangs up; an OA goes on.
    runner = web.AppRunner(app, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        async with aiohttp.ClientSession() as http:
            yield RunningSandbox(f"http://{host}:{port}", http, app[WECOM], app[OA])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def sandbox_apart(data_dir: Path, **told: Any) -> AsyncIterator[ReachedSandbox]:
    """A sandbox in a process of its own until the block ends; `told` are the fields of `serve.Told`."""
    orders = data_dir / "sandbox-told.json"
    orders.write_bytes(msgspec.json.encode(told))
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.sandbox.serve", str(data_dir), str(orders)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert child.stdout is not None
        async with asyncio.timeout(START_WITHIN_S):
            base = (await child.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as http:
            yield ReachedSandbox(base, http)
    finally:
        child.kill()
        await child.wait()


def textcard(touser: str = "s0001", n: str = "n1", **changed: Any) -> dict[str, Any]:
    """The body of a good call, with changes to its card or around it."""
    around = {key: changed.pop(key) for key in list(changed) if key not in _CARD}
    card = {"title": "待办", "description": "有一份文件", "url": f"https://h.example/d/7?n={n}"}
    return {
        "touser": touser,
        "msgtype": "textcard",
        "agentid": AGENT_ID,
        "textcard": card | changed,
        "enable_duplicate_check": 1,
        **around,
    }


_CARD = {"title", "description", "url", "btntxt"}
