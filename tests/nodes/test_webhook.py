"""The OA calls whichever node it finds; the node that has the person on screen reads, and soon."""

import json
from pathlib import Path

from server.integrations.signing import KEY_HEADER, SIGNATURE_HEADER, TIME_HEADER, signature
from server.sandbox.config import SandboxPerson
from tests.memory import tmp_path
from tests.nodes.pair import STAFF, becomes, open_pair
from tests.sandbox.running import running_sandbox
from tests.server.house import House

__all__ = ["tmp_path"]

SECRET = "worth nothing"


async def tell(node: House, *people: str) -> int:
    body, time = json.dumps({"people": people}).encode(), str(node.clock.now() // 1000)
    sign = signature(SECRET, time, body)
    headers = {KEY_HEADER: "oa", TIME_HEADER: time, SIGNATURE_HEADER: sign}
    return (await node.request("POST", "/oa/changed", data=body, headers=headers)).status


async def test_a_call_at_one_node_brings_the_badge_to_a_page_at_the_other(tmp_path: Path) -> None:
    people = [SandboxPerson(person.id, person.name) for person in STAFF]
    async with running_sandbox(tmp_path, people=people) as sandbox:
        settings = {
            "oa_endpoint": f"{sandbox.base}/oa/services/WorkflowService",
            "oa_calls_per_second": 200,
            "oa_poll_seconds": 86_400,
            "oa_webhook_keys": f"oa:{SECRET}",
        }

        async def document() -> None:
            fields = {"title": "请示", "creator": "s0001", "approvers": ["s0002"]}
            async with sandbox.http.post(f"{sandbox.base}/oa/requests", json=fields) as said:
                assert said.status == 201

        await document()
        async with open_pair(tmp_path, **settings) as pair:
            for node in pair.nodes:
                node.server.worklist.staff_changed()  # type: ignore[attr-defined]
            page = await pair.second.socket("s0002")
            await page.ask("stream.visible", {"visible": True})
            worklist = pair.second.server.worklist

            async def known() -> int:
                return (await worklist.counts("s0002", 3_600)).pending

            await becomes(known, 1)
            spent = worklist.health().calls
            await document()
            assert await tell(pair.first, "2", "nobody") == 202
            told = await page.wait_for("todos.counted", lambda body: body["pending"] == 2)

            assert told["pending"] == 2
            assert worklist.health().calls == spent + 2, "read by the node that shows the page"
