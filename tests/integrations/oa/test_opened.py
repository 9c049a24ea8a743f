"""Opening a document: what of an OA's answer is shown, to whom, and as what."""

from datetime import UTC, datetime

import pytest

from server.integrations.oa import NotUnderstood, RefusedByOA
from server.integrations.oa.documents import Attachment, Option
from server.integrations.oa.ecology import Ecology
from tests.integrations.oa.papers import (
    BASE,
    TYPES,
    detail_tables,
    element,
    entry,
    field,
    logs,
    main_table,
    nil,
    opened,
    record,
    said,
    strings,
)
from tests.integrations.oa.scripted import XSI, Script, envelope

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILE = (
    "<a href=\"javascript:void(0)\" onclick=\"openDocExt('901','30271','1','1')\">"
    "关于印发制度的通知.docx(23.5K)</a>&nbsp;"
    '<a href="/weaver/weaver.file.FileDownload?fileid=30271&amp;download=1&amp;requestid=7">下载</a>'
)


# What it is


async def test_an_opened_document_is_told_in_plain_words(oa: Ecology, script: Script) -> None:
    script.body = opened(
        main_table(field("sy", "添置监护仪", label="事由")),
        "<workflowPhrases>"
        + strings(f'ArrayOfString xmlns="{script_ns()}"', "1", "同意").replace(
            f'</ArrayOfString xmlns="{script_ns()}">', "</ArrayOfString>"
        )
        + "</workflowPhrases>",
        remark="先<br>看看",
    )
    found = await oa.open_document("2", "7")
    assert (found.title, found.kind, found.workflow_id) == ("关于设备的请示", "设备采购", "31")
    assert (found.creator, found.creator_name, found.urgency) == ("9", "李四", "urgent")
    assert found.created_at == datetime(2026, 1, 4, 23, tzinfo=UTC).timestamp() * 1000
    assert (found.node_id, found.node, found.status) == ("3", "院长审批", "院长审批")
    assert found.actions == {"approve": "批准", "reject": "退回", "forward": "转发"}
    assert (found.demands, found.draft, found.phrases) == (frozenset(), "先\n看看", ("同意",))


def script_ns() -> str:
    return "webservices.services.weaver.com.cn"


async def test_the_question_is_opened_from_nothing_and_wants_twenty_opinions(
    oa: Ecology, script: Script
) -> None:
    script.body = opened()
    await oa.open_document("2", "7")
    text = script.asked[-1][1]
    assert (
        "<ns0:in0>7</ns0:in0><ns0:in1>2</ns0:in1><ns0:in2>0</ns0:in2><ns0:in3>20</ns0:in3>" in text
    )


@pytest.mark.parametrize("can_view", [False, None])
async def test_a_document_answered_whole_is_refused_all_the_same(
    oa: Ecology, script: Script, can_view: bool | None
) -> None:
    script.body = opened(main_table(field("sy", "秘密")), canView=can_view)
    if can_view is None:
        script.body = script.body.replace('<canView xsi:nil="true"/>', "")
    with pytest.raises(RefusedByOA):
        await oa.open_document("2", "7")


async def test_nothing_in_its_ways_is_a_refusal(oa: Ecology, script: Script) -> None:
    operation = "getWorkflowRequest4split"
    for body in (nil(operation), said(operation, ""), said(operation, " ")):
        script.body = body
        with pytest.raises(RefusedByOA):
            await oa.open_document("2", "7")


@pytest.mark.parametrize(
    "body",
    [
        opened(requestId="8"),
        opened(base=None),  # type: ignore[arg-type]
        opened(base={**BASE, "workflowId": None}),  # type: ignore[arg-type]
        opened().replace(TYPES, "urn:other"),
        opened(main_table(field("a"))).replace("WorkflowRequestTableField>", "Field>"),
        opened(logs(entry(1))).replace(
            "<WorkflowRequestLog>", '<WorkflowRequestLog xmlns="urn:x">'
        ),
        envelope("<other/>"),
    ],
)
async def test_an_answer_that_lost_something_is_not_believed(
    oa: Ecology, script: Script, body: str
) -> None:
    script.body = body
    with pytest.raises(NotUnderstood):
        await oa.open_document("2", "7")


async def test_buttons_without_a_name_and_without_the_right_offer_nothing(
    oa: Ecology, script: Script
) -> None:
    script.body = opened(submitButtonName=" ", rejectButtonName=None, subbackButtonName="需反馈")
    assert set((await oa.open_document("2", "7")).actions) == {"approve_wanting_reply", "forward"}
    for given in ({"canEdit": False}, {"currentNodeId": None}):
        script.body = opened(**given)
        assert set((await oa.open_document("2", "7")).actions) == {"forward"}


async def test_what_a_step_demands(oa: Ecology, script: Script) -> None:
    script.body = opened(
        main_table(field("rq", "", edit=True, mand=True)), mustInputRemark=True, needAffirmance=True
    )
    assert (await oa.open_document("2", "7")).demands == {"opinion", "affirmation", "fields"}
    script.body = opened(main_table(field("rq", "2026-01-05", edit=True, mand=True)))
    assert (await oa.open_document("2", "7")).demands == frozenset()


# The form


async def test_only_fields_that_may_be_seen_come_through_with_their_values(
    oa: Ecology, script: Script
) -> None:
    script.body = opened(
        main_table(
            field("requestname", "标题", id="-1"),
            field("seen", "1"),
            field("hidden", "机密", view=False),
            field("unsaid", "机密", view=None),
            field("", "无名"),
        )
    )
    found = await oa.open_document("2", "7")
    assert [one.name for one in found.fields] == ["seen"]
    assert "机密" not in repr(found)


async def test_kinds_of_fields(oa: Ecology, script: Script) -> None:
    shapes = {
        ("1", "1"): "text",
        ("1", "2"): "number",
        ("1", "5"): "money",
        ("2", "1"): "long_text",
        ("3", "1"): "person",
        ("3", "17"): "people",
        ("3", "4"): "department",
        ("3", "57"): "departments",
        ("3", "2"): "date",
        ("3", "19"): "time",
        ("3", "161"): "other",
        ("4", "1"): "check",
        ("5", "1"): "choice",
        ("6", "1"): "attachments",
        ("9", "1"): "other",
        ("", ""): "other",
    }
    script.body = opened(
        main_table(*(field(f"f{at}", entry=e, of=o) for at, (e, o) in enumerate(shapes)))
    )
    found = await oa.open_document("2", "7")
    assert [one.kind for one in found.fields] == list(shapes.values())


async def test_values_are_what_is_stored_and_what_people_read(oa: Ecology, script: Script) -> None:
    choices = {"0": "一般", "1": "加急", "": "请选择"}
    script.body = opened(
        main_table(
            field("jj", "1", entry="5", choices=choices, edit=True),
            field("sqr", "12", entry="3", shown="张三&nbsp;", html="<a href='/hrm'>张三</a>"),
            field("je", "1200.5", of="4", shown="1,200.50"),
            field("sm", "第一行<br>第二行<script>x</script>", entry="2", edit=True),
            field("bz", "第一行\n第二行", entry="2", edit=True),
        )
    )
    jj, sqr, je, sm, bz = (await oa.open_document("2", "7")).fields
    assert jj.options == (Option("0", "一般"), Option("1", "加急"))
    assert (jj.value, jj.shown, jj.may_edit) == ("1", "加急", True)
    assert (sqr.value, sqr.shown) == ("12", "张三")
    assert (je.value, je.shown) == ("1200.5", "1,200.50")
    assert (sm.value, sm.may_edit) == ("第一行\n第二行", False)
    assert (bz.value, bz.may_edit) == ("第一行\n第二行", True)


async def test_unequal_names_and_values_of_a_choice_are_not_paired(
    oa: Ecology, script: Script
) -> None:
    body = opened(main_table(field("jj", "1", entry="5", choices={"0": "一般", "1": "加急"})))
    script.body = body.replace("<s:string>一般</s:string>", "")
    (one,) = (await oa.open_document("2", "7")).fields
    assert one.options == ()


async def test_detail_tables_keep_their_places_and_their_columns(
    oa: Ecology, script: Script
) -> None:
    script.body = opened(
        detail_tables(
            ("明细", [record(field("name", "床"), field("n", "2")), record(field("n", "3"))]),
            ("空的", [record(field("x", ""))]),
            ("没有的", []),
        )
    )
    first, second, third = (await oa.open_document("2", "7")).tables
    assert [one.name for one in first.columns] == ["name", "n"]
    assert [[one.value for one in row] for row in first.rows] == [["床", "2"], ["", "3"]]
    assert ([one.name for one in second.columns], second.rows) == (["x"], ())
    assert (third.title, third.columns, third.rows) == ("没有的", (), ())


async def test_a_row_that_holds_nothing_keeps_its_place_but_for_blank_ones_at_the_end(
    oa: Ecology, script: Script
) -> None:
    script.body = opened(
        detail_tables(("明细", [record(field("n", value)) for value in ("", "2", "", "4", "", "")]))
    )
    [table] = (await oa.open_document("2", "7")).tables
    assert [row[0].value for row in table.rows] == ["", "2", "", "4"]


async def test_files_are_named_by_the_number_under_which_they_are_fetched(
    oa: Ecology, script: Script
) -> None:
    script.body = opened(
        main_table(field("fj", "901", entry="6", shown="通知.docx", html=FILE)),
        logs(entry(1, annexDocHtmls=FILE.replace("30271", "8").replace("关于印发", "../../etc/"))),
    )
    found = await oa.open_document("2", "7")
    assert found.fields[0].attachments == (Attachment("30271", "关于印发制度的通知.docx", 24_064),)
    assert found.opinions[0].attachments == (Attachment("8", "制度的通知.docx", 24_064),)
    assert "FileDownload" not in repr(found)


async def test_a_file_that_somebody_wrote_into_an_opinion_is_none_of_the_document(
    oa: Ecology, script: Script
) -> None:
    """Files are fetched in nobody's name: whoever writes numbers would read all files of the hospital."""
    script.body = opened(logs(entry(1, remark=FILE)))
    found = await oa.open_document("2", "7")
    assert found.opinions[0].attachments == ()


# Opinions and steps


@pytest.mark.parametrize(
    "piece",
    [
        "<a ",
        "<!--",
        "<script ",
        "<a href='",
        "<a href='?fileid=1'>" + " " * 900,
        "<a href='?fileid=1'>(1" + " " * 14_000 + "x</a>",
    ],
)
async def test_markup_that_never_ends_is_read_as_quickly_as_any(
    oa: Ecology, script: Script, piece: str
) -> None:
    """It used to take seconds for each entry, with nobody else served meanwhile: here it would be minutes."""
    remark = piece * (15_000 // len(piece)) + "完"
    log = (entry(id, remark=remark, annexDocHtmls=remark) for id in range(1, 11))
    script.body = opened(logs(*log))
    found = await oa.open_document("2", "7")
    assert len(found.opinions) == 10


async def test_opinions_are_newest_first_and_harmless(oa: Ecology, script: Script) -> None:
    remark = (
        '<p onclick="x()" style="color:red">同意<img src="/sign.png"><b>加急</b></p>'
        '<a href="http://oa.example/x">附件</a><script>alert(1)</script>'
    )
    script.body = opened(logs(entry(2, remark=remark), entry(10, remark="a<b 可以\n行"), entry(9)))
    found = await oa.open_document("2", "7")
    assert [one.id for one in found.opinions] == ["10", "9", "2"]
    assert found.opinions[2].html == "<p>同意<b>加急</b></p>附件"
    assert (found.opinions[0].person_name, found.opinions[0].department) == ("王五", "内科")
    assert found.more_before == ""
    assert found.acted_at("5") == {"2"}


@pytest.mark.parametrize(
    ("remark", "html"),
    [
        ("一\n二 & 三", "一<br>二 &amp; 三"),
        ("a &lt; b", "a &lt; b"),
        ("x < y", "x &lt; y"),
        ("<br/>", ""),
        ("<img src=x onerror=alert(1)>", ""),
        ("<table border=1><tr><td>甲</td></tr></table>",
         "<table><tbody><tr><td>甲</td></tr></tbody></table>"),
        ("<a href='javascript:alert(1)'>看</a>", "看"),
        ("<iframe src='http://oa'></iframe>好", "好"),
        ("<span class='phone'>来自手机</span>", "来自手机"),
        (None, ""),
    ],
)  # fmt: skip
async def test_markup_of_an_opinion(
    oa: Ecology, script: Script, remark: str | None, html: str
) -> None:
    script.body = opened(logs(entry(1, remark=remark)))
    assert (await oa.open_document("2", "7")).opinions[0].html == html


async def test_steps_are_what_the_log_and_the_present_node_tell(
    oa: Ecology, script: Script
) -> None:
    script.body = opened(
        logs(
            entry(
                1, nodeId="1", nodeName="申请", operatorName="李四", receivedPersons="王五,赵六,"
            ),
            entry(2, operatorName="王五"),
            entry(3, operatorName="赵六", receivedPersons="钱七，孙八"),
            entry(4, nodeId="3", nodeName="院长审批", operatorName="钱七"),
            entry(5, nodeId="3", operatorName="孙八", operateType="转发", receivedPersons="周九"),
        )
    )
    first, second, now = (await oa.open_document("2", "7")).steps
    assert (first.node, first.acted, first.state) == ("申请", ("李四",), "done")
    assert (second.acted, second.since, second.until) == (
        ("王五", "赵六"),
        first.until,
        now.since,
    )
    assert (now.state, now.acted, now.holders) == ("current", ("钱七",), ("孙八", "周九"))


async def test_older_opinions_follow_whatever_the_end_of_a_page_means(
    oa: Ecology, script: Script
) -> None:
    script.body = opened(logs(*(entry(number) for number in range(41, 61))))
    found = await oa.open_document("2", "7")
    assert found.more_before == "41.20"

    def page(*numbers: int) -> str:
        return said("getWorkflowRequestLogs", "".join(entry(number) for number in numbers))

    script.body = page(*range(41, 21, -1))
    older = await oa.opinions("2", ("31", "7"), found.more_before)
    assert [one.id for one in older.opinions] == [str(n) for n in range(40, 21, -1)]
    assert older.more_before == "22.40"

    script.answers = [
        page(*range(60, 40, -1)),
        opened(logs(*(entry(number) for number in range(1, 61)))),
    ]
    older = await oa.opinions("2", ("31", "7"), "21.40")
    assert [one.id for one in older.opinions] == [str(n) for n in range(20, 0, -1)]
    script.body = page(3, 2, 1)
    assert (await oa.opinions("2", ("31", "7"), "4.60")).more_before == ""


@pytest.mark.parametrize("place", ["", "x", "1", "1.9999", "1.20; drop"])
async def test_a_place_in_a_log_that_was_never_given_is_not_asked_for(
    oa: Ecology, script: Script, place: str
) -> None:
    with pytest.raises(ValueError, match="place"):
        await oa.opinions("2", ("31", "7"), place)
    assert script.asked == []


# Larger than the schema


async def test_elements_of_later_builds_anywhere_lose_nothing(oa: Ecology, script: Script) -> None:
    later = f'<laterField {XSI}><x a="1">1</x></laterField>'
    plain = opened(
        main_table(field("a", "1", entry="5", choices={"1": "一"})),
        detail_tables(("明细", [record(field("n", "3"))])),
        logs(entry(1), entry(2)),
    )
    script.body = plain
    before = await oa.open_document("2", "7")
    grown = plain
    for end in (
        "</fieldName>",
        "</view>",
        "</id>",
        "</requestId>",
        "</recordOrder>",
        "</tableTitle>",
    ):
        grown = grown.replace(end, f"{end}{later}")
    for array in ("<workflowRequestLogs>", "<WorkflowRequestLog>", "<workflowRequestTableFields>"):
        grown = grown.replace(array, f"{array}{later}")
    script.body = grown
    assert await oa.open_document("2", "7") == before


async def test_nil_anywhere_in_a_document_is_passed_over(oa: Ecology, script: Script) -> None:
    empty = element("WorkflowRequestTableField", None)
    script.body = opened(
        main_table(empty, field("a", None)),
        element("workflowDetailTableInfos", None),
        logs(element("WorkflowRequestLog", None), entry(1, remark=None, operateDate=None)),
        "<workflowPhrases/>",
        requestLevel=None,
        createTime=" ",
        requestName=None,
    )
    found = await oa.open_document("2", "7")
    assert (found.title, found.urgency, found.created_at) == ("", "normal", None)
    assert [(one.name, one.value) for one in found.fields] == [("a", "")]
    assert [(one.html, one.at) for one in found.opinions] == [("", None)]
