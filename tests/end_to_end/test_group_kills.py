"""The process that tells WeCom of a group is killed while it does: nothing is lost, and what is repeated is
at most the call that was under way."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.app import opened_store
from server.clock import SystemClock
from server.directory.seeding import seed_people
from server.sandbox.config import SandboxPerson
from server.settings import Settings
from tests.end_to_end.processes import ServerProcess
from tests.nodes.pair import STAFF
from tests.sandbox.running import RunningSandbox, running_sandbox
from tests.server.house import PASSWORD, HouseStaff

WITHIN_S = 90.0
MESSAGES = 40
KILLS = 2


class Hospital:
    """A server as a process of its own, and a WeCom that outlives it."""

    def __init__(self, server: ServerProcess, sandbox: RunningSandbox) -> None:
        self.server, self.sandbox = server, sandbox
        self.token = ""

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self.server.url}/api/v1/{path}"
        async with self.sandbox.http.post(url, json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    async def do(self, name: str, **fields: Any) -> dict[str, Any]:
        """Ask a command until the server is there to answer it."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    return dict((await self.post(f"commands/{name}", **fields))["result"])
                except (aiohttp.ClientError, AssertionError):
                    await asyncio.sleep(0.1)

    async def texts(self) -> list[str]:
        """What WeCom's groups show, after the greeting."""
        groups = self.sandbox.wecom.groups.log.groups()
        assert len(groups) <= 1
        return [
            m["content"] for g in groups for m in self.sandbox.wecom.groups.log.messages(g.chat_id)
        ][1:]

    async def until(self, count: int) -> None:
        """Wait until so many different texts are shown."""
        async with asyncio.timeout(WITHIN_S):
            while len(set(await self.texts())) < count:
                await asyncio.sleep(0.02)


@pytest.fixture
async def hospital(tmp_path: Path) -> AsyncIterator[Hospital]:
    people = [SandboxPerson(person.id, person.name) for person in STAFF]
    async with running_sandbox(tmp_path / "wecom", people=people) as sandbox:
        folder = tmp_path / "data"
        async with opened_store(Settings(data_dir=folder), SystemClock()) as store:
            await seed_people(store, HouseStaff(people=STAFF), SystemClock())
        told = {
            "YUANXIN_WECOM_API_BASE": f"{sandbox.base}/wecom/cgi-bin/",
            "YUANXIN_WECOM_CORP_ID": "wwsandbox",
            "YUANXIN_WECOM_SECRET": "sandbox",
            "YUANXIN_WECOM_GROUPS": "messages",
        }
        server = ServerProcess(folder, "run", settings=told)
        try:
            await server.start()
            made = Hospital(server, sandbox)
            login = await made.post("auth/login", account="s0001", password=PASSWORD)
            made.token = login["token"]
            yield made
        finally:
            server.close()


async def test_a_killed_teller_loses_nothing_and_repeats_only_what_was_under_way(
    hospital: Hospital,
) -> None:
    made = await hospital.do("chat.create_group", title="夜班", member_ids=["s0002"])
    id = made["conversation_id"]
    await hospital.do("chat.set_mirror", conversation_id=id, is_on=True, with_messages=True)
    for number in range(MESSAGES):
        content = {"kind": "text", "text": f"第{number}句"}
        await hospital.do("chat.send", conversation_id=id, client_id=f"c{number}", content=content)
    await hospital.do("chat.add_members", conversation_id=id, member_ids=["s0003"])
    for kill in range(KILLS):
        await hospital.until((kill + 1) * MESSAGES // (KILLS + 1))
        hospital.server.kill()
        await hospital.server.start()
    await hospital.until(MESSAGES)
    texts = await hospital.texts()
    assert list(dict.fromkeys(texts)) == [f"单雄信：第{number}句" for number in range(MESSAGES)]
    assert len(texts) - len(set(texts)) <= KILLS
    async with asyncio.timeout(WITHIN_S):
        while "s0003" not in hospital.sandbox.wecom.groups.log.groups()[0].users:
            await asyncio.sleep(0.05)
