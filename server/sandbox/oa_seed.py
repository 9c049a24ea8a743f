"""Documents of a hospital's everyday life, the same ones each time."""

from dataclasses import replace
from random import Random
from typing import Any, Final

from server.sandbox.oa_documents import FIRST_ID, Document, Mode, Step
from server.sandbox.oa_files import OAFiles
from server.sandbox.oa_kinds import workflow_named
from server.sandbox.oa_plausible import plausible_form

_DAY_MS: Final = 24 * 3_600_000

_KINDS: Final = {
    "发文审批": (
        "关于开展{n}月份医疗质量检查的通知",
        "关于调整门诊出诊时间的通知",
        "关于做好冬季&nbsp;呼吸道疾病防控的通知",
    ),
    "请假申请": ("年休假申请（{n}天）", "外出学习请假申请", "产假申请"),
    "采购申请": (
        "心电监护仪采购申请（{n}台）",
        "一次性耗材采购申请",
        "检验试剂采购申请",
        "办公电脑采购申请（{n}台）",
    ),
    "设备维修": ("CT机房空调维修申请", "呼吸机定期保养申请", "电梯检修停用申请"),
    "信息系统变更": ("门诊叫号系统升级申请", "电子病历模板修改申请", "新增打印机{n}台接入申请"),
    "合同会签": ("保洁服务合同续签会签", "医疗废物处置合同会签", "后勤维保合同会签"),
    "院感上报": ("多重耐药菌监测月报（{n}月）", "手卫生依从性检查报告"),
    "收文": ("关于转发{n}月份医保结算通知的收文", "卫健委传染病防控文件收文"),
    "会签": ("后勤社会化服务项目会签", "信息化设备年度维保会签"),
    "大表单": ("医疗技术临床应用备案表",),
}


# What people write: with the handlers and the suffixes that the OA's page and its apps put there.
_OPINIONS: Final = (
    "同意",
    "同意，请按程序办理。",
    '同意<br/><br/><span style="font-size:11px;color:#666;">来自iPhone客户端</span>',
    '<p>已阅，请<a href="javascript:openhrm(3);" onclick="pointerXY(event);">医务科</a>跟进。</p>'
    '<br/><span style="font-size:11px;color:#666;">(来自Android客户端)</span>',
    '<p onclick="doSignature(this)">原则同意，<b>费用从科室预算列支</b>。</p>',
)
_DRAFT: Final = "拟同意，待核实预算后签发"


async def plausible_documents(count: int, people: int, now: int, files: OAFiles) -> list[Document]:
    """Waiting, done, refused and archived ones, of the last twenty days, with their forms and files.

    The first four people always have something, since they are who visitors sign in as.
    """
    chance = Random(2026)
    documents, named = [], []
    for number in range(count):
        document = _document(number, count, people, now, chance)
        kind = workflow_named(document.kind)
        values, rows, names = plausible_form(
            kind, document.creator, people, number, document.created_at
        )
        named.append(names if number % 2 == 0 else [])
        document = replace(document, values=values, rows=rows, offers=dict(kind.offers))
        documents.append(_noticed(_handled(document, chance, now), now))
    made = iter(await files.make([name for names in named for name in names]))
    return [
        _with_files(document, [next(made).document_id for _ in names])
        for document, names in zip(documents, named, strict=True)
    ]


def _document(number: int, count: int, people: int, now: int, chance: Random) -> Document:
    age = (count - number) * 20 * _DAY_MS // count
    created_at = now - age - chance.randrange(3_600_000)
    kind = chance.choice(tuple(_KINDS))
    approvers = tuple(chance.sample(range(1, people + 1), k=chance.choice((1, 1, 2, 3))))
    if number % 12 < 4:
        approvers = (min(people, number % 12 + 1), *approvers[1:])
    approvers = tuple(dict.fromkeys(approvers))
    return Document(
        request_id=FIRST_ID + number,
        title=chance.choice(_KINDS[kind]).format(n=chance.randrange(2, 13)),
        creator=chance.randrange(1, people + 1),
        kind=kind,
        urgency=chance.choice((0, 0, 0, 0, 1, 1, 2)),
        created_at=created_at,
        approvers=approvers,
        copies=tuple(chance.sample(range(1, people + 1), k=2)),
        drafts={approvers[0]: _DRAFT} if number % 9 == 0 else {},
        **_way(number, approvers, people, chance),
    ).sent_out(created_at)


def _way(number: int, approvers: tuple[int, ...], people: int, chance: Random) -> dict[str, Any]:
    """Most have one step for all; some go in turn, to one of several, or on to a second step."""
    modes: tuple[Mode, ...] = ("all", "all", "in_turn", "any")
    first = Step("审批", approvers, modes[number % 4])
    if number % 5 == 0:
        return {"steps": (first, Step("分管院长签发", (chance.randrange(1, people + 1),)))}
    return {"steps": (first,)}


def _with_files(document: Document, ids: list[int]) -> Document:
    """Its attachments, and the first of them with the newest opinion, too."""
    place = next((f.name for f in workflow_named(document.kind).fields if f.kind == "files"), "")
    if not ids or not place:
        return document
    *earlier, last = document.log
    if len(document.log) > 1:
        last = last | {"files": ids[:1]}
    values = document.values | {place: ",".join(str(one) for one in ids)}
    return replace(document, values=values, log=(*earlier, last))


def _noticed(document: Document, now: int) -> Document:
    """The older a document, the more of its copies have been read."""
    chance = Random(document.request_id)
    share = 0.3 + 0.5 * min(1.0, (now - document.created_at) / (10 * _DAY_MS))
    readers = [person for person in document.copies if chance.random() < share]
    return replace(document, read=tuple(dict.fromkeys((*document.read, *readers))))


def _handled(document: Document, chance: Random, now: int) -> Document:
    """Older documents have mostly been acted on."""
    at = document.created_at
    while document.step and document.pending:
        person = document.pending[0]
        at += chance.randrange(1, _DAY_MS)
        if at > now or chance.random() < 0.3:
            break
        act = chance.choices(("approve", "reject"), weights=(9, 1))[0]
        remark = chance.choice(_OPINIONS) if act == "approve" else "请补充附件"
        document = document.submitted(person, act, remark, at)
        document = replace(document, read=(*document.read, person))
    return document
