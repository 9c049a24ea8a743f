"""What goes to WeCom and comes from the OA, with two nodes: sent once, asked within one budget."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.outbox import Notice
from server.sandbox.config import SandboxPerson
from tests.memory import tmp_path
from tests.nodes.pair import STAFF, WITHIN_S, Pair, becomes, conversation_of, open_pair, say, soon
from tests.sandbox.running import RunningSandbox, running_sandbox

__all__ = ["tmp_path"]


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[tuple[RunningSandbox, Pair]]:
    """Two nodes, with WeCom and an OA to call."""
    people = [SandboxPerson(person.id, person.name) for person in STAFF]
    async with running_sandbox(tmp_path, people=people) as sandbox:
        settings = {
            "wecom_api_base": f"{sandbox.base}/wecom/cgi-bin/",
            "wecom_corp_id": "wwsandbox",
            "wecom_secret": "sandbox",
            "oa_endpoint": f"{sandbox.base}/oa/services/WorkflowService",
            "oa_calls_per_second": 40,
            "oa_poll_seconds": 1,
            "notice_first_seconds": 1,
        }
        async with open_pair(tmp_path, **settings) as pair:
            yield sandbox, pair


async def test_who_is_away_is_sent_one_notice_and_one_token_is_fetched(
    outside: tuple[RunningSandbox, Pair],
) -> None:
    sandbox, pair = outside
    for node, number in ((pair.first, 1), (pair.second, 2)):
        socket = await node.socket(f"s000{number}")
        await say(socket, await conversation_of(socket, "s0003"), number)

    async def cards() -> int:
        return len(await sandbox.inbox("s0003"))

    await becomes(cards, 2)
    await pair.first.server.leader.resign()  # whoever leads next finds nothing to send
    await soon(lambda: pair.second.server.leader.leads)
    socket = await pair.first.socket("s0001")
    await say(socket, await conversation_of(socket, "s0004"), 9)
    await becomes(lambda: _inbox_size(sandbox, "s0004"), 1)
    assert await cards() == 2
    await becomes(lambda: _ended(pair), [("s0003", "sent"), ("s0003", "sent"), ("s0004", "sent")])
    asked = (await sandbox.counts())["calls"]
    assert asked["gettoken"] == 2, "one for each node that led"
    assert asked["message/send"] == 3


async def _ended(pair: Pair) -> list[tuple[str, str]]:
    notices = await pair.store.scan(Notice.collection.name)
    return sorted((doc["person_id"], doc["state"]) for doc in notices)


async def _inbox_size(sandbox: RunningSandbox, person: str) -> int:
    return len(await sandbox.inbox(person))


async def test_a_document_moves_the_badge_on_both_nodes_and_makes_one_notice(
    outside: tuple[RunningSandbox, Pair],
) -> None:
    sandbox, pair = outside
    pages = [await node.socket("s0001") for node in (pair.first, pair.second)]
    for page in pages:
        await page.ask("stream.visible", {"visible": True})
        await page.ask("todos.list", {"state": "pending"})
    await becomes(lambda: _baseline_of(pair, "s0001"), True)
    order = {"title": "采购", "creator": "s0002", "approvers": ["s0001", "s0003"]}
    async with sandbox.http.post(f"{sandbox.base}/oa/requests", json=order) as answer:
        assert answer.status == 201

    for page in pages:
        await page.wait_for("todos.counted", lambda told: told["pending"] == 1, timeout_s=WITHIN_S)
    owed = [d for d in await pair.store.scan("todos") if d["person_id"] == "s0001"]
    assert len(owed) == 1
    shown = [len(page.named("todos.counted")) for page in pages]
    assert shown[0] == shown[1] <= 2, "the baseline and the change, each told once"


async def _baseline_of(pair: Pair, person: str) -> bool:
    return await pair.store.get("oa_seen", person) is not None


async def test_the_calls_to_the_oa_are_shared_out(outside: tuple[RunningSandbox, Pair]) -> None:
    _, pair = outside
    leaders = [node.server.leader for node in (pair.first, pair.second)]

    async def whole() -> float:
        return round(sum(leader.share(1.0) for leader in leaders), 6)

    await becomes(whole, 1.0)
