"""What e-cology's short answers mean: to an act, to a start, and which kinds there are to start."""

from collections.abc import Iterable
from typing import Any, Final

from server.integrations.oa import NotUnderstood
from server.integrations.oa.documents import NotStarted, StartFault, StartKind
from server.integrations.oa.plain import plain_text

_WOULD_NOT: Final = frozenset({"failed", "error"})
_REASONS: Final[dict[int, StartFault]] = {
    -1: "failed",
    -2: "no_right",
    -3: "basic_data",
    -4: "form",
    -5: "urgency",
    -6: "operators",
    -7: "next_step",
    -8: "step_action",
    -9: "rows",
}
_NOTHING_REMAINS: Final = frozenset((-1, -2, -3))
"""Codes from before anything is stored; any other may leave something behind."""


def was_done(said: object) -> bool:
    """Only this one word means that it was done."""
    if said == "success":
        return True
    if said in _WOULD_NOT:
        return False
    raise NotUnderstood("The OA answered a submission with something it never says.")


def started(said: object) -> str:
    """The id of what was started. Nil is an exception inside the OA: nobody knows what it left."""
    told = said.strip() if isinstance(said, str) else ""
    digits = told.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):
        raise NotUnderstood("The OA answered a start with something it never says.")
    code = int(told)
    if code > 0:
        return str(code)
    raise NotStarted(_REASONS.get(code, "failed"), may_remain=code not in _NOTHING_REMAINS)


def new_flags(told: Iterable[object] | None, count: int) -> tuple[bool, ...]:
    """One flag for each document asked about: fewer or others are an error inside the OA."""
    flags = [str(one).strip() for one in told or ()]
    if len(flags) != count or not set(flags) <= {"0", "1"}:
        raise NotUnderstood("The OA did not say of each document whether it is new.")
    return tuple(flag == "1" for flag in flags)


def start_kinds(rows: Iterable[Any], categories: dict[str, str]) -> tuple[StartKind, ...]:
    """Each once, in the OA's order. `categories` names types whose rows do not."""
    kinds: dict[str, StartKind] = {}
    for row in rows:
        workflow_id, name = (row.workflowId or "").strip(), plain_text(row.workflowName)
        if not workflow_id or not name:
            continue
        category = plain_text(row.workflowTypeName) or categories.get(type_of(row), "")
        kinds.setdefault(workflow_id, StartKind(workflow_id, name, category))
    return tuple(kinds.values())


def type_of(row: Any) -> str:
    """The id of the category of a kind."""
    return (row.workflowTypeId or "").strip()
