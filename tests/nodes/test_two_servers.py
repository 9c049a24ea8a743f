"""Two whole servers over one store: what is done on one is so on the other, and what is done once is done
once. The first leads; what is asked of the second shows that it need not."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from realtime.testing import SocketClient
from server.directory import Person
from server.directory.staff_import import apply_plan
from server.directory.staff_plan import Plan
from server.integrations.his.signing import signature
from server.outbox import Notice
from server.sandbox.config import SandboxPerson
from tests.memory import tmp_path
from tests.nodes.pair import STAFF, WITHIN_S, Pair, becomes, open_pair, soon
from tests.sandbox.running import RunningSandbox, running_sandbox
from tests.server.house import House

__all__ = ["tmp_path"]

HIS = "his:a secret of the HIS"


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with open_pair(tmp_path, his_keys=HIS) as opened:
        yield opened


async def say(socket: SocketClient, conversation: str, number: int) -> dict[str, Any]:
    content = {"kind": "text", "text": f"第 {number} 句"}
    fields = {"conversation_id": conversation, "client_id": f"c{number}", "content": content}
    return await socket.ask("chat.send", fields)


async def conversation_of(socket: SocketClient, person: str) -> str:
    return str((await socket.ask("chat.open", {"person_id": person}))["conversation_id"])


# Told on both


async def test_what_is_said_on_either_node_is_heard_on_both_in_one_order(pair: Pair) -> None:
    one, two = await pair.first.socket("s0001"), await pair.second.socket("s0002")
    talk = await conversation_of(one, "s0002")
    for number in range(10):
        await say(one, talk, number)
        await say(two, talk, 100 + number)
    for socket in (one, two):
        await socket.until(lambda socket=socket: len(socket.named("chat.sent")) == 20)
        assert [told["message"]["seq"] for told in socket.named("chat.sent")] == [*range(1, 21)]


async def test_a_ticket_of_one_node_opens_a_socket_on_the_other_once(pair: Pair) -> None:
    ticket = await pair.first.ticket(await pair.first.token("s0001"))
    async with await SocketClient.connect(pair.second.url, ticket) as socket:
        assert (await socket.ask("account.me"))["person"]["person_id"] == "s0001"


async def test_a_polling_client_whose_next_request_reaches_another_node_is_told_so(
    pair: Pair,
) -> None:
    opened = await pair.first.get("/socket.io/?EIO=4&transport=polling")
    sid = json.loads(opened.text[1:])["sid"]
    strayed = await pair.second.get(f"/socket.io/?EIO=4&transport=polling&sid={sid}")
    assert (strayed.status, strayed.body["message"]) == (400, "Session ID unknown")


# Signed out, left, come


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "without the line"])
async def test_a_session_revoked_on_one_node_is_out_on_the_other(
    tmp_path: Path, linked: bool
) -> None:
    async with open_pair(tmp_path, linked=linked) as pair:
        token = await pair.first.sign_in("s0001")
        socket = await pair.second.connect(token)
        session = (await socket.ask("account.me"))["session_id"]

        await pair.first.ask("s0001", "account.revoke_session", session_id=session)
        await socket.ended(timeout_s=WITHIN_S)
        assert socket.named("closing")[0]["reason"] == "revoked"

        async def refused() -> int:
            return (await pair.second.post("commands/account.me", {}, token)).status

        await becomes(refused, 401)


async def test_who_is_imported_or_leaves_is_so_on_every_node(pair: Pair) -> None:
    token = await pair.second.sign_in("s0002")
    socket = await pair.second.connect(token)
    leaving = pair.first.server.directory.find("s0002")
    plan = Plan(
        faults=[],
        departments=[],
        new=[Person(id="s0009", name="新来的")],
        changed=[],
        retired=[leaving],
        unchanged=0,
    )
    await apply_plan(plan, pair.store, pair.first.clock, source="staff.xlsx")

    for house in (pair.first, pair.second):
        directory = house.server.directory
        await soon(lambda d=directory: d.roles_of("s0002") is None and d.person("s0009"))
        assert [person.id for person in directory.search("新来的")] == ["s0009"]
    await socket.ended(timeout_s=WITHIN_S)
    assert (await pair.second.post("commands/account.me", {}, token)).status == 401


# Done once


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
    states = {(d["person_id"], d["state"]) for d in await pair.store.scan(Notice.collection.name)}
    assert states == {("s0003", "sent"), ("s0004", "sent")}
    asked = (await sandbox.counts())["calls"]
    assert asked["gettoken"] == 2, "one for each node that led"
    assert asked["message/send"] == 3


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


async def test_a_mail_sent_on_any_node_arrives_once(pair: Pair) -> None:
    reader = await pair.first.socket("s0003")
    sender = await pair.second.socket("s0002")
    mail = {
        "client_id": "m1",
        "to": {"person_ids": ["s0001", "s0003", "s0004"]},
        "subject": "会议通知",
        "text": "周五下午三点。",
    }
    await sender.ask("mail.send", mail)
    await reader.wait_for("mail.counted", lambda told: told["unread"] == 1, timeout_s=WITHIN_S)
    assert len((await reader.ask("mail.list", {"box": "inbox"}))["rows"]) == 1
    copies = [doc["person_id"] for doc in await pair.store.scan("mail_copies")]
    assert sorted(copies) == ["s0001", "s0002", "s0003", "s0004"]


async def send_figures(house: House, *event_ids: str) -> None:
    now = house.clock.now()
    events = [
        {"event_id": id, "kind": "registered", "type": "general", "at": now, "department_id": "ward"}
        for id in event_ids
    ]  # fmt: skip
    body, at = json.dumps({"events": events}).encode(), str(now // 1000)
    key, _, secret = HIS.partition(":")
    headers = {
        "X-Yuanxin-Key": key,
        "X-Yuanxin-Time": at,
        "X-Yuanxin-Signature": signature(secret, at, body),
    }
    answer = await house.request("POST", "/api/v1/his/events", data=body, headers=headers)
    assert answer.status == 200, answer.text


async def test_figures_taken_by_any_node_are_told_once_to_those_who_watch_on_either(
    pair: Pair,
) -> None:
    watchers = [await node.socket("s0001") for node in (pair.first, pair.second)]
    for watcher in watchers:
        await watcher.ask("stream.watch", {"channel": "dashboard:hospital"})
    await send_figures(pair.first, "a")
    await send_figures(pair.second, "b", "c")

    def registered(told: dict[str, Any]) -> int:
        return int(told["values"].get("ward", {}).get("registered", {}).get("general", 0))

    for watcher in watchers:
        await watcher.wait_for(
            "dashboard.updated", lambda told: registered(told) == 3, timeout_s=WITHIN_S
        )
    told = [[event["position"] for event in w.named("dashboard.updated")] for w in watchers]
    assert told[0] == told[1] == sorted(set(told[0]))
    values = [registered(event) for event in watchers[0].named("dashboard.updated")]
    assert [n for n in values if n] == sorted({n for n in values if n}), "none was told twice"
    scopes = [await watcher.ask("dashboard.scopes") for watcher in watchers]
    assert scopes[0] == scopes[1]


# Leaving and coming


async def test_a_node_that_leaves_says_so_first_and_its_people_go_on_elsewhere(
    tmp_path: Path,
) -> None:
    async with open_pair(tmp_path, drain_seconds=1) as pair:
        third = await pair.open_node()
        assert third.server.leader.leads is False
        phone = await third.socket("s0001")
        talk = await conversation_of(phone, "s0002")
        stream = await phone.ask("stream.catch_up")
        await say(phone, talk, 1)
        began = time.monotonic()
        leaving = asyncio.create_task(pair.close_last())

        async def ready() -> int:
            return (await third.get("/readyz")).status

        await becomes(ready, 503)
        assert phone.is_open, "the proxy has time to notice"
        await phone.ended(timeout_s=WITHIN_S)
        await leaving
        told = phone.named("closing")[0]
        assert (told["reason"], told["reconnect"]) == ("going_away", True)
        assert told["retry_after_ms"] <= 1_000
        assert time.monotonic() - began >= 1.0
        with pytest.raises(aiohttp.ClientConnectionError):
            await third.get("/readyz")

        again = await pair.first.socket("s0001")
        other = await pair.second.socket("s0002")
        await say(other, talk, 2)
        positions = {c: tail["position"] for c, tail in stream["channels"].items()}
        missed = await again.ask(
            "stream.catch_up", {"epoch": stream["epoch"], "positions": positions}
        )
        events = [e["data"] for e in missed["channels"][f"conversation:{talk}"]["events"]]
        assert [e["message"]["client_id"] for e in events if "message" in e] == ["c1", "c2"]


async def test_the_lead_goes_on_when_its_node_leaves(tmp_path: Path) -> None:
    async with open_pair(tmp_path) as pair:
        third = await pair.open_node()
        assert [n.server.leader.leads for n in (pair.first, pair.second, third)] == [
            True,
            False,
            False,
        ]
        await pair.first.server.leader.resign()
        await soon(lambda: pair.second.server.leader.leads or third.server.leader.leads)
