"""Documents of a hospital's everyday life, the same ones each time."""

from dataclasses import replace
from random import Random
from typing import Final

from server.sandbox.oa_documents import FIRST_ID, Document

_DAY_MS: Final = 24 * 3_600_000

_KINDS: Final = {
    "发文审批": (
        "关于开展{n}月份医疗质量检查的通知",
        "关于调整门诊出诊时间的通知",
        "关于做好冬季呼吸道疾病防控的通知",
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
}


def plausible_documents(count: int, people: int, now: int) -> list[Document]:
    """Waiting, done, refused and archived ones, of the last twenty days.

    The first four people always have something, since they are who visitors sign in as.
    """
    chance = Random(2026)
    documents = []
    for number in range(count):
        age = (count - number) * 20 * _DAY_MS // count
        created_at = now - age - chance.randrange(3_600_000)
        kind = chance.choice(tuple(_KINDS))
        approvers = tuple(chance.sample(range(1, people + 1), k=chance.choice((1, 1, 2, 3))))
        if number % 12 < 4:
            approvers = (min(people, number % 12 + 1), *approvers[1:])
        document = Document(
            request_id=FIRST_ID + number,
            title=chance.choice(_KINDS[kind]).format(n=chance.randrange(2, 13)),
            creator=chance.randrange(1, people + 1),
            kind=kind,
            urgency=chance.choice((0, 0, 0, 0, 1, 1, 2)),
            created_at=created_at,
            approvers=tuple(dict.fromkeys(approvers)),
            copies=tuple(chance.sample(range(1, people + 1), k=2)),
        ).sent_out(created_at)
        documents.append(_handled(document, chance, now))
    return documents


def _handled(document: Document, chance: Random, now: int) -> Document:
    """Older documents have mostly been acted on."""
    at = document.created_at
    for person in document.approvers:
        at += chance.randrange(1, _DAY_MS)
        if at > now or chance.random() < 0.3:
            break
        act = chance.choices(("approve", "reject"), weights=(9, 1))[0]
        document = document.submitted(
            person,
            "reject" if act == "reject" else "approve",
            "同意" if act == "approve" else "请补充附件",
            at,
        )
        document = replace(document, read=(*document.read, person))
        if act == "reject":
            break
    return document
