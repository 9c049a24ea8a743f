"""Two whole servers over one store: what is done on one is so on the other, and what is done once is done
once. The first leads; what is asked of the second shows that it need not."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from realtime.testing import SocketClient
from server.directory import Person
from server.directory.staff_import import apply_plan
from server.directory.staff_plan import Plan
from server.integrations.signing import signature
from tests.nodes.pair import WITHIN_S, Pair, conversation_of, open_pair, say, soon
from tests.server.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

HIS = "his:a secret of the HIS"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_all_day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with open_pair(tmp_path_factory.mktemp("pair"), his_keys=HIS) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def pair(open_all_day: Pair) -> AsyncIterator[Pair]:
    yield open_all_day
    for house in open_all_day.nodes:
        await house.hang_up()


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


async def test_who_is_imported_or_leaves_is_so_on_every_node(pair: Pair) -> None:
    token = await pair.second.sign_in("s0005")
    socket = await pair.second.connect(token)
    leaving = pair.first.server.directory.find("s0005")
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
        await soon(lambda d=directory: d.roles_of("s0005") is None and d.person("s0009"))
        assert [person.id for person in directory.search("新来的")] == ["s0009"]
    await socket.ended(timeout_s=WITHIN_S)
    assert (await pair.second.post("commands/account.me", {}, token)).status == 401


# Done once


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
