"""Forms filled in as on any weekday, the same ones each time."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from server.sandbox.oa_forms import DEPARTMENTS, FieldSpec, Workflow
from server.sandbox.oa_wire import local_time

_DAY_MS: Final = 24 * 3_600_000

Rows = tuple[tuple[Mapping[str, str], ...], ...]

_FILES: Final[dict[str, tuple[str, ...]]] = {
    "公文审批": ("请示正文.docx",),
    "发文审批": ("关于印发检查方案的通知（送审稿）.docx", "检查表（2026版）.xlsx"),
    "请假申请": ("诊断证明.png",),
    "采购申请": ("采购清单与参数.xlsx", "三家报价对比.pdf"),
    "设备维修": ("现场照片.png",),
    "信息系统变更": ("变更方案.docx",),
    "合同会签": ("服务合同（2026年度）.docx", "营业执照.pdf"),
    "院感上报": ("消毒记录.xlsx",),
    "收文": ("来文扫描件.pdf",),
    "会签": ("会签材料.docx", "付款计划.xlsx"),
    "大表单": ("说明“一”&附件.txt",),
}


def plausible_form(
    kind: Workflow, creator: int, people: int, number: int, now: int
) -> tuple[dict[str, str], Rows, list[str]]:
    """Values, detail rows and names of attachments of the document of this number."""
    chance = Random(number)
    filler = _Filler(creator, people, now, chance)
    values = filler.values(kind.fields)
    rows = tuple(
        tuple(filler.values(table.columns) for _ in range(chance.randrange(1, 5)))
        for table in kind.tables
    )
    names = _FILES.get(kind.name, ())
    has_place = any(field.kind == "files" for field in kind.fields)
    return values, rows, list(names) if has_place else []


@dataclass(frozen=True, slots=True)
class _Filler:
    """Somebody who fills in a form at this moment."""

    creator: int
    people: int
    now: int
    chance: Random

    def values(self, fields: tuple[FieldSpec, ...]) -> dict[str, str]:
        """What the creator fills in; what only a later step does is left out."""
        started = [field for field in fields if 0 in field.edit or not field.view]
        return {field.name: said for field in started if (said := self._value(field))}

    def _value(self, field: FieldSpec) -> str:
        chance = self.chance
        match field.kind:
            case "text" | "long":
                return chance.choice(field.samples or (f"{field.label}内容",))
            case "number":
                return str(chance.randrange(1, 60))
            case "decimal":
                return f"{chance.randrange(1, 20) / 2:.1f}"
            case "money" | "money_words":
                return f"{chance.randrange(500, 900_000)}.{chance.randrange(100):02d}"
            case "person":
                return str(self.creator)
            case "people":
                chosen = chance.sample(range(1, self.people + 1), k=min(2, self.people))
                return ",".join(str(one) for one in chosen)
            case "department":
                return str(chance.choice(tuple(DEPARTMENTS)))
            case "departments":
                return ",".join(str(one) for one in sorted(chance.sample(tuple(DEPARTMENTS), k=3)))
            case "date":
                days = chance.randrange(2, 20) if field.name != "sqrq" else 0
                return local_time(self.now + days * _DAY_MS)[:10]
            case "time":
                return f"{chance.randrange(8, 18):02d}:{chance.choice(('00', '30'))}"
            case "check":
                return chance.choice("01")
            case "choice":
                return chance.choice(field.options)[0]
            case "document":
                return "901"
            case _:
                return ""
