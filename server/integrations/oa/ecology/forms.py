"""The fields of a form out of e-cology's records.

Only the first record of the main table counts. Its first fields are the document's heads in disguise (ids
below zero) and are left out, like every field that the person may not see. What a field is follows from
two numbers, its kind of entry and its kind of value; what they do not tell is shown and not filled in here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from server.integrations.oa.documents import Field, FieldKind, Option, Row, Table
from server.integrations.oa.markup import files_in, holds_markup, text_in
from server.integrations.oa.plain import plain_text

LONGEST_VALUE: Final = 4_000

_TEXTS: Final[dict[str, FieldKind]] = {
    "2": "number",
    "3": "number",
    "4": "money",
    "5": "money",
}
_CHOSEN_ELSEWHERE: Final[dict[str, FieldKind]] = {
    "1": "person",
    "17": "people",
    "4": "department",
    "57": "departments",
    "2": "date",
    "19": "time",
}
_BY_ENTRY: Final[dict[str, FieldKind]] = {
    "2": "long_text",
    "4": "check",
    "5": "choice",
    "6": "attachments",
}
_WORDS: Final = frozenset(("text", "long_text"))


def inside(wrapper: Any, name: str) -> list[Any]:
    """The elements of an array that may be missing, nil, empty, or have nil among them."""
    found = getattr(wrapper, name, None) if wrapper is not None else None
    return [one for one in found or [] if one is not None]


def main_fields(found: Any) -> tuple[Field, ...]:
    """The visible fields of the form itself."""
    table = found.workflowMainTableInfo
    records = table.requestRecords if table is not None else None
    return _row(inside(records, "WorkflowRequestTableRecord")[:1])


def tables(found: Any) -> tuple[Table, ...]:
    """The detail tables in their order, also those of which nothing may be seen: places count."""
    given = inside(found.workflowDetailTableInfos, "WorkflowDetailTableInfo")
    return tuple(_table(one) for one in given)


def lacks(fields: Row, detail: Sequence[Table]) -> bool:
    """Whether a visible field wants filling in before the document goes on."""
    rows = [fields, *(row for table in detail for row in table.rows)]
    return any(one.must_fill and not one.value.strip() for row in rows for one in row)


def _table(given: Any) -> Table:
    records = inside(given.workflowRequestTableRecords, "WorkflowRequestTableRecord")
    rows = [_row([record]) for record in records]
    columns: dict[str, Field] = {}
    for row in rows:
        for one in row:
            columns.setdefault(
                one.name, replace(one, value="", shown="", attachments=(), stored="")
            )
    while rows and not any(one.value or one.attachments for one in rows[-1]):
        # A blank one at the end is to be filled in; one in between is a place like any other.
        rows.pop()
    return Table(
        title=plain_text(given.tableTitle),
        columns=tuple(columns.values()),
        rows=tuple(_aligned(row, columns) for row in rows),
    )


def _aligned(row: Row, columns: dict[str, Field]) -> Row:
    """The same fields in the same order, whatever the record held."""
    there = {one.name: one for one in row}
    blank = (replace(one, may_edit=False, must_fill=False) for one in columns.values())
    return tuple(there.get(one.name, one) for one in blank)


def _row(records: Iterable[Any]) -> Row:
    fields: dict[str, Field] = {}
    for record in records:
        for given in inside(record.workflowRequestTableFields, "WorkflowRequestTableField"):
            one = _field(given)
            if one is not None:
                fields.setdefault(one.name, one)
    return tuple(fields.values())


def _field(given: Any) -> Field | None:
    name = (given.fieldName or "").strip()
    # What is not said to be visible is not.
    if not name or not given.view or (given.fieldId or "").strip().startswith("-"):
        return None
    kind = _kind((given.fieldHtmlType or "").strip(), (given.fieldType or "").strip())
    stored = given.fieldValue or ""
    may_edit = bool(given.edit)
    # Sending a text back without its markup would take the markup away.
    is_spared = kind in _WORDS and holds_markup(stored)
    options = _options(given) if kind == "choice" else ()
    value = text_in(stored) if kind in _WORDS else plain_text(stored, LONGEST_VALUE)
    return Field(
        name=name,
        label=plain_text(given.fieldShowName) or plain_text(given.fieldFormName) or name,
        kind=kind,
        value=value,
        shown=_shown(given, kind, value, options),
        may_edit=may_edit and not is_spared,
        must_fill=may_edit and bool(given.mand),
        options=options,
        attachments=files_in(given.filedHtmlShow, given.fieldShowValue)
        if kind == "attachments"
        else (),
        stored=stored,
    )


def _kind(entry: str, of_value: str) -> FieldKind:
    if entry == "1":
        return _TEXTS.get(of_value, "text")
    if entry == "3":
        return _CHOSEN_ELSEWHERE.get(of_value, "other")
    return _BY_ENTRY.get(entry, "other")


def _options(given: Any) -> tuple[Option, ...]:
    values = _strings(given.selectvalues)
    labels = _strings(given.selectnames)
    if len(values) != len(labels):
        # Which name belongs to which value cannot be told.
        return ()
    pairs = zip(values, labels, strict=True)
    return tuple(Option(value, plain_text(label)) for value, label in pairs if value)


def _strings(array: Any) -> list[str]:
    """Nil ones keep their place."""
    found = getattr(array, "string", None) if array is not None else None
    return [(one or "").strip() for one in found or []]


def _shown(given: Any, kind: FieldKind, value: str, options: tuple[Option, ...]) -> str:
    if kind in _WORDS or kind in ("number", "money"):
        return text_in(given.fieldShowValue) or value
    if kind == "choice":
        label = next((one.label for one in options if one.value == value), "")
        return label or plain_text(given.fieldShowValue)
    if kind == "check":
        return ""
    told = plain_text(given.fieldShowValue, LONGEST_VALUE)
    if told or kind in ("date", "time"):
        return told or value
    # Ids alone say nothing to anybody.
    return plain_text(given.filedHtmlShow, LONGEST_VALUE)
