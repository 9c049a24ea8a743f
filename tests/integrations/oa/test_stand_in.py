"""The stand-in OA by itself, and the whole way from its desk to a told change."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from server.clock import SystemClock
from server.integrations.oa import PAGE_ROWS
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane
from server.integrations.oa.ecology import Ecology, OAConfig
from server.integrations.oa.poller import PollingWorklist
from server.integrations.oa.soap import SoapDoor
from server.sandbox.oa import SERVICE, WSDL, OAStandIn
from tests.clocks import ManualClock
from tests.integrations.oa.fake_oa import Kept


class Desk:
    """The stand-in behind a socket, and what a person at its desk would click."""

    def __init__(self, stand_in: OAStandIn, address: str, http: aiohttp.ClientSession) -> None:
        self.stand_in, self.address, self.http = stand_in, address, http

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        async with self.http.post(f"{self.address}{path}", json=body) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> Any:
        async with self.http.get(f"{self.address}{path}") as response:
            return await response.json()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    stand_in = OAStandIn(tmp_path, ManualClock(), people=20)
    await stand_in.open()
    app = web.Application()
    app.add_routes(stand_in.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        yield Desk(stand_in, f"http://127.0.0.1:{runner.addresses[0][1]}", http)
    await runner.cleanup()


def body(**more: Any) -> dict[str, Any]:
    return {"title": "请示", "creator": "s0001", "approvers": ["s0002"]} | more


async def test_what_was_answered_survives_a_kill(desk: Desk, tmp_path: Path) -> None:
    _, first = await desk.post("/oa/requests", body())
    _, second = await desk.post("/oa/requests", body(title="第二"))
    await desk.post(f"/oa/requests/{first['request_id']}/submit", {"user": "s0002"})
    journal = tmp_path / "sandbox" / "oa.jsonl"
    with journal.open("ab") as cut_short:
        cut_short.write('{"request_id": 99999, "title": "半'.encode())
    again = OAStandIn(tmp_path, ManualClock())
    await again.open()
    assert [str(one.request_id) for one in again.documents.listed("ToDo", 2)] == [
        second["request_id"]
    ]
    assert len(again.documents.listed("Processed", 2)) == 1
    assert again.documents.find(99999) is None
    await again.documents.create("第三", 1, [2])
    third = OAStandIn(tmp_path, ManualClock())
    await third.open()
    assert len(third.documents) == 3


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"title": ""}, "title"),
        ({"title": 5}, "title"),
        ({"title": "x" * 2_001}, "title"),
        ({"creator": "nobody"}, "creator"),
        ({"creator": "s0021"}, "creator"),
        ({"approvers": []}, "approvers"),
        ({"approvers": "s0002"}, "approvers"),
        ({"approvers": ["s0000"]}, "approvers"),
        ({"urgency": "soon"}, "urgency"),
        ({"surprise": 1}, "surprise"),
        ({"kind": ""}, "kind"),
        ({"mode": "most"}, "mode"),
        ({"steps": []}, "steps"),
        ({"steps": [{"approvers": ["s0002"], "surprise": 1}]}, "steps"),
        ({"steps": [{"approvers": []}]}, "steps"),
        ({"actions": ["erase"]}, "actions"),
        ({"form": {"unheard": "1"}}, "unheard"),
        ({"form": {"sy": 1}}, "form"),
        ({"rows": [{}]}, "list"),
        ({"attachments": [""]}, "attachments"),
        ({"kind": "信息系统变更", "attachments": "a.txt"}, "list"),
        ({"drafts": {"nobody": "x"}}, "drafts"),
    ],
)
async def test_the_desk_says_what_is_wrong(desk: Desk, wrong: dict[str, Any], says: str) -> None:
    status, answer = await desk.post("/oa/requests", body() | wrong)
    assert status == 400
    assert says in answer["error"]
    assert await desk.get("/oa/requests") == []


async def test_submitting_what_does_not_wait_is_refused(desk: Desk) -> None:
    _, made = await desk.post("/oa/requests", body())
    path = f"/oa/requests/{made['request_id']}/submit"
    assert (await desk.post(path, {"user": "s0003"}))[0] == 409
    assert (await desk.post(path, {"user": "s0002", "type": "perhaps"}))[0] == 400
    assert (await desk.post("/oa/requests/1/submit", {"user": "s0002"}))[0] == 404
    assert (await desk.post(path, {"user": "s0002"})) == (200, {"result": "success"})
    assert (await desk.post(path, {"user": "s0002"}))[0] == 409


async def test_the_desk_works_while_the_service_is_down(desk: Desk) -> None:
    assert (await desk.post("/oa/faults", {"mode": "down", "for_s": 10}))[0] == 200
    with pytest.raises(aiohttp.ClientError):
        await desk.http.post(f"{desk.address}{SERVICE}", data=b"<a/>")
    assert (await desk.post("/oa/requests", body()))[0] == 201
    assert (await desk.post("/oa/faults", {"mode": "sideways"}))[0] == 400


async def test_unknown_operations_and_nonsense_are_faults(desk: Desk) -> None:
    for data in (b"", b"nonsense", b"<a/>"):
        async with desk.http.post(f"{desk.address}{SERVICE}", data=data) as response:
            assert response.status == 500
            assert "soap:Fault" in await response.text()


async def test_the_rest_of_the_service_answers_by_its_description(desk: Desk) -> None:
    """Flags, opening, acting and creating, called through the description itself."""
    clock = SystemClock()
    door = SoapDoor(str(WSDL), f"{desk.address}{SERVICE}", Budget(1_000, clock), Breaker(clock))
    await door.open()

    async def call(operation: str, *arguments: object) -> Any:
        return await door.call(operation, *arguments, lane=Lane.INTERACTIVE)

    info = {
        "creatorId": "1",
        "requestName": "新的请示\x09",
        "requestLevel": "1",
        "workflowBaseInfo": {"workflowId": "1"},
    }
    made = await call("doCreateWorkflowRequest", info, 1)
    assert await call("doCreateWorkflowRequest", {"creatorId": "1"}, 1) == "-3"
    assert (await call("getWorkflowNewFlag", {"string": [made, "5"]}, "1")) == ["1", "0"]
    await call("writeWorkflowReadFlag", made, "1")
    assert (await call("getWorkflowNewFlag", {"string": [made]}, "1")) == ["0"]
    opened = await call("getWorkflowRequest", int(made), 1, 0)
    assert (opened.requestId, opened.canEdit, opened.rejectButtonName) == (made, True, "退回")
    assert (await call("getWorkflowRequest", 1, 1, 0)).requestId is None
    assert await call("submitWorkflowRequest", None, int(made), 1, "perhaps", "") == "error"
    assert await call("submitWorkflowRequest", None, int(made), 5, "submit", "") == "failed"
    assert await call("submitWorkflowRequest", None, int(made), 1, "submit", "同意") == "success"
    logs = (await call("getWorkflowRequest", int(made), 1, 0)).workflowRequestLogs
    assert logs.WorkflowRequestLog[0].remark == "同意"
    await door.close()


async def test_the_hospital_starts_with_documents_in_several_lists(tmp_path: Path) -> None:
    stand_in = OAStandIn(tmp_path, ManualClock())
    await stand_in.open()
    await stand_in.seed()
    await stand_in.seed()
    documents = stand_in.documents
    assert len(documents) == 240
    for user in (1, 2, 3, 4):
        assert 0 < len(documents.listed("ToDo", user)) <= PAGE_ROWS
        assert documents.listed("Processed", user)


async def test_a_document_put_on_the_desk_is_told_to_the_product_within_the_period(
    desk: Desk,
) -> None:
    """Everything real but the period, which is short here."""
    clock = SystemClock()
    budget, breaker = Budget(200, clock), Breaker(clock)
    oa = Ecology(OAConfig(f"{desk.address}{SERVICE}"), budget, breaker)
    sink = Kept()

    class Directory:
        async def oa_users(self) -> dict[str, str]:
            return {"s0002": "2", "s0003": "3"}

    await desk.post("/oa/requests", body(approvers=["s0002", "s0003"]))
    worklist = PollingWorklist(oa, Directory(), sink, clock, budget, breaker, poll_s=0.05)
    await oa.open()
    worklist.visible("s0002", True)
    worklist.start()
    async with asyncio.timeout(10):
        await sink.was_told.wait()
        await worklist.read("s0002", "pending", max_age_s=0)
        sink.was_told.clear()
        _, made = await desk.post("/oa/requests", body())
        while ("s0002", [made["request_id"]], [], False) not in sink.told:
            await sink.was_told.wait()
            sink.was_told.clear()
    assert (await worklist.counts("s0002")).pending == 2
    await worklist.close()
    await oa.close()
