"""Saying yes in somebody's name: what is opened, what goes back, and what an answer means."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace as Said

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.integrations.oa import NotUnderstood, OAError, RefusedByOA
from server.integrations.oa.acting import opened_request, submitted
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.ecology import Ecology, OAConfig
from server.sandbox.oa import SERVICE, OAStandIn
from server.sandbox.oa_documents import Document
from tests.clocks import ManualClock


class Office:
    """The stand-in OA and the adapter that talks to it."""

    def __init__(self, stand_in: OAStandIn, oa: Ecology) -> None:
        self.stand_in, self.oa = stand_in, oa

    async def document(self, *approvers: int, needs_opinion: bool = False) -> str:
        made = await self.stand_in.documents.create(
            "关于<b>排班</b>的请示", 1, approvers, urgency=2, needs_opinion=needs_opinion
        )
        return str(made.request_id)

    def now(self, request_id: str) -> Document:
        found = self.stand_in.documents.find(int(request_id))
        assert found is not None
        return found


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    clock = ManualClock()
    stand_in = OAStandIn(tmp_path, clock, people=20)
    await stand_in.open()
    app = web.Application()
    app.add_routes(stand_in.routes())
    async with TestServer(app) as server:
        config = OAConfig(str(server.make_url(SERVICE)))
        oa = Ecology(config, Budget(1_000, clock, burst=1_000), Breaker(clock, threshold=1_000))
        await oa.open()
        yield Office(stand_in, oa)
        await oa.close()


async def test_a_yes_is_done_once_and_changes_nothing_else(office: Office) -> None:
    request_id = await office.document(2, 3)
    opened = await office.oa.open_request("2", request_id)

    assert (opened.may_submit, opened.demands, opened.title) == (True, set(), "关于排班的请示")
    assert await office.oa.submit("2", opened, "同意")
    assert not await office.oa.submit("2", opened, "同意")
    now = office.now(request_id)
    assert (now.title, now.urgency, now.pending) == ("关于<b>排班</b>的请示", 2, (3,))
    assert [entry["remark"] for entry in now.log if entry["act"] == "approve"] == ["同意"]


async def test_opening_again_tells_whether_one_has_acted(office: Office) -> None:
    request_id = await office.document(2, 3)
    before = await office.oa.open_request("2", request_id)
    await office.oa.submit("2", before, "同意")
    after = await office.oa.open_request("2", request_id)

    assert (before.acted_at, after.acted_at) == (set(), {before.node_id})
    assert not after.may_submit


async def test_a_document_of_others_is_not_shown(office: Office) -> None:
    request_id = await office.document(2)
    for user, request in (("9", request_id), ("2", "99999"), ("2", "x"), ("nobody", request_id)):
        with pytest.raises(RefusedByOA):
            await office.oa.open_request(user, request)


async def test_a_step_that_wants_an_opinion_says_so_and_takes_none_without(office: Office) -> None:
    request_id = await office.document(2, needs_opinion=True)
    opened = await office.oa.open_request("2", request_id)

    assert opened.demands == {"opinion"}
    assert not await office.oa.submit("2", opened, "")
    assert await office.oa.submit("2", opened, "同意")


async def test_a_lost_answer_is_no_answer_although_it_was_done(office: Office) -> None:
    request_id = await office.document(2)
    opened = await office.oa.open_request("2", request_id)
    office.stand_in.faults.set("lost_answer")
    with pytest.raises(OAError):
        await office.oa.submit("2", opened, "同意")
    office.stand_in.faults.set("off")

    assert office.now(request_id).is_archived
    assert (await office.oa.open_request("2", request_id)).acted_at == {opened.node_id}


def read(**changed: object) -> Said:
    base = Said(workflowId="7", workflowName="请假", workflowTypeId="1", workflowTypeName="行政")
    heads: dict[str, object] = {
        "requestId": "7",
        "requestName": "请示",
        "canView": True,
        "canEdit": True,
        "submitButtonName": "同意",
        "currentNodeId": "2",
        "mustInputRemark": None,
        "needAffirmance": None,
        "workflowBaseInfo": base,
        "workflowMainTableInfo": None,
        "workflowRequestLogs": None,
    }
    return Said(**{**heads, **changed})


def form(*fields: Said) -> Said:
    row = Said(workflowRequestTableFields=Said(WorkflowRequestTableField=list(fields)))
    return Said(requestRecords=Said(WorkflowRequestTableRecord=[None, row]))


def one_field(label: str, value: str, *, view: bool = True, mand: bool = False) -> Said:
    return Said(fieldShowName=label, fieldValue=value, view=view, edit=mand, mand=mand)


def test_what_a_step_demands_is_read_from_the_form() -> None:
    empty = opened_request(
        read(workflowMainTableInfo=form(one_field("日期", "", mand=True))), "7", "2"
    )
    full = opened_request(
        read(workflowMainTableInfo=form(one_field("金额", "9", mand=True))), "7", "2"
    )
    hidden = opened_request(
        read(workflowMainTableInfo=form(one_field("密级", "1", view=False))), "7", "2"
    )

    assert (empty.demands, full.demands) == ({"fields"}, set())
    assert (full.labels, hidden.labels) == (("金额",), ())


@pytest.mark.parametrize(
    "changed", [{"canEdit": None}, {"submitButtonName": ""}, {"currentNodeId": None}]
)
def test_no_button_is_no_yes(changed: dict[str, object]) -> None:
    assert not opened_request(read(**changed), "7", "2").may_submit


def test_an_answer_about_another_document_is_not_believed() -> None:
    for strange in (read(requestId="8"), read(workflowBaseInfo=None)):
        with pytest.raises(NotUnderstood):
            opened_request(strange, "7", "2")
    for word in (None, "", "SUCCESS", True, "成功"):
        with pytest.raises(NotUnderstood):
            submitted(word)
