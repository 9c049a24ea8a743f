"""WeCom calls whichever node it finds: heard once, carried out by the node that leads, told everywhere."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.integrations.oa.poller import PollingWorklist
from server.sandbox.config import SandboxPerson
from tests.features.wecom.calling import ADDRESS, CORP, KEY, SETTINGS, TOKEN, Caller, typed
from tests.memory import tmp_path
from tests.nodes.pair import STAFF, Pair, becomes, open_pair
from tests.sandbox.running import RunningSandbox, running_sandbox

__all__ = ["tmp_path"]


@dataclass
class Outside:
    """Two nodes, and a WeCom and an OA that call the second and are called by both."""

    sandbox: RunningSandbox
    pair: Pair

    async def post(self, path: str, **fields: Any) -> Any:
        async with self.sandbox.http.post(f"{self.sandbox.base}{path}", json=fields) as said:
            assert said.status < 300, await said.text()
            return await said.json()

    async def document(self) -> str:
        said = await self.post("/oa/requests", title="请示", creator="s0001", approvers=["s0002"])
        return str(said["request_id"])


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    people = [SandboxPerson(person.id, person.name) for person in STAFF]
    async with running_sandbox(
        tmp_path, people=people, corp_id=CORP, callback_token=TOKEN, callback_aes_key=KEY
    ) as sandbox:
        settings = {
            **SETTINGS,
            "wecom_api_base": f"{sandbox.base}/wecom/cgi-bin/",
            "wecom_secret": "sandbox",
            "oa_endpoint": f"{sandbox.base}/oa/services/WorkflowService",
            "oa_calls_per_second": 200,
            "oa_poll_seconds": 1,
            "notice_first_seconds": 1,
        }
        async with open_pair(tmp_path, **settings) as pair:
            sandbox.wecom.caller.url = f"{pair.second.url}{ADDRESS}"
            yield Outside(sandbox, pair)


async def test_the_same_question_to_both_nodes_is_answered_once(outside: Outside) -> None:
    said = typed("帮助", "s0003", "7")
    callers = [Caller(node, node.clock) for node in outside.pair.nodes]
    answers = await asyncio.gather(*(caller.call(said) for caller in callers * 3))

    async def left() -> int:
        return len(await outside.pair.store.scan("owed"))

    await becomes(left, 0)
    assert {answer.status for answer in answers} == {200}
    assert len(await outside.sandbox.inbox("s0003")) == 1
    assert len(await outside.pair.store.scan("wecom_heard")) == 1


async def test_a_press_heard_by_one_node_is_done_by_the_one_that_leads(outside: Outside) -> None:
    worklist = outside.pair.first.server.worklist
    assert isinstance(worklist, PollingWorklist)
    assert outside.pair.first.server.leader.leads
    await outside.document()
    worklist.staff_changed()
    worklist.visible("s0002", True)

    async def known() -> int:
        seen = await worklist.seen("s0002")
        return 0 if seen is None else len(seen.items)

    await becomes(known, 1)
    request_id = await outside.document()

    async def there() -> bool:
        return bool(await outside.sandbox.inbox("s0002"))

    await becomes(there, True)
    [card] = await outside.sandbox.inbox("s0002")
    page = await outside.pair.second.socket("s0002")
    key = card["buttons"][0]["key"]
    await outside.post("/wecom/press", userid="s0002", msgid=card["msgid"], key=key)
    told = await page.wait_for("todos.counted", lambda body: body["pending"] == 1)

    async def says() -> str:
        return str((await outside.sandbox.inbox("s0002"))[0]["says"])

    await becomes(says, "已同意")
    rows = await outside.pair.store.scan("audit", limit=1_000)
    approved = [row["subject"] for row in rows if row["action"] == "todos.approved"]
    assert told["pending"] == 1
    assert approved == [f"s0002:{request_id}"]
