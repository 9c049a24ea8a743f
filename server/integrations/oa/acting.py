"""What e-cology says about a document somebody wants to act on, and what it wants back.

A document may be refused to a reader and yet be answered whole, so `canView` decides and nothing else.
A form goes back with the heads it came with, because some builds copy title, urgency and creator from
it whatever it says; fields of the form are left out, so that none is changed.
"""

from typing import Any, Final

from server.integrations.oa import Demand, NotUnderstood, Opened, RefusedByOA
from server.integrations.oa.plain import plain_text

_HEADS: Final = ("requestId", "requestName", "requestLevel", "messageType", "creatorId")
_BASE: Final = ("workflowId", "workflowName", "workflowTypeId", "workflowTypeName")
_WOULD_NOT: Final = frozenset({"failed", "error"})


def opened_request(found: Any, request_id: str, oa_user: str) -> Opened:
    """Out of the answer to `getWorkflowRequest`. A nil answer is an object full of None."""
    given_id = (getattr(found, "requestId", None) or "").strip()
    if not given_id or not found.canView:
        raise RefusedByOA("The OA does not show this document to this person.")
    if given_id != request_id:
        raise NotUnderstood("The OA opened another document than it was asked for.")
    base = found.workflowBaseInfo
    if base is None or not base.workflowId:
        raise NotUnderstood("The OA opened a document without saying which kind it is.")
    fields = _fields(found)
    node_id = (found.currentNodeId or "").strip()
    return Opened(
        request_id=given_id,
        title=plain_text(found.requestName),
        node_id=node_id,
        may_submit=bool(node_id and found.canEdit and (found.submitButtonName or "").strip()),
        demands=_demands(found, fields),
        labels=tuple(
            plain_text(one.fieldShowName)
            for one in fields
            if one.view and (one.fieldValue or "").strip()
        ),
        acted_at=_acted_at(found, oa_user),
        form=found,
    )


def form_of(opened: Opened) -> dict[str, Any]:
    """What goes back: the heads as they were read, and no field of the form."""
    found = opened.form
    form: dict[str, Any] = {name: getattr(found, name) for name in _HEADS}
    base = found.workflowBaseInfo
    form["workflowBaseInfo"] = {name: getattr(base, name) for name in _BASE}
    return form


def submitted(said: object) -> bool:
    """Only this one word means that it was done."""
    if said == "success":
        return True
    if said in _WOULD_NOT:
        return False
    raise NotUnderstood("The OA answered a submission with something it never says.")


def _fields(found: Any) -> list[Any]:
    table = found.workflowMainTableInfo
    records = table.requestRecords if table is not None else None
    rows = [row for row in (records.WorkflowRequestTableRecord if records else []) if row]
    fields: list[Any] = []
    for row in rows[:1]:  # only the first record of the main table is ever read
        inside = row.workflowRequestTableFields
        fields += inside.WorkflowRequestTableField if inside else []
    return [one for one in fields if one is not None]


def _demands(found: Any, fields: list[Any]) -> frozenset[Demand]:
    demands: set[Demand] = set()
    if found.mustInputRemark:
        demands.add("opinion")
    if found.needAffirmance:
        demands.add("affirmation")
    if any(one.mand and one.edit and not (one.fieldValue or "").strip() for one in fields):
        demands.add("fields")
    return frozenset(demands)


def _acted_at(found: Any, oa_user: str) -> frozenset[str]:
    logs = found.workflowRequestLogs
    entries = logs.WorkflowRequestLog if logs is not None else []
    return frozenset(
        (one.nodeId or "").strip()
        for one in entries
        if one is not None and (one.operatorId or "").strip() == oa_user
    )
