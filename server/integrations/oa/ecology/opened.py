"""An opened document, or a blank one, out of e-cology's answer.

A document may be refused to a reader and yet be answered whole, so `canView` decides and nothing else. A
nil answer arrives as an object full of None. What is offered are the buttons that have a name.
"""

from datetime import tzinfo
from typing import Any, Final

from server.integrations.oa import NotUnderstood, RefusedByOA
from server.integrations.oa.documents import (
    Action,
    BlankForm,
    Demand,
    Field,
    OpenedDocument,
    Table,
)
from server.integrations.oa.ecology.forms import inside, lacks, main_fields, tables
from server.integrations.oa.ecology.logs import entries_of, opinions_of, place_before, steps_of
from server.integrations.oa.markup import text_in
from server.integrations.oa.plain import moment, plain_text, urgency

MOST_PHRASES: Final = 100

_BUTTONS: Final[dict[Action, str]] = {
    "approve": "submitButtonName",
    "approve_wanting_reply": "subbackButtonName",
    "approve_without_reply": "subnobackButtonName",
    "reject": "rejectButtonName",
    "forward": "forwardButtonName",
}


def opened_document(found: Any, request_id: str, asked: int, zone: tzinfo) -> OpenedDocument:
    """Out of the answer to `getWorkflowRequest4split` with so many entries of the log."""
    base = _base(found, request_id)
    node_id, node = (found.currentNodeId or "").strip(), plain_text(found.currentNodeName)
    fields, detail = main_fields(found), tables(found)
    opinions = opinions_of(entries_of(found.workflowRequestLogs), zone)
    return OpenedDocument(
        request_id=request_id,
        workflow_id=(base.workflowId or "").strip(),
        kind=plain_text(base.workflowName),
        title=plain_text(found.requestName),
        creator_name=plain_text(found.creatorName),
        creator=(found.creatorId or "").strip(),
        created_at=moment(found.createTime, zone),
        urgency=urgency(found.requestLevel),
        status=plain_text(found.status),
        node_id=node_id,
        node=node,
        actions=_actions(found, node_id),
        demands=_demands(found, fields, detail),
        fields=fields,
        tables=detail,
        opinions=opinions,
        more_before=place_before(opinions, asked),
        steps=steps_of(opinions, node_id, node),
        phrases=_phrases(found),
        draft=text_in(found.remark),
        form=found,
    )


def blank_form(found: Any, workflow_id: str) -> BlankForm:
    """Out of the answer to `getCreateWorkflowRequestInfo`."""
    base = getattr(found, "workflowBaseInfo", None)
    if base is None and not (getattr(found, "requestId", None) or "").strip():
        raise RefusedByOA("The OA does not let this person start this.")
    if base is None or (base.workflowId or "").strip() != workflow_id:
        raise NotUnderstood("The OA showed the form of another kind than it was asked for.")
    return BlankForm(
        workflow_id=workflow_id,
        kind=plain_text(base.workflowName),
        title=plain_text(found.requestName),
        fields=main_fields(found),
        tables=tables(found),
        form=found,
    )


def _base(found: Any, request_id: str) -> Any:
    given_id = (getattr(found, "requestId", None) or "").strip()
    if not given_id or not found.canView:
        raise RefusedByOA("The OA does not show this document to this person.")
    if given_id != request_id:
        raise NotUnderstood("The OA opened another document than it was asked for.")
    base = found.workflowBaseInfo
    if base is None or not (base.workflowId or "").strip():
        raise NotUnderstood("The OA opened a document without saying which kind it is.")
    return base


def _actions(found: Any, node_id: str) -> dict[Action, str]:
    named = {action: plain_text(getattr(found, name)) for action, name in _BUTTONS.items()}
    # Who may not edit may at most show it to others.
    may_act = bool(node_id and found.canEdit)
    return {
        action: name for action, name in named.items() if name and may_act | (action == "forward")
    }


def _demands(found: Any, fields: tuple[Field, ...], detail: tuple[Table, ...]) -> frozenset[Demand]:
    demands: set[Demand] = set()
    if found.mustInputRemark:
        demands.add("opinion")
    if found.needAffirmance:
        demands.add("affirmation")
    if found.canEdit and lacks(fields, detail):
        demands.add("fields")
    return frozenset(demands)


def _phrases(found: Any) -> tuple[str, ...]:
    """Each comes as a pair, the words last."""
    pairs = (inside(pair, "string") for pair in inside(found.workflowPhrases, "ArrayOfString"))
    words = (text_in(pair[-1]) for pair in pairs if pair)
    return tuple(dict.fromkeys(word for word in words if word))[:MOST_PHRASES]
