"""Values of fields, between what the OA stores and what pages hold.

They are the same but for people and departments: the OA's own ids of them stay on the server, pages speak of
people and departments of the house. Checking is the same for starting and for acting: what may be filled in
here, and whether what was typed fits the field.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from server.directory import Directory
from server.features.documents.protocol import (
    AttachmentCard,
    FieldCard,
    FieldOption,
    TableCard,
    ValueProblem,
)
from server.integrations.oa.documents import Attachment, Field, FieldKind, Table

PEOPLE: Final[frozenset[FieldKind]] = frozenset({"person", "people"})
DEPARTMENTS: Final[frozenset[FieldKind]] = frozenset({"department", "departments"})
ONE: Final[frozenset[FieldKind]] = frozenset({"person", "department"})
ELSEWHERE: Final[frozenset[FieldKind]] = frozenset({"attachments", "other"})
LONGEST: Final = 4_000

_NUMBER: Final = re.compile(r"-?\d{1,18}(\.\d{1,8})?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)
_SHAPES: Final[dict[FieldKind, tuple[re.Pattern[str], ValueProblem]]] = {
    "number": (_NUMBER, "number"),
    "money": (_NUMBER, "number"),
    "date": (_DATE, "date"),
    "time": (_TIME, "time"),
}

Address = Callable[[Attachment], str]


def nowhere(attachment: Attachment) -> str:
    """The address of files that are only named."""
    return ""


class Unknown(ValueError):
    """Somebody, or a department, that the OA does not know."""


def ours(kind: FieldKind, value: str, directory: Directory) -> str | None:
    """What a page holds for a stored value; None when somebody in it is unknown here."""
    if kind not in PEOPLE | DEPARTMENTS:
        return value
    of = directory.by_oa if kind in PEOPLE else directory.department_by_oa
    found = [of(one) for one in _ids(value)]
    known = [one.id for one in found if one is not None]
    return ",".join(known) if len(known) == len(found) else None


def theirs(kind: FieldKind, value: str, directory: Directory) -> str:
    """What the OA stores for what a page holds. Raises Unknown."""
    if kind not in PEOPLE | DEPARTMENTS:
        return value.strip()
    of = _oa_user if kind in PEOPLE else _oa_department
    return ",".join(of(one, directory) for one in _ids(value))


def is_fillable(field: Field, directory: Directory) -> bool:
    """Whether a page can fill it in; otherwise only the OA's own page can."""
    if not field.may_edit or field.kind in ELSEWHERE:
        return False
    if field.kind in DEPARTMENTS and not directory.knows_oa_departments:
        return False
    return ours(field.kind, field.value, directory) is not None


def problem_of(field: Field, value: str, directory: Directory) -> ValueProblem | None:
    """What is wrong with what a page holds for a field that can be filled in."""
    typed = value.strip()
    if not typed:
        # The OA passes over what is empty, so that what it has there would stay unseen.
        return "missing" if field.must_fill else "kept" if field.value.strip() else None
    if len(typed) > LONGEST:
        return "long"
    shape, problem = _SHAPES.get(field.kind, (None, None))
    if shape is not None and shape.fullmatch(typed) is None:
        return problem
    if field.kind == "choice" and typed not in {option.value for option in field.options}:
        return "choice"
    if field.kind == "check" and typed not in ("0", "1"):
        return "choice"
    if field.kind in ONE and len(_ids(typed)) > 1:
        return "choice"
    try:
        theirs(field.kind, typed, directory)
    except Unknown:
        return "unknown_there"
    return None


def field_card(field: Field, directory: Directory, address: Address = nowhere) -> FieldCard:
    """A field as pages see it."""
    fillable = is_fillable(field, directory)
    return FieldCard(
        name=field.name,
        label=field.label,
        kind=field.kind,
        value=ours(field.kind, field.value, directory) or "",
        shown=field.shown,
        may_edit=fillable or (field.may_edit and field.kind in ELSEWHERE),
        must_fill=field.must_fill and field.may_edit,
        options=[FieldOption(value=one.value, label=one.label) for one in field.options],
        attachments=[
            AttachmentCard(id=one.id, name=one.name, size=one.size, url=address(one))
            for one in field.attachments
        ],
    )


def table_card(table: Table, directory: Directory, address: Address = nowhere) -> TableCard:
    """A detail table as pages see it."""

    def cards(row: Sequence[Field]) -> list[FieldCard]:
        return [field_card(one, directory, address) for one in row]

    return TableCard(
        title=table.title, columns=cards(table.columns), rows=[cards(row) for row in table.rows]
    )


def _ids(value: str) -> list[str]:
    return [one for part in value.split(",") if (one := part.strip())]


def _oa_user(person_id: str, directory: Directory) -> str:
    person = directory.person(person_id)
    if person is None or person.is_retired or not person.oa_user_id:
        raise Unknown(f"{person_id} has no account in the OA")
    return person.oa_user_id


def _oa_department(department_id: str, directory: Directory) -> str:
    department = directory.department(department_id)
    if department is None or not department.oa_department_id:
        raise Unknown(f"department {department_id} is not known to the OA")
    return department.oa_department_id
