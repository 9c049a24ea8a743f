"""The second half of the OA port against the e-cology adapter, with both builds of the stand-in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from server.integrations.oa import NotUnderstood, OAError, RefusedByOA, Unreachable
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.documents import NewDocument, NotStarted, OpenedDocument, Submission
from server.integrations.oa.ecology import Ecology, OAConfig
from server.integrations.oa.ecology.answers import new_flags
from server.integrations.oa.soap import Limits
from server.sandbox.oa import LATER_SERVICE, SERVICE, OAStandIn
from server.sandbox.oa_download import DOWNLOAD
from server.sandbox.oa_kinds import WORKFLOWS
from tests.clocks import ManualClock

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Desk:
    """The stand-in behind a socket and the adapter that talks to it."""

    stand_in: OAStandIn
    oa: Ecology
    http: TestServer

    async def put(self, title: str = "请示", kind: str = "公文审批", **more: object) -> str:
        body = {"title": title, "creator": "s0009", "approvers": ["s0002"], "kind": kind} | more
        async with (
            ClientSession() as http,
            http.post(self.http.make_url("/oa/requests"), json=body) as response,
        ):
            assert response.status == 201, await response.text()
            return str((await response.json())["request_id"])

    async def opened(self, request_id: str, user: str = "2") -> OpenedDocument:
        return await self.oa.open_document(user, request_id)

    async def waits_for(self, user: str) -> list[str]:
        return [one.request_id for one in (await self.oa.list_items(user, "pending")).items]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["first", "later"])
async def desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("oa")
    clock = ManualClock()
    stand_in = OAStandIn(folder, clock, people=20)
    await stand_in.open()
    app = web.Application()
    app.add_routes(stand_in.routes())
    async with TestServer(app) as server, stand_in.running():
        is_first = request.param == "first"
        service = str(server.make_url(SERVICE if is_first else LATER_SERVICE))
        config = OAConfig(
            service,
            # Only the two settings differ between the builds.
            wsdl="" if is_first else f"{service}?wsdl",
            files=f"{server.make_url(DOWNLOAD)}?fileid={{id}}&download=1",
            limits=Limits(timeout_s=2.0),
        )
        oa = Ecology(config, Budget(1_000, clock, burst=100_000), Breaker(clock, threshold=1_000))
        await oa.open()
        yield Desk(stand_in, oa, server)
        await oa.close()


@pytest.fixture(autouse=True)
def healthy(desk: Desk) -> None:
    desk.stand_in.faults.set("off")


async def test_a_document_from_the_list_of_kinds_to_its_end(desk: Desk) -> None:
    oa = desk.oa
    kinds = {one.name: one for one in await oa.kinds("9")}
    purchase = kinds["采购申请"]
    assert purchase.category == "采购合同"

    blank = await oa.blank("9", purchase.workflow_id)
    values = {one.name: _plausible(one.kind, one.options) for one in blank.fields if one.must_fill}
    row = {
        one.name: _plausible(one.kind, one.options)
        for one in blank.tables[0].columns
        if one.must_fill
    }
    values = {name: value for name, value in values.items() if value}
    request_id = await oa.start(
        "9", blank, NewDocument("采购监护仪（两台）", "urgent", values, [[row, row]])
    )
    (waiting,) = (await oa.list_items("1", "pending")).items
    assert (waiting.request_id, waiting.urgency, waiting.creator) == (request_id, "urgent", "9")

    opened = await desk.opened(request_id, "1")
    assert (opened.title, opened.creator, opened.workflow_id) == (
        "采购监护仪（两台）",
        "9",
        purchase.workflow_id,
    )
    assert "nbbz" not in {one.name for one in opened.fields}
    assert [len(table.rows) for table in opened.tables] == [2]
    assert opened.steps[-1].state == "current"

    assert "fields" in opened.demands
    changed = {
        one.name: _plausible(one.kind, one.options) for one in opened.fields if one.is_missing
    }
    assert changed
    assert await oa.submit("1", opened, Submission("approve", "同意 <速办>", changed))
    after = await desk.opened(request_id, "9")
    assert after.opinions[0].html == "同意 &lt;速办&gt;"
    assert "1" in {one.oa_user for one in after.opinions}
    assert request_id not in await desk.waits_for("1")
    stored = desk.stand_in.documents.find(int(request_id))
    assert stored is not None
    assert values.items() | changed.items() <= stored.values.items()
    assert [dict(one) for one in stored.rows[0]] == [row, row]


def _plausible(kind: str, options: tuple[object, ...]) -> str:
    said = {"number": "3", "money": "12.50", "date": "2026-03-01", "time": "08:30", "check": "1"}
    if kind == "choice":
        return str(getattr(options[0], "value", ""))
    return said.get(
        kind, "1" if kind in ("person", "people", "department", "departments") else "甲"
    )


async def test_a_form_of_sixty_fields_comes_whole(desk: Desk) -> None:
    kind = next(one for one in WORKFLOWS if len(one.fields) >= 60)
    request_id = await desk.put(kind=kind.name)
    opened = await desk.opened(request_id)
    visible = {field.name for field in kind.fields if field.view}
    assert {one.name for one in opened.fields} == visible
    assert {one.kind for one in opened.fields} >= {
        "text",
        "date",
        "choice",
        "people",
        "attachments",
    }
    assert len(opened.tables) == len(kind.tables)


async def test_a_file_with_a_chinese_name_comes_as_it_was_put(desk: Desk) -> None:
    name = "关于印发《值班制度》的通知（2026年）.docx"
    request_id = await desk.put(attachments=[name, "第二份.pdf"])
    opened = await desk.opened(request_id)
    first, second = (file for one in opened.fields for file in one.attachments)
    assert (first.name, second.name) == (name, "第二份.pdf")
    for file in (first, second):
        download = await desk.oa.attachment("2", file.id, 10_000_000)
        assert download.name == file.name
        body = b"".join([piece async for piece in download.pieces])
        assert file.size is None or abs(len(body) - file.size) < 1_024


@pytest.mark.parametrize("mode", ["down", "login", "file_login", "file_elsewhere", "file_endless"])
async def test_a_file_that_does_not_come_is_an_error(desk: Desk, mode: str) -> None:
    request_id = await desk.put(attachments=["一.pdf"])
    (file,) = (file for one in (await desk.opened(request_id)).fields for file in one.attachments)
    desk.stand_in.faults.set(mode)

    async def fetch() -> None:
        download = await desk.oa.attachment("2", file.id, 1_000_000)
        async for _ in download.pieces:
            pass

    with pytest.raises(OAError):
        await fetch()


async def test_forwarding_shows_it_to_others_and_keeps_it(desk: Desk) -> None:
    request_id = await desk.put()
    assert await desk.oa.forward("2", request_id, ["3", "4"], "请阅", "10.0.0.8")
    assert request_id in await desk.waits_for("3")
    opened = await desk.opened(request_id)
    assert opened.may_submit
    assert "职工0002" in opened.steps[-1].holders


async def test_copies_are_taken_note_of(desk: Desk) -> None:
    request_id = await desk.put(copies=["s0005"])
    await desk.oa.mark_read("5", request_id)
    document = desk.stand_in.documents.find(int(request_id))
    assert document is not None
    assert 5 in document.read


async def test_it_tells_which_copies_are_new_to_a_person_in_the_order_asked(desk: Desk) -> None:
    marked, opened, untouched = [await desk.put(copies=["s0005"]) for _ in range(3)]
    await desk.oa.mark_read("5", marked)
    await desk.opened(opened, "5")
    asked = [untouched, marked, opened, untouched]
    assert await desk.oa.are_new("5", asked) == (True, False, False, True)
    assert await desk.oa.are_new("6", [marked]) == (True,)
    assert await desk.oa.are_new("5", []) == ()


@pytest.mark.parametrize("mode", ["down", "fault", "malformed"])
async def test_without_an_answer_nothing_is_called_read(desk: Desk, mode: str) -> None:
    request_id = await desk.put(copies=["s0005"])
    desk.stand_in.faults.set(mode)
    with pytest.raises(OAError):
        await desk.oa.are_new("5", [request_id])


@pytest.mark.parametrize("told", [None, [], ["1"], ["1", ""], ["1", "2"], ["0", "0", "0"]])
async def test_flags_that_do_not_fit_the_question_are_not_believed(told: list[str] | None) -> None:
    with pytest.raises(NotUnderstood):
        new_flags(told, 2)


async def test_a_long_log_is_read_back_to_its_beginning_without_gap_or_repeat(desk: Desk) -> None:
    request_id = await desk.put()
    for number in range(50):
        assert await desk.oa.forward("2", request_id, [str(3 + number % 10)], f"第{number}次", "")
    opened = await desk.opened(request_id)
    ids, more = [one.id for one in opened.opinions], opened.more_before
    assert len(ids) == 20
    pages = 0
    while more:
        page = await desk.oa.opinions("2", (opened.workflow_id, request_id), more)
        ids += [one.id for one in page.opinions]
        more, pages = page.more_before, pages + 1
        assert pages < 6
    assert len(ids) == len(set(ids))
    assert ids == sorted(ids, key=int, reverse=True)
    longer = await desk.oa._opened("2", request_id, 200)
    assert ids == [one.id for one in longer.opinions]


async def test_strangers_see_nothing_and_do_nothing(desk: Desk) -> None:
    request_id = await desk.put()
    opened = await desk.opened(request_id)
    with pytest.raises(RefusedByOA):
        await desk.opened(request_id, "17")
    assert not await desk.oa.submit("17", opened, Submission("approve", "同意"))
    assert request_id in await desk.waits_for("2")


async def test_what_somebody_else_did_first_is_a_no(desk: Desk) -> None:
    request_id = await desk.put()
    opened = await desk.opened(request_id)
    await desk.stand_in.documents.submit(int(request_id), 2, "submit")
    assert not await desk.oa.submit("2", opened, Submission("approve", "同意"))


@pytest.mark.parametrize(
    ("mode", "kind"), [("lost_answer", Unreachable), ("fault", NotUnderstood), ("down", OAError)]
)
async def test_an_act_without_an_answer_is_one_call_and_unknown(
    desk: Desk, mode: str, kind: type[OAError]
) -> None:
    request_id = await desk.put()
    opened = await desk.opened(request_id)
    before = desk.stand_in.calls["submitWorkflowRequest"]
    desk.stand_in.faults.set(mode)
    with pytest.raises(kind) as failed:
        await desk.oa.submit("2", opened, Submission("approve", "同意"))
    assert not failed.value.never_arrived
    assert desk.stand_in.calls["submitWorkflowRequest"] <= before + 1


@pytest.mark.parametrize(
    ("code", "reason"), [("-1", "failed"), ("-2", "no_right"), ("-7", "next_step"), ("0", "failed")]
)
async def test_a_start_that_fails_says_why(desk: Desk, code: str, reason: str) -> None:
    kinds = {one.name: one for one in await desk.oa.kinds("9")}
    blank = await desk.oa.blank("9", kinds["公文审批"].workflow_id)
    with pytest.raises(NotStarted) as refused:
        await desk.oa.start("9", blank, NewDocument(f"创建失败 {code}", "normal", {}))
    assert refused.value.reason == reason
    with pytest.raises(NotUnderstood):
        await desk.oa.start("9", blank, NewDocument("创建失败 nil", "normal", {}))


async def test_a_form_that_is_not_this_persons_is_refused(desk: Desk) -> None:
    with pytest.raises(RefusedByOA):
        await desk.oa.blank("9", "99999")
