"""What a form of the stand-in OA is made of: fields, detail tables, and the kinds that have them.

A form is data (`oa_kinds.py`): which field is filled in at which step, and which of them has to be.
Steps are counted from 0, where a document is started; values are what an OA stores (ids, options,
`YYYY-MM-DD`), never what people read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final, Literal

from server.sandbox.oa_files import OAFile

Kind = Literal[
    "text",
    "number",
    "decimal",
    "money",
    "money_words",
    "long",
    "person",
    "people",
    "department",
    "departments",
    "date",
    "time",
    "check",
    "choice",
    "files",
    "document",
    "special",
]

# fieldHtmlType, fieldType and fieldDBType.
CODES: Final[dict[Kind, tuple[str, str, str]]] = {
    "text": ("1", "1", "varchar(400)"),
    "number": ("1", "2", "int"),
    "decimal": ("1", "3", "decimal(15,3)"),
    "money": ("1", "4", "decimal(15,2)"),
    "money_words": ("1", "5", "decimal(15,2)"),
    "long": ("2", "2", "text"),
    "person": ("3", "1", "int"),
    "date": ("3", "2", "char(10)"),
    "department": ("3", "4", "int"),
    "document": ("3", "9", "int"),
    "people": ("3", "17", "text"),
    "time": ("3", "19", "char(5)"),
    "departments": ("3", "57", "text"),
    "check": ("4", "1", "char(1)"),
    "choice": ("5", "1", "int"),
    "files": ("6", "1", "text"),
    "special": ("7", "1", ""),
}

# Of a hospital that says nothing of its own.
DEPARTMENTS: Final[dict[int, str]] = {
    1: "院办公室",
    2: "医务科",
    3: "护理部",
    4: "财务科",
    5: "设备科",
    6: "信息科",
    7: "总务科",
    8: "药剂科",
    9: "院感科",
    10: "人事科",
    11: "心内科",
    12: "骨科",
}

OFFERED: Final[dict[str, str]] = {"submit": "同意", "reject": "退回", "forward": "转发"}
"""The buttons of a step where nothing else is said."""
BUTTONS: Final[dict[str, str]] = {
    "submit": "同意",
    "subnoback": "同意（不需反馈）",
    "subback": "同意（需反馈）",
    "reject": "退回",
    "forward": "转发",
}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field. `edit` and `must` are the steps at which it is filled in and has to be; somebody who
    does not hold the document edits nothing. `samples` are things an everyday document says there."""

    name: str
    label: str
    kind: Kind = "text"
    edit: tuple[int, ...] = (0,)
    must: tuple[int, ...] = ()
    view: bool = True
    options: tuple[tuple[str, str], ...] = ()
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A detail table."""

    title: str
    columns: tuple[FieldSpec, ...]


@dataclass(frozen=True, slots=True)
class Workflow:
    """A kind of document. `creators`: who may start one; None: everybody. A retired one is counted
    among those one can start and not listed with them."""

    id: int
    name: str
    category: int
    fields: tuple[FieldSpec, ...] = ()
    tables: tuple[TableSpec, ...] = ()
    creators: tuple[int, ...] | None = None
    offers: Mapping[str, str] = field(default_factory=lambda: OFFERED)
    is_retired: bool = False

    def may_start(self, user: int) -> bool:
        return not self.is_retired and (self.creators is None or user in self.creators)


@dataclass(frozen=True, slots=True)
class Office:
    """Who and what the values of fields name."""

    name_of: Callable[[int], str]
    department_of: Callable[[int], str]
    departments: Mapping[int, str]
    file_of_document: Callable[[int], OAFile | None]


def shown(spec: FieldSpec, value: str, office: Office) -> str:
    """What people read for a stored value."""
    if not value:
        return ""
    match spec.kind:
        case "person" | "people":
            return ",".join(office.name_of(one) for one in _ids(value))
        case "department" | "departments":
            return ",".join(office.departments.get(one, f"部门{one}") for one in _ids(value))
        case "choice":
            return dict(spec.options).get(value, "")
        case "check":
            return "是" if value == "1" else "否"
        case "files":
            found = [office.file_of_document(one) for one in _ids(value)]
            return ",".join(one.name for one in found if one is not None)
        case "money":
            return f"{float(value):,.2f}" if _is_number(value) else value
        case _:
            return value


def field_html(spec: FieldSpec, value: str, request_id: int, office: Office) -> str:
    """What the OA's own page would put there: with its scripts and addresses."""
    if spec.kind in ("person", "people"):
        return ",".join(
            f'<a href="javascript:openhrm({one});" onclick="pointerXY(event);">'
            f"{escape(office.name_of(one))}</a>"
            for one in _ids(value)
        )
    if spec.kind == "files":
        return files_html(_ids(value), request_id, office)
    if spec.kind == "long":
        return value
    return escape(shown(spec, value, office))


def files_html(documents: list[int], request_id: int, office: Office) -> str:
    """Links to attachments: the id of each file stands only in here."""
    found = [office.file_of_document(one) for one in documents]
    return "<br>".join(
        f'<a href="javascript:void(0)" onclick="openDocExt(\'{one.document_id}\','
        f"'{one.file_id}','1','1')\">{escape(one.name)}({one.size / 1024:.1f}K)</a>&nbsp;"
        f'<a href="/weaver/weaver.file.FileDownload?fileid={one.file_id}&amp;download=1'
        f'&amp;requestid={request_id}">下载</a>'
        for one in found
        if one is not None
    )


def _ids(value: str) -> list[int]:
    return [int(one) for one in value.split(",") if one.strip().isascii() and one.strip().isdigit()]


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
