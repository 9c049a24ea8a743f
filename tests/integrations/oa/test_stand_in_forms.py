"""The stand-in OA's forms through its own descriptions: the first build and the later one."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from server.clock import SystemClock
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane
from server.integrations.oa.soap import SoapDoor
from server.sandbox.oa import LATER_SERVICE, SERVICE, WSDL, OAStandIn
from server.sandbox.oa_documents import Document
from tests.clocks import ManualClock

pytestmark = pytest.mark.asyncio(loop_scope="module")
NO_CONDITIONS: dict[str, list[str]] = {"string": []}
PURCHASE = "13"


class Wire:
    """A stand-in and the doors to both builds of its service."""

    def __init__(self, stand_in: OAStandIn, address: str, http: aiohttp.ClientSession) -> None:
        self.stand_in, self.address, self.http = stand_in, address, http
        clock = SystemClock()

        def door(wsdl: str, path: str) -> SoapDoor:
            return SoapDoor(wsdl, f"{address}{path}", Budget(10_000, clock), Breaker(clock))

        self.first = door(str(WSDL), SERVICE)
        self.later = door(f"{address}{LATER_SERVICE}?wsdl", LATER_SERVICE)

    async def call(self, operation: str, *arguments: object, later: bool = False) -> Any:
        door = self.later if later else self.first
        return await door.call(operation, *arguments, lane=Lane.INTERACTIVE)

    async def put(self, **more: Any) -> int:
        body = {"title": "采购", "creator": "s0001", "approvers": ["s0002"]} | more
        async with self.http.post(f"{self.address}/oa/requests", json=body) as answer:
            said = await answer.json()
            assert answer.status == 201, said
            return int(said["request_id"])

    async def open(self, request_id: int, user: int) -> Any:
        return await self.call("getWorkflowRequest", request_id, user, 0)

    async def submit(self, request_id: int, user: int, form: Any, act: str = "submit") -> str:
        return str(await self.call("submitWorkflowRequest", form, request_id, user, act, "同意"))

    def now(self, request_id: int) -> Document:
        found = self.stand_in.documents.find(request_id)
        assert found is not None
        return found


async def fetched(request: web.Request) -> web.Response:
    return web.Response(body=b"%PDF-1.4 sent")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    folder: Path = tmp_path_factory.mktemp("oa")
    stand_in = OAStandIn(folder, ManualClock(), people=20, numbers={"A0007": 7}.get)
    await stand_in.open()
    app = web.Application()
    app.add_routes(stand_in.routes())
    app.router.add_get("/to-fetch", fetched)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with stand_in.running(), aiohttp.ClientSession() as http:
        opened = Wire(stand_in, address, http)
        await opened.first.open()
        await opened.later.open()
        yield opened
        await opened.first.close()
        await opened.later.close()
    await runner.cleanup()


def field(name: str, value: str, kind: str = "1", **marks: bool) -> dict[str, Any]:
    shown = {"view": True, "edit": True} | marks
    return {"fieldName": name, "fieldValue": value, "fieldType": kind, **shown}


def record(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"workflowRequestTableFields": {"WorkflowRequestTableField": list(fields)}}


def form(
    *fields: dict[str, Any], rows: list[list[dict[str, Any]]] | None = None, **heads: Any
) -> dict[str, Any]:
    tables = [
        {"workflowRequestTableRecords": {"WorkflowRequestTableRecord": [record(*r) for r in table]}}
        for table in ([rows] if rows is not None else [])
    ]
    return {
        "requestName": "采购",
        "requestLevel": "0",
        "creatorId": "1",
        "messageType": "0",
        "workflowBaseInfo": {"workflowId": PURCHASE},
        "workflowMainTableInfo": {
            "requestRecords": {"WorkflowRequestTableRecord": [record(*fields)]}
        },
        "workflowDetailTableInfos": {"WorkflowDetailTableInfo": tables},
        **heads,
    }


def fields_of(opened: Any) -> dict[str, Any]:
    main = opened.workflowMainTableInfo.requestRecords.WorkflowRequestTableRecord[0]
    return {one.fieldName: one for one in main.workflowRequestTableFields.WorkflowRequestTableField}


async def test_a_form_says_what_is_seen_and_filled_in_at_this_step_by_this_person(
    wire: Wire,
) -> None:
    request_id = await wire.put(kind="采购申请", form={"sqr": "1", "sqbm": "4", "nbbz": "秘密"})
    holder = fields_of(await wire.open(request_id, 2))
    reader = fields_of(await wire.open(request_id, 1))

    assert [one.fieldId for one in list(holder.values())[:3]] == ["-1", "-2", "-3"]
    assert (holder["sqbm"].fieldShowValue, holder["sqbm"].edit) == ("财务科", False)
    assert (holder["nbbz"].view, holder["nbbz"].fieldValue) == (False, "秘密")
    assert (holder["pzje"].edit, holder["pzje"].mand) == (True, True)
    assert (reader["pzje"].edit, reader["pzje"].mand) == (False, False)
    assert holder["cgfs"].selectnames.string == ["公开招标", "询价", "单一来源"]


async def test_what_a_step_must_fill_in_is_asked_for_and_only_marked_values_count(
    wire: Wire,
) -> None:
    request_id = await wire.put(kind="采购申请", form={"ysje": "90"})
    for refused in (
        None,
        form(),
        form(field("pzje", " ")),
        form(field("pzje", "80", view=False)),
        form(field("pzje", "80", edit=False)),
    ):
        assert await wire.submit(request_id, 2, refused) == "failed"
    taken = form(field("pzje", "80"), field("ysje", ""), field("", "x"), field("unheard", "x"))
    assert await wire.submit(request_id, 2, taken) == "success"
    assert wire.now(request_id).values == {"ysje": "90", "pzje": "80"}


async def test_heads_are_taken_over_as_they_are_and_rows_by_their_place(wire: Wire) -> None:
    rows = [[{"mc": "监护仪", "sl": "1"}, {"mc": "注射泵", "sl": "2"}]]
    request_id = await wire.put(kind="采购申请", form={}, rows=rows)
    sent = form(
        field("pzje", "1"),
        rows=[[field("sl", "7")]],
        requestName="",
        requestLevel="2",
        creatorId="9",
    )
    assert await wire.submit(request_id, 2, sent) == "success"
    now = wire.now(request_id)
    assert (now.title, now.urgency, now.creator) == ("", 2, 9)
    assert now.rows == (({"mc": "监护仪", "sl": "7"},),)


async def test_an_empty_table_keeps_the_place_of_the_next(wire: Wire) -> None:
    rows = [[{"dw": "康泰"}], [{"rq": "2026-01-01", "je": "5"}]]
    request_id = await wire.put(kind="会签", form={}, rows=rows)
    sent = form(field("hqjl", "0"), workflowBaseInfo={"workflowId": "19"})
    changed = {"WorkflowRequestTableRecord": [record(field("je", "6"))]}
    sent["workflowDetailTableInfos"]["WorkflowDetailTableInfo"] = [
        {"workflowRequestTableRecords": None},
        {"workflowRequestTableRecords": changed},
    ]
    assert await wire.submit(request_id, 2, sent) == "success"
    assert wire.now(request_id).rows == (
        ({"dw": "康泰"},),
        ({"rq": "2026-01-01", "je": "6"},),
    )


async def test_only_what_is_offered_is_done(wire: Wire) -> None:
    request_id = await wire.put(kind="发文审批", actions={"submit": "签发", "subback": "签发待复"})
    opened = await wire.open(request_id, 2)
    assert (opened.submitButtonName, opened.subbackButtonName) == ("签发", "签发待复")
    assert opened.rejectButtonName is None
    for act in ("reject", "subnoback"):
        assert await wire.submit(request_id, 2, None, act) == "failed"
    assert await wire.submit(request_id, 2, None, "subback") == "success"


async def test_a_stranger_is_told_everything_and_that_he_may_not_see_it(wire: Wire) -> None:
    request_id = await wire.put(needs_affirmance=True, drafts={"s0002": "拟同意"})
    theirs, his = await wire.open(request_id, 9), await wire.open(request_id, 2)
    assert (theirs.canView, theirs.canEdit, theirs.needAffirmance) == (False, False, False)
    assert fields_of(theirs)["sy"].fieldValue
    assert (his.needAffirmance, his.remark, theirs.remark) == (True, "拟同意", None)
    assert his.workflowPhrases.ArrayOfString[0].string == ["同意", "同意"]
    assert his.receiveTime is None


async def test_the_log_is_read_backwards_in_pages(wire: Wire) -> None:
    people = [f"s{number:04d}" for number in range(2, 17)]
    request_id = await wire.put(approvers=people)
    for user in range(2, 15):
        await wire.submit(request_id, user, None)

    def ids(entries: Any) -> list[int]:
        return [int(one.id) for one in entries or []]

    short = (await wire.open(request_id, 1)).workflowRequestLogs.WorkflowRequestLog
    long = await wire.call("getWorkflowRequest4split", request_id, 1, 0, 12)
    page = await wire.call("getWorkflowRequestLogs", "1", str(request_id), 1, 6, 0)
    older = await wire.call("getWorkflowRequestLogs", "1", str(request_id), 1, 6, int(page[-1].id))
    assert ids(short) == [*range(14, 4, -1)]
    assert len(long.workflowRequestLogs.WorkflowRequestLog) == 12
    assert (ids(page), ids(older)) == ([*range(14, 8, -1)], [*range(8, 2, -1)])
    oldest = await wire.call("getWorkflowRequestLogs", "1", str(request_id), 1, 9, 2)
    assert oldest[0].receivedPersons.startswith("职工0002,职工0003")


async def test_forwarding_hands_it_to_others_to_note(wire: Wire) -> None:
    request_id = await wire.put()
    forward = ("forwardWorkflowRequest", request_id)
    assert await wire.call(*forward, "7,8", "请看", 2, "10.0.0.9") == "success"
    assert await wire.call(*forward, "7", "请看", 19, "10.0.0.9") == "failed"
    assert await wire.call(*forward, "7,x", "请看", 2, "10.0.0.9") == "error"
    opened = await wire.open(request_id, 7)
    assert (opened.canView, opened.submitButtonName) == (True, "批注")
    assert opened.rejectButtonName is None
    entry = opened.workflowRequestLogs.WorkflowRequestLog[0]
    assert (entry.operateType, entry.receivedPersons) == ("转发", "职工0007,职工0008")


async def test_what_one_may_start_is_counted_wrongly_and_listed_rightly(wire: Wire) -> None:
    async def listed(user: int, category: int, *conditions: str) -> list[str]:
        count = await wire.call("getCreateWorkflowCount", user, category, NO_CONDITIONS)
        rows = await wire.call(
            "getCreateWorkflowList", 1, 20, count, user, category, {"string": [*conditions]}
        )
        return [one.workflowName for one in rows or []]

    types = await wire.call("getCreateWorkflowTypeList", 1, 20, 5, 9, NO_CONDITIONS)
    assert [one.workflowTypeName for one in types][:2] == ["行政公文", "人事考勤"]
    assert await wire.call("getCreateWorkflowTypeCount", 9, NO_CONDITIONS) == len(types)
    assert "收文" in await listed(1, 0)
    assert "收文" not in await listed(9, 0)
    assert await listed(9, 4) == ["设备维修", "信息系统变更"]
    assert await wire.call("getCreateWorkflowCount", 9, 4, NO_CONDITIONS) == 3
    assert await listed(9, 0, "会签") == ["合同会签", "会签"]
    assert await wire.call("getCreateWorkflowList", 1, 20, 9, 9, 0, None) in (None, [])


async def test_days_of_leave_are_counted_from_the_first_to_the_last(wire: Wire) -> None:
    days = ("getLeaveDays", "2026-01-30", "08:00", "2026-02-02", "17:00", "3")
    assert await wire.call(*days) == "4.00"


async def test_a_blank_form_shows_its_tables_and_is_nil_for_those_who_may_not(wire: Wire) -> None:
    blank = await wire.call("getCreateWorkflowRequestInfo", 19, 9)
    tables = blank.workflowDetailTableInfos.WorkflowDetailTableInfo
    first = tables[0].workflowRequestTableRecords.WorkflowRequestTableRecord[0]
    cells = first.workflowRequestTableFields.WorkflowRequestTableField
    assert (blank.requestId, [one.tableTitle for one in tables]) == (
        "0",
        ["合同相对方", "付款计划"],
    )
    assert (cells[0].fieldShowName, cells[0].mand) == ("单位名称", True)
    assert fields_of(blank)["sqr"].fieldValue == "9"
    large = fields_of(await wire.call("getCreateWorkflowRequestInfo", 20, 9))
    assert len(large) == 63
    for workflow, user in ((18, 9), (21, 9), (99, 9)):
        nothing = await wire.call("getCreateWorkflowRequestInfo", workflow, user)
        assert nothing.requestId is None


LEAVE = [
    field("sqr", "3"),
    field("sqbm", "2"),
    field("sqrq", "2026-01-05"),
    field("qjlx", "0"),
    field("ksrq", "2026-01-06"),
    field("jsrq", "2026-01-07"),
    field("ts", "2"),
    field("sy", "探亲"),
]


def leave(*more: dict[str, Any], **heads: Any) -> dict[str, Any]:
    named = {"requestName": "请假", "creatorId": "3", "workflowBaseInfo": {"workflowId": "12"}}
    return form(*LEAVE, *more, **(named | heads))


async def test_what_is_started_goes_to_whom_it_names_with_files_that_were_fetched(
    wire: Wire,
) -> None:
    proof = field("zm", f"{wire.address}/to-fetch", "http:诊断证明.pdf")
    made = await wire.call("doCreateWorkflowRequest", leave(proof, field("approvers", "4,5")), 3)
    document = wire.now(int(made))
    file = wire.stand_in.files.of_document(int(document.values["zm"]))
    assert (document.pending, document.kind) == ((4, 5), "请假申请")
    assert file is not None
    assert (file.name, await wire.stand_in.files.read(file)) == ("诊断证明.pdf", b"%PDF-1.4 sent")
    shown = fields_of(await wire.open(int(made), 4))["zm"]
    assert f"fileid={file.file_id}&amp;download=1" in shown.filedHtmlShow


@pytest.mark.parametrize(
    ("changed", "code", "leaves"),
    [
        ({"requestName": "创建失败-1"}, "-1", False),
        ({"requestName": "创建失败 -4"}, "-4", True),
        ({"requestName": "创建失败-9"}, "-9", True),
        ({"requestName": "创建失败0"}, "0", False),
        ({"requestName": "创建失败nil"}, None, False),
        ({"requestName": ""}, "-3", False),
        ({"workflowBaseInfo": {"workflowId": "18"}}, "-2", False),
        ({"workflowMainTableInfo": None}, "-4", True),
    ],
)
async def test_what_is_not_started_says_why_and_may_leave_something_behind(
    wire: Wire, changed: dict[str, Any], code: str | None, leaves: bool
) -> None:
    before = len(wire.stand_in.documents)
    creator = {"creatorId": "9"}
    assert await wire.call("doCreateWorkflowRequest", leave(**(creator | changed)), 9) == code
    left = wire.stand_in.documents.newest()[: len(wire.stand_in.documents) - before]
    assert [(one.node_name, one.pending) for one in left] == [("创建", (9,))] * leaves


async def test_a_file_that_cannot_be_fetched_is_a_main_table_that_failed(wire: Wire) -> None:
    proof = field("zm", f"{wire.address}/nowhere", "http:诊断证明.pdf")
    assert await wire.call("doCreateWorkflowRequest", leave(proof), 3) == "-4"


async def test_the_later_build_says_more_in_the_middle_and_knows_login_names(wire: Wire) -> None:
    request_id = await wire.put(kind="采购申请")
    opened = await wire.call("getWorkflowRequest", request_id, 2, 0, later=True)
    assert (opened.requestMark, opened.requestId) == ("流程编号", str(request_id))
    assert fields_of(opened)["sqr"].fieldDescription == "字段说明"
    assert opened.workflowRequestLogs.WorkflowRequestLog[0].logType == "0"
    assert await wire.call("getUserId", "LoginId", "s0007", later=True) == "7"
    assert await wire.call("getUserId", "workcode", "A0007", later=True) == "7"
    sent = form(field("pzje", "80"))
    submit = ("submitWorkflowRequest", sent, request_id, 2, "submit", "同意")
    assert await wire.call(*submit, later=True) == "success"


async def test_turned_to_failed_nothing_is_done_and_turned_to_nil_little_is_said(
    wire: Wire,
) -> None:
    request_id = await wire.put()
    wire.stand_in.faults.set("failed")
    assert await wire.submit(request_id, 2, None) == "failed"
    wire.stand_in.faults.set("nil_fields")
    bare = await wire.open(request_id, 2)
    rows = await wire.call("getToDoWorkflowRequestList", 1, 1, 1, 2, NO_CONDITIONS)
    wire.stand_in.faults.set("off")
    assert (bare.requestId, bare.requestName) == (str(request_id), None)
    assert bare.submitButtonName is None
    assert rows[0].requestId is None
    assert rows[1].receiveTime is None
    assert wire.now(request_id).pending == (2,)


def envelope(operation: str, *arguments: object) -> str:
    inside = "".join(f"<s:in{at}>{said}</s:in{at}>" for at, said in enumerate(arguments))
    return (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f'<s:{operation} xmlns:s="webservices.services.weaver.com.cn">{inside}</s:{operation}>'
        "</soap:Body></soap:Envelope>"
    )


async def test_a_slow_submit_is_done_before_it_is_answered(wire: Wire) -> None:
    request_id = await wire.put()
    wire.stand_in.faults.set("slow_submit", 60)
    body = envelope("submitWorkflowRequest", "", request_id, 2, "submit", "好")
    enough = aiohttp.ClientTimeout(total=2)
    with pytest.raises(TimeoutError):
        await wire.http.post(f"{wire.address}{SERVICE}", data=body, timeout=enough)
    wire.stand_in.faults.set("off")
    assert wire.now(request_id).is_archived


async def test_answers_that_attack_declare_what_no_reader_should_read(wire: Wire) -> None:
    body = envelope("getWorkflowRequest", await wire.put(), 2, 0)
    for mode, declared in (("entity_bomb", "<!ENTITY h"), ("doctype", "SYSTEM")):
        wire.stand_in.faults.set(mode)
        async with wire.http.post(f"{wire.address}{SERVICE}", data=body) as answer:
            assert declared in await answer.text()
        wire.stand_in.faults.set("off")
