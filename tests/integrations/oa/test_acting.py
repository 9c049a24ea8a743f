"""Saying yes in somebody's name: what is opened, what goes back, and what an answer means."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.integrations.oa import OAError, RefusedByOA
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.documents import Submission
from server.integrations.oa.ecology import Ecology, OAConfig
from server.sandbox.oa import SERVICE, OAStandIn
from server.sandbox.oa_documents import Document
from tests.clocks import ManualClock

YES = Submission("approve", "同意")


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
    opened = await office.oa.open_document("2", request_id)

    assert (opened.may_submit, opened.demands, opened.title) == (True, set(), "关于排班的请示")
    assert await office.oa.submit("2", opened, YES)
    assert not await office.oa.submit("2", opened, YES)
    now = office.now(request_id)
    assert (now.title, now.urgency, now.pending) == ("关于<b>排班</b>的请示", 2, (3,))
    assert [entry["remark"] for entry in now.log if entry["act"] == "approve"] == ["同意"]


async def test_opening_again_tells_whether_one_has_acted(office: Office) -> None:
    request_id = await office.document(2, 3)
    before = await office.oa.open_document("2", request_id)
    await office.oa.submit("2", before, YES)
    after = await office.oa.open_document("2", request_id)

    assert (before.acted_at("2"), after.acted_at("2")) == (set(), {before.node_id})
    assert not after.may_submit


async def test_a_document_of_others_is_not_shown(office: Office) -> None:
    request_id = await office.document(2)
    for user, request in (("9", request_id), ("2", "99999"), ("2", "x"), ("nobody", request_id)):
        with pytest.raises(RefusedByOA):
            await office.oa.open_document(user, request)


async def test_a_step_that_wants_an_opinion_says_so_and_takes_none_without(office: Office) -> None:
    request_id = await office.document(2, needs_opinion=True)
    opened = await office.oa.open_document("2", request_id)

    assert opened.demands == {"opinion"}
    assert not await office.oa.submit("2", opened, Submission("approve"))
    assert await office.oa.submit("2", opened, YES)


async def test_a_lost_answer_is_no_answer_although_it_was_done(office: Office) -> None:
    request_id = await office.document(2)
    opened = await office.oa.open_document("2", request_id)
    office.stand_in.faults.set("lost_answer")
    with pytest.raises(OAError):
        await office.oa.submit("2", opened, YES)
    office.stand_in.faults.set("off")

    assert office.now(request_id).is_archived
    assert (await office.oa.open_document("2", request_id)).acted_at("2") == {opened.node_id}
