"""What e-cology is sent: a form that changes what a person changed, and nothing else.

Some builds take over title, urgency and creator from whatever form comes, so the heads go back as they
came. A field is stored only with a name, a value that is not empty, and both its flags up, so nothing can
be emptied. Detail tables count by their place: one that stays as it is goes as an empty one, and if none
changes all stay away.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from server.integrations.oa.documents import (
    Action,
    BlankForm,
    Field,
    FieldKind,
    NewDocument,
    OpenedDocument,
    Row,
    Submission,
    Table,
    UnfitValue,
)
from server.integrations.oa.ecology.forms import LONGEST_VALUE
from server.integrations.oa.plain import sendable

TYPES: Final[Mapping[Action, str]] = {
    "approve": "submit",
    "approve_wanting_reply": "subback",
    "approve_without_reply": "subnoback",
    "reject": "reject",
}
_HEADS: Final = ("requestId", "requestName", "requestLevel", "messageType", "creatorId")
_BASE: Final = ("workflowId", "workflowName", "workflowTypeId", "workflowTypeName")
_LEVELS: Final = {"normal": "0", "important": "1", "urgent": "2"}
_NOT_FILLED_HERE: Final[frozenset[FieldKind]] = frozenset(("attachments", "other"))
_MOST_ROWS: Final = 200

_ID: Final = r"[1-9][0-9]{0,17}"
_IDS: Final = rf"{_ID}(,{_ID}){{0,499}}"
_NUMBER: Final = r"-?[0-9]{1,20}(\.[0-9]{1,10})?"
_SHAPES: Final[dict[FieldKind, str]] = {
    "number": _NUMBER,
    "money": _NUMBER,
    "date": r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "time": r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?",
    "check": r"[01]",
    "person": _ID,
    "people": _IDS,
    "department": _ID,
    "departments": _IDS,
}


def form_with(opened: OpenedDocument, said: Submission) -> dict[str, Any]:
    """What goes back with an act. Raises `UnfitValue`."""
    found = opened.form
    form: dict[str, Any] = {name: getattr(found, name) for name in _HEADS}
    base = found.workflowBaseInfo
    form["workflowBaseInfo"] = {name: getattr(base, name) for name in _BASE}
    changed = _changed(opened.fields, said.values)
    if changed:
        form["workflowMainTableInfo"] = _main(changed)
    if any(rows is not None for rows in said.rows):
        if len(said.rows) > len(opened.tables):
            raise UnfitValue("", "unknown")
        kept: list[Sequence[Mapping[str, str]] | None] = [None] * len(opened.tables)
        kept[: len(said.rows)] = said.rows
        pairs = zip(opened.tables, kept, strict=True)
        form["workflowDetailTableInfos"] = _tables(
            [[] if rows is None else _rows(table, rows) for table, rows in pairs]
        )
    return form


def new_form(oa_user: str, blank: BlankForm, new: NewDocument) -> dict[str, Any]:
    """What starts a document. Raises `UnfitValue`."""
    base = blank.form.workflowBaseInfo
    form: dict[str, Any] = {
        "creatorId": oa_user,
        "requestName": sendable(new.title).strip(),
        "requestLevel": _LEVELS[new.urgency],
        "workflowBaseInfo": {name: getattr(base, name) for name in _BASE},
        "workflowMainTableInfo": _main(_given(blank.fields, new.values)),
    }
    if blank.form.messageType:
        form["messageType"] = blank.form.messageType
    if len(new.rows) > len(blank.tables):
        raise UnfitValue("", "unknown")
    if blank.tables:
        rows = [*new.rows, *([[]] * (len(blank.tables) - len(new.rows)))]
        pairs = zip(blank.tables, rows, strict=True)
        form["workflowDetailTableInfos"] = _tables([_new_rows(table, one) for table, one in pairs])
    return form


def fit(one: Field, value: str) -> str:
    """The value as it may be sent; empty when there is none. Raises `UnfitValue`."""
    value = sendable(value).strip()
    shape = _SHAPES.get(one.kind)
    if value and (
        len(value) > LONGEST_VALUE
        or (shape is not None and re.fullmatch(shape, value, re.ASCII) is None)
        or (one.kind == "choice" and value not in {option.value for option in one.options})
    ):
        raise UnfitValue(one.name, "wrong_shape")
    return value


def _changed(row: Row, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """The fields of a row that differ from what was opened."""
    known = {one.name: one for one in row}
    changed = []
    for name, given in values.items():
        one = known.get(name)
        if one is None:
            raise UnfitValue(name, "unknown")
        if given == one.value:
            continue
        if not one.may_edit or one.kind in _NOT_FILLED_HERE:
            raise UnfitValue(name, "not_editable")
        value = fit(one, given)
        if not value and one.value.strip():
            raise UnfitValue(name, "cannot_be_emptied")
        if value and value != one.value:
            changed.append(_sent(one.name, value))
    return changed


def _given(row: Row, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a blank row becomes: what was given, and what it held already."""
    changed = _changed(row, values)
    named = {one["fieldName"] for one in changed}
    preset = [one for one in row if one.value and one.may_edit and one.name not in named]
    return [*changed, *(_sent(one.name, one.stored or one.value) for one in preset)]


def _rows(table: Table, rows: Sequence[Mapping[str, str]]) -> list[list[dict[str, Any]]]:
    """All rows of a table that changes, each whole, so that none loses a value."""
    if len(rows) > _MOST_ROWS:
        raise UnfitValue(table.title, "wrong_shape")
    if len(rows) < len(table.rows):
        raise UnfitValue(table.title, "rows_taken_away")
    whole = []
    for at, values in enumerate(rows):
        before = table.rows[at] if at < len(table.rows) else table.columns
        changed = {one["fieldName"]: one for one in _changed(before, values)}
        stays = [one for one in before if one.value and one.name not in changed]
        kept = (_sent(one.name, one.stored or one.value, edit=one.may_edit) for one in stays)
        whole.append([*changed.values(), *kept])
    return whole


def _new_rows(table: Table, rows: Sequence[Mapping[str, str]]) -> list[list[dict[str, Any]]]:
    if len(rows) > _MOST_ROWS:
        raise UnfitValue(table.title, "wrong_shape")
    return [_given(table.columns, values) for values in rows]


def _sent(name: str, value: str, *, edit: bool = True) -> dict[str, Any]:
    return {"fieldName": name, "fieldValue": value, "view": True, "edit": edit}


def _main(fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"requestRecords": {"WorkflowRequestTableRecord": [_record(0, fields)]}}


def _tables(rows_of: list[list[list[dict[str, Any]]]]) -> dict[str, Any]:
    return {
        "WorkflowDetailTableInfo": [
            {
                "workflowRequestTableRecords": {
                    "WorkflowRequestTableRecord": [
                        _record(at, fields) for at, fields in enumerate(rows)
                    ]
                }
            }
            for rows in rows_of
        ]
    }


def _record(order: int, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "recordOrder": order,
        "workflowRequestTableFields": {"WorkflowRequestTableField": fields},
    }
