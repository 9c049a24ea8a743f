"""Acting on a document and starting one: what is sent, what is not, and what an answer means."""

from typing import Any

import pytest
from lxml import etree

from server.integrations.oa import NotUnderstood, OAError, RefusedByOA, Unreachable
from server.integrations.oa.documents import (
    BlankForm,
    NewDocument,
    NotStarted,
    OpenedDocument,
    StartKind,
    Submission,
    UnfitValue,
)
from server.integrations.oa.ecology import Ecology
from tests.integrations.oa.papers import (
    TYPES,
    blank,
    detail_tables,
    element,
    field,
    main_table,
    nil,
    opened,
    record,
    said,
)
from tests.integrations.oa.scripted import NS, Script, adapter_for, envelope

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORM = (
    main_table(
        field("sy", "添置", edit=True),
        field("rq", "2026-01-05", entry="3", of="2", edit=True),
        field("je", "", of="4", edit=True),
        field("jj", "0", entry="5", choices={"0": "一般", "1": "加急"}, edit=True),
        field("bh", "第7号"),
        field("fj", "901", entry="6", edit=True),
    ),
    detail_tables(
        ("一", [record(field("a", "1", edit=True), field("b", "甲"))]),
        ("二", [record(field("c", "1", edit=True)), record(field("c", "2", edit=True), order=1)]),
    ),
)


async def open_it(oa: Ecology, script: Script) -> OpenedDocument:
    script.body = opened(*FORM, subbackButtonName="需反馈")
    found = await oa.open_document("2", "7")
    script.forget()
    script.body = said("submitWorkflowRequest", "success")
    return found


async def blank_one(oa: Ecology, script: Script) -> BlankForm:
    script.body = blank(*FORM)
    found = await oa.blank("2", "31")
    script.forget()
    script.body = said("doCreateWorkflowRequest", "10008")
    return found


def sent(script: Script) -> Any:
    """The one question asked, as its elements."""
    ((_, text),) = script.asked
    return etree.fromstring(text.encode())[0][0]


def fields_in(node: Any) -> list[tuple[str, str, str]]:
    rows = []
    for one in node.iter(f"{{{TYPES}}}WorkflowRequestTableField"):
        text = [one.findtext(f"{{{TYPES}}}{name}") for name in ("fieldName", "fieldValue", "edit")]
        assert one.findtext(f"{{{TYPES}}}view") == "true"
        rows.append((text[0], text[1], text[2]))
    return rows


def argument(question: Any, at: int) -> str:
    return question.findtext(f"{{{NS}}}in{at}") or ""


# Acting


async def test_a_yes_takes_the_heads_back_as_they_came_and_no_field(
    oa: Ecology, script: Script
) -> None:
    found = await open_it(oa, script)
    assert await oa.submit("2", found, Submission("approve", " 同意\x07<b>\r\n尽快 "))
    question = sent(script)
    form = question[0]
    heads = {etree.QName(one).localname: one.text for one in form if not len(one) and one.text}
    assert heads == {
        "requestId": "7",
        "requestName": "关于<b>设备</b>的请示",
        "requestLevel": "2",
        "messageType": "1",
        "creatorId": "9",
    }
    assert form.findtext(f".//{{{TYPES}}}workflowId") == "31"
    assert fields_in(question) == []
    told = [argument(question, at) for at in (1, 2, 3, 4)]
    assert told == ["7", "2", "submit", "同意&lt;b&gt;<br>尽快"]


async def test_only_what_changed_goes_with_it(oa: Ecology, script: Script) -> None:
    found = await open_it(oa, script)
    values = {"sy": "添置", "rq": "2026-02-01", "je": "12.50", "jj": "1", "bh": "第7号"}
    await oa.submit("2", found, Submission("approve_wanting_reply", values=values))
    question = sent(script)
    assert fields_in(question) == [
        ("rq", "2026-02-01", "true"),
        ("je", "12.50", "true"),
        ("jj", "1", "true"),
    ]
    assert argument(question, 3) == "subback"
    assert question.find(f".//{{{TYPES}}}WorkflowDetailTableInfo") is None


async def test_a_table_that_changes_goes_whole_and_the_others_keep_their_place(
    oa: Ecology, script: Script
) -> None:
    found = await open_it(oa, script)
    rows = [None, [{"c": "1"}, {"c": "5"}, {"c": "6"}]]
    await oa.submit("2", found, Submission("approve", rows=rows))
    first, second = sent(script).iter(f"{{{TYPES}}}WorkflowDetailTableInfo")
    assert fields_in(first) == []
    assert fields_in(second) == [
        ("c", "1", "true"),
        ("c", "5", "true"),
        ("c", "6", "true"),
    ]
    assert [one.text for one in second.iter(f"{{{TYPES}}}recordOrder")] == ["0", "1", "2"]


async def test_a_row_that_holds_nothing_goes_as_one_so_that_none_moves_up(
    oa: Ecology, script: Script
) -> None:
    rows = [record(field("c", value, edit=True)) for value in ("1", "", "3")]
    script.body = opened(detail_tables(("一", rows)))
    found = await oa.open_document("2", "7")
    script.forget()
    script.body = said("submitWorkflowRequest", "success")
    changed = [[{"c": "1"}, {"c": ""}, {"c": "4"}]]
    await oa.submit("2", found, Submission("approve", rows=changed))
    records = list(sent(script).iter(f"{{{TYPES}}}WorkflowRequestTableRecord"))
    assert [[value for _, value, _ in fields_in(one)] for one in records] == [["1"], [], ["4"]]


async def test_a_column_nobody_may_change_goes_with_its_row_unchanged(
    oa: Ecology, script: Script
) -> None:
    found = await open_it(oa, script)
    await oa.submit("2", found, Submission("approve", rows=[[{"a": "2"}]]))
    assert fields_in(sent(script)) == [("a", "2", "true"), ("b", "甲", "false")]


async def test_what_was_not_changed_in_a_row_goes_back_as_the_oa_stores_it(
    oa: Ecology, script: Script
) -> None:
    """What people read of it has fewer blanks, no markup, and an end."""
    stored = "甲  乙\n   丙", "<p>加急</p>", ",".join(str(one) for one in range(1_000, 2_500))
    record_ = record(
        field("n", "1", edit=True),
        field("t", stored[0], entry="2", edit=True),
        field("m", stored[1], entry="2", edit=True),
        field("p", stored[2], entry="3", of="999", edit=True),
    )
    script.body = opened(detail_tables(("一", [record_])))
    found = await oa.open_document("2", "7")
    script.forget()
    script.body = said("submitWorkflowRequest", "success")
    shown = {one.name: one.value for one in found.tables[0].rows[0]}
    await oa.submit("2", found, Submission("approve", rows=[[{"n": "2", "t": shown["t"]}]]))
    assert [(name, value) for name, value, _ in fields_in(sent(script))] == [
        ("n", "2"),
        *zip("tmp", stored, strict=True),
    ]


@pytest.mark.parametrize(
    ("said_", "reason"),
    [
        (Submission("approve", values={"nope": "1"}), "unknown"),
        (Submission("approve", values={"requestname": "1"}), "unknown"),
        (Submission("approve", values={"bh": "第8号"}), "not_editable"),
        (Submission("approve", values={"fj": "902"}), "not_editable"),
        (Submission("approve", values={"sy": " "}), "cannot_be_emptied"),
        (Submission("approve", values={"rq": "明天"}), "wrong_shape"),
        (Submission("approve", values={"je": "1' or '1'='1"}), "wrong_shape"),
        (Submission("approve", values={"jj": "7"}), "wrong_shape"),
        (Submission("approve", values={"sy": "长" * 4_001}), "wrong_shape"),
        (Submission("approve", rows=[None, [{"c": "1"}]]), "rows_taken_away"),
        (Submission("approve", rows=[[{"b": "乙"}]]), "not_editable"),
        (Submission("approve", rows=[None, None, [{}]]), "unknown"),
    ],
)
async def test_what_is_not_to_be_sent_is_refused_before_anything_is(
    oa: Ecology, script: Script, said_: Submission, reason: str
) -> None:
    found = await open_it(oa, script)
    with pytest.raises(UnfitValue) as refused:
        await oa.submit("2", found, said_)
    assert refused.value.reason == reason
    assert script.asked == []


async def test_an_action_that_is_not_offered_is_not_tried(oa: Ecology, script: Script) -> None:
    found = await open_it(oa, script)
    for action in ("approve_without_reply", "forward"):
        with pytest.raises(ValueError, match="offer"):
            await oa.submit("2", found, Submission(action))  # type: ignore[arg-type]
    assert script.asked == []


@pytest.mark.parametrize(("word", "done"), [("success", True), ("failed", False), ("error", False)])
async def test_words_of_the_oa(oa: Ecology, script: Script, word: str, done: bool) -> None:
    found = await open_it(oa, script)
    script.body = said("submitWorkflowRequest", word)
    assert await oa.submit("2", found, Submission("reject", "不同意")) is done
    script.body = said("forwardWorkflowRequest", word)
    assert await oa.forward("2", "7", ["3"], "", "") is done


@pytest.mark.parametrize("word", ["", "SUCCESS", "true", "成功", "1"])
async def test_any_other_word_means_that_nobody_knows(
    oa: Ecology, script: Script, word: str
) -> None:
    found = await open_it(oa, script)
    for body in (said("submitWorkflowRequest", word), nil("submitWorkflowRequest")):
        script.body = body
        with pytest.raises(NotUnderstood) as unknown:
            await oa.submit("2", found, Submission("approve"))
        assert not unknown.value.never_arrived


FAULT = "<soap:Fault><faultcode>soap:{}</faultcode><faultstring>x</faultstring></soap:Fault>"


async def test_a_fault_inside_the_oa_leaves_an_act_unknown_and_a_reading_refused(
    oa: Ecology, script: Script
) -> None:
    found = await open_it(oa, script)
    script.body = envelope(FAULT.format("Server"))
    with pytest.raises(NotUnderstood):
        await oa.submit("2", found, Submission("approve"))
    with pytest.raises(RefusedByOA):
        await oa.open_document("2", "7")
    script.body = envelope(FAULT.format("Client"))
    with pytest.raises(RefusedByOA):
        await oa.submit("2", found, Submission("approve"))


@pytest.mark.parametrize(
    ("status", "headers", "never"),
    [
        (404, {"errorMsg": "securityIntercept"}, True),
        (403, {}, True),
        (302, {"Location": "/login"}, True),
        (503, {}, False),
        (200, {}, False),
    ],
)
async def test_it_is_told_when_a_call_certainly_never_arrived(
    oa: Ecology, script: Script, status: int, headers: dict[str, str], never: bool
) -> None:
    found = await open_it(oa, script)
    script.status, script.body = status, "<html>login</html>"
    script.headers |= headers
    with pytest.raises(OAError) as failed:
        await oa.submit("2", found, Submission("approve"))
    assert failed.value.never_arrived is never


async def test_nobody_listening_got_no_call(
    oa: Ecology, script: Script, unused_tcp_port: int
) -> None:
    found = await open_it(oa, script)
    deaf = adapter_for(f"http://127.0.0.1:{unused_tcp_port}/x")
    await deaf.open()
    with pytest.raises(Unreachable) as failed:
        await deaf.submit("2", found, Submission("approve"))
    assert failed.value.never_arrived
    await deaf.close()


async def test_forwarding_names_each_once_and_where_it_came_from(
    oa: Ecology, script: Script
) -> None:
    script.body = said("forwardWorkflowRequest", "success")
    assert await oa.forward("2", "7", ["3", "4", "3"], "请阅", "10.0.0.8")
    question = sent(script)
    told = [argument(question, at) for at in range(5)]
    assert told == ["7", "3,4", "请阅", "2", "10.0.0.8"]
    script.forget()
    script.body = said("forwardWorkflowRequest", "success")
    await oa.forward("2", "7", ["3"], "", "card in WeCom")
    assert argument(sent(script), 4) == ""
    with pytest.raises(ValueError, match="nobody"):
        await oa.forward("2", "7", [], "", "")
    with pytest.raises(RefusedByOA):
        await oa.forward("2", "7", ["3,4"], "", "")


async def test_taking_note_of_a_copy(oa: Ecology, script: Script) -> None:
    script.body = envelope(f'<a:writeWorkflowReadFlagResponse xmlns:a="{NS}"/>')
    await oa.mark_read("2", "7")
    assert [argument(sent(script), at) for at in (0, 1)] == ["7", "2"]
    script.body = envelope(
        f'<a:writeWorkflowReadFlagResponse xmlns:a="{NS}"><a:out/></a:writeWorkflowReadFlagResponse>'
    )
    await oa.mark_read("2", "7")


# Starting


def kind(
    id: str | None, name: str | None, type_name: str | None = "后勤", type_id: str = "4"
) -> str:
    inner = "".join(
        element(key, value)
        for key, value in {
            "workflowId": id,
            "workflowName": name,
            "workflowTypeId": type_id,
            "workflowTypeName": type_name,
        }.items()
    )
    return f"<WorkflowBaseInfo>{inner}</WorkflowBaseInfo>"


async def test_kinds_come_once_each_although_the_count_says_more(
    oa: Ecology, script: Script
) -> None:
    script.answers = [
        said("getCreateWorkflowCount", "150"),
        said("getCreateWorkflowList", kind("31", "设备&nbsp;采购") + kind("32", "用车", "行政")),
        said("getCreateWorkflowList", ""),
    ]
    assert await oa.kinds("2") == (
        StartKind("31", "设备 采购", "后勤"),
        StartKind("32", "用车", "行政"),
    )
    assert [argument(etree.fromstring(text.encode())[0][0], 4) for _, text in script.asked] == [
        "", "0", "0",
    ]  # fmt: skip


async def test_categories_are_looked_up_where_rows_do_not_name_them(
    oa: Ecology, script: Script
) -> None:
    nil_row = element("WorkflowBaseInfo", None)
    script.answers = [
        said("getCreateWorkflowCount", "3"),
        said("getCreateWorkflowList", nil_row + kind("31", "采购", None) + kind("", "无号")),
        said("getCreateWorkflowTypeCount", "1"),
        said("getCreateWorkflowTypeList", kind(None, None, "后勤")),
    ]
    assert await oa.kinds("2") == (StartKind("31", "采购", "后勤"),)


async def test_types_are_asked_one_by_one_where_nothing_comes_for_all(
    oa: Ecology, script: Script
) -> None:
    script.answers = [
        said("getCreateWorkflowCount", "0"),
        said("getCreateWorkflowTypeCount", "1"),
        said("getCreateWorkflowTypeList", kind(None, None, "后勤")),
        said("getCreateWorkflowCount", "1"),
        said("getCreateWorkflowList", kind("31", "采购", None)),
    ]
    assert await oa.kinds("2") == (StartKind("31", "采购", "后勤"),)


async def test_a_blank_form_shows_what_may_be_filled_in(oa: Ecology, script: Script) -> None:
    found = await blank_one(oa, script)
    assert (found.workflow_id, found.kind, found.title) == ("31", "设备采购", "设备采购-李四")
    assert [one.name for one in found.fields if one.may_edit] == ["sy", "rq", "je", "jj", "fj"]
    assert [len(table.columns) for table in found.tables] == [2, 1]


async def test_a_form_this_person_may_not_have_is_refused(oa: Ecology, script: Script) -> None:
    script.body = nil("getCreateWorkflowRequestInfo")
    with pytest.raises(RefusedByOA):
        await oa.blank("2", "31")
    script.body = blank()
    with pytest.raises(NotUnderstood):
        await oa.blank("2", "32")


async def test_starting_names_the_same_person_twice_and_fills_every_place(
    oa: Ecology, script: Script
) -> None:
    form = await blank_one(oa, script)
    new = NewDocument("申请\x0b一台", "important", {"je": "9", "sy": "监护仪"}, [[], [{"c": "3"}]])
    assert await oa.start("2", form, new) == "10008"
    question = sent(script)
    assert question[0].findtext(f"{{{TYPES}}}creatorId") == "2"
    assert argument(question, 1) == "2"
    assert question[0].findtext(f"{{{TYPES}}}requestName") == "申请一台"
    assert question[0].findtext(f"{{{TYPES}}}requestLevel") == "1"
    first, second = question.iter(f"{{{TYPES}}}WorkflowDetailTableInfo")
    assert (fields_in(first), fields_in(second)) == ([], [("c", "3", "true")])
    main = fields_in(question[0].find(f"{{{TYPES}}}workflowMainTableInfo"))
    # What stood in the form already is sent too, or it would not be stored.
    assert main == [
        ("je", "9", "true"),
        ("sy", "监护仪", "true"),
        ("rq", "2026-01-05", "true"),
        ("jj", "0", "true"),
        ("fj", "901", "true"),
    ]


@pytest.mark.parametrize(
    ("code", "reason", "may_remain"),
    [
        ("-1", "failed", False), ("-2", "no_right", False), ("-3", "basic_data", False),
        ("-4", "form", True), ("-5", "urgency", True), ("-6", "operators", True),
        ("-7", "next_step", True), ("-8", "step_action", True), ("-9", "rows", True),
        ("-77", "failed", True), ("0", "failed", True),
    ],
)  # fmt: skip
async def test_each_code_of_a_start_has_its_reason(
    oa: Ecology, script: Script, code: str, reason: str, may_remain: bool
) -> None:
    form = await blank_one(oa, script)
    script.body = said("doCreateWorkflowRequest", code)
    with pytest.raises(NotStarted) as refused:
        await oa.start("2", form, NewDocument("申请", "normal", {}))
    assert (refused.value.reason, refused.value.may_remain) == (reason, may_remain)


@pytest.mark.parametrize("body", ["", "yes", "1.5", "--1", "-", None])
async def test_an_answer_to_a_start_that_is_no_code_means_that_nobody_knows(
    oa: Ecology, script: Script, body: str | None
) -> None:
    form = await blank_one(oa, script)
    operation = "doCreateWorkflowRequest"
    script.body = nil(operation) if body is None else said(operation, body)
    with pytest.raises(NotUnderstood):
        await oa.start("2", form, NewDocument("申请", "normal", {}))
