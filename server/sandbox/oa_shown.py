"""What the stand-in OA says of a document: as a row of a list, or opened by somebody.

It tells everything to everybody, as the original does: `canView` and `view` are only marked, never obeyed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from server.sandbox.oa_documents import CREATED, Document
from server.sandbox.oa_forms import (
    CODES,
    FieldSpec,
    Office,
    Workflow,
    field_html,
    files_html,
    shown,
)
from server.sandbox.oa_kinds import CATEGORIES, workflow_named
from server.sandbox.oa_later import Build
from server.sandbox.oa_wire import (
    Parts,
    Value,
    array,
    element,
    joined,
    local_time,
    scalars,
    texts,
)

PHRASES: Final = ("同意", "同意，请尽快办理", "请补充材料后再报", "已阅", "请按程序办理")

_ACTS: Final = {
    "create": "提交",
    "approve": "批准",
    "reject": "退回",
    "forward": "转发",
    "note": "批注",
}


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes values of one build of the service."""

    office: Office
    build: Build

    def row(self, document: Document, user: int) -> Parts:
        """One line of a list: canView and canEdit mean nothing in it."""
        return self._info(document, user, {})

    def opened(self, document: Document, user: int, entries: int) -> Parts:
        """Everything, with the newest `entries` of the log."""
        kind = workflow_named(document.kind)
        offered = document.offered_to(user)
        holds = user in document.pending
        heads: dict[str, Value] = {
            "canEdit": document.waits_for(user),
            "canView": user in document.people,
            "forwardButtonName": offered.get("forward", ""),
            "lastOperateTime": local_time(document.created_at),
            "messageType": document.message_type,
            "mustInputRemark": holds and document.needs_opinion and document.node != CREATED,
            "needAffirmance": holds and document.needs_affirmance,
            "receiveTime": None,
            "rejectButtonName": offered.get("reject", ""),
            "remark": document.drafts.get(user),
            "subbackButtonName": offered.get("subback", ""),
            "submitButtonName": offered.get("submit", ""),
            "subnobackButtonName": offered.get("subnoback", ""),
        }
        step = document.step if holds else None
        return {
            **self._info(document, user, heads),
            **self._form(kind, document, step),
            "workflowPhrases": element("workflowPhrases", _phrases()),
            "workflowRequestLogs": element(
                "workflowRequestLogs",
                array("WorkflowRequestLog", self.log(document, 0, entries)),
            ),
        }

    def blank(self, kind: Workflow, user: int, today: str) -> Parts:
        """The form of a document that somebody may start."""
        heads: dict[str, Value] = {
            "canEdit": True,
            "canView": True,
            "creatorId": str(user),
            "creatorName": self.office.name_of(user),
            "currentNodeId": CREATED,
            "currentNodeName": "创建",
            "messageType": "0",
            "mustInputRemark": False,
            "needAffirmance": False,
            "requestId": "0",
            "requestLevel": "0",
            "requestName": f"{kind.name}-{self.office.name_of(user)}-{today}",
            "submitButtonName": "提交",
        }
        values = {"sqr": str(user), "sqrq": today}
        empty = Document(
            0, str(heads["requestName"]), user, kind.name, 0, 0, (), values=_known(kind, values)
        )
        return {
            **scalars(dict.fromkeys(_HEADS) | heads),
            **self._form(kind, empty, 0),
            **self.build("WorkflowRequestInfo"),
            "workflowBaseInfo": self._base_of(kind),
        }

    def log(self, document: Document, before: int, entries: int) -> list[Parts]:
        """The newest entries with an id below `before`, newest first; 0: from the very newest."""
        numbered = list(enumerate(document.log, 1))
        older = [one for one in numbered if not before or one[0] < before]
        return [self._entry(document, number, entry) for number, entry in older[::-1][:entries]]

    def base(self, kind: Workflow) -> Parts:
        return scalars(
            {
                "workflowId": str(kind.id),
                "workflowName": kind.name,
                "workflowTypeId": str(kind.category),
                "workflowTypeName": CATEGORIES[kind.category],
            }
        )

    def category(self, category: int) -> Parts:
        """An entry of the list of types, which fills in nothing else."""
        return scalars(
            {
                "workflowId": None,
                "workflowName": None,
                "workflowTypeId": str(category),
                "workflowTypeName": CATEGORIES[category],
            }
        )

    def _info(self, document: Document, user: int, more: Mapping[str, Value]) -> dict[str, str]:
        name_of = self.office.name_of
        last: Mapping[str, Any] = (
            document.log[-1]
            if document.log
            else {"user": document.creator, "at": document.created_at}
        )
        values: dict[str, Value] = {
            "canEdit": False,
            "canView": False,
            "createTime": local_time(document.created_at),
            "creatorId": str(document.creator),
            "creatorName": name_of(document.creator),
            "currentNodeId": document.node,
            "currentNodeName": document.node_name,
            "lastOperateTime": local_time(last["at"]),
            "lastOperatorName": name_of(last["user"]),
            "mustInputRemark": False,
            "needAffirmance": False,
            "receiveTime": local_time(document.received_at(user)),
            "requestId": str(document.request_id),
            "requestLevel": str(document.urgency),
            "requestName": document.title,
            "status": document.node_name,
        }
        return {
            **scalars({**dict.fromkeys(_HEADS), **values, **more}),
            **self.build("WorkflowRequestInfo"),
            "workflowBaseInfo": self._base_of(workflow_named(document.kind)),
        }

    def _base_of(self, kind: Workflow) -> str:
        return element("workflowBaseInfo", joined(self.base(kind)))

    def _form(self, kind: Workflow, document: Document, step: int | None) -> dict[str, str]:
        """`step`: at which it is filled in by whoever opened it; None: he only reads."""
        pseudo = {
            "requestname": document.title,
            "requestlevel": str(document.urgency),
            "messageType": document.message_type,
        }
        fields = [
            self._field(FieldSpec(name, name, edit=(0,)), -number, value, document, step)
            for number, (name, value) in enumerate(pseudo.items(), 1)
        ]
        fields += self._fields(kind.fields, kind.id * 100, document.values, document, step)
        main = element("requestRecords", _record(0, fields)) + element(
            "tableDBName", f"formtable_main_{kind.id}"
        )
        return {
            "workflowDetailTableInfos": element(
                "workflowDetailTableInfos",
                array("WorkflowDetailTableInfo", self._tables(kind, document, step)),
            ),
            "workflowMainTableInfo": element("workflowMainTableInfo", main),
        }

    def _tables(self, kind: Workflow, document: Document, step: int | None) -> list[Parts]:
        made: list[Parts] = []
        for number, table in enumerate(kind.tables):
            rows = document.rows[number] if number < len(document.rows) else ()
            # Of a blank form, one row without values tells the columns.
            rows = rows or (({},) if step == 0 else ())
            first = kind.id * 100 + 70 + number * 10
            records = "".join(
                _record(at, self._fields(table.columns, first, row, document, step))
                for at, row in enumerate(rows)
            )
            labels = texts(column.label for column in table.columns)
            made.append(
                {
                    "tableFieldName": element("tableFieldName", labels),
                    "workflowRequestTableRecords": element("workflowRequestTableRecords", records),
                    **scalars(
                        {
                            "tableDBName": f"formtable_main_{kind.id}_dt{number + 1}",
                            "tableTitle": table.title,
                        }
                    ),
                }
            )
        return made

    def _fields(
        self,
        fields: Sequence[FieldSpec],
        first_id: int,
        values: Mapping[str, str],
        document: Document,
        step: int | None,
    ) -> list[Parts]:
        return [
            self._field(field, number, values.get(field.name, ""), document, step)
            for number, field in enumerate(fields, first_id)
        ]

    def _field(
        self, field: FieldSpec, id: int, value: str, document: Document, step: int | None
    ) -> Parts:
        html_type, field_type, db_type = CODES[field.kind]
        html = field_html(field, value, document.request_id, self.office)
        return {
            **scalars(
                {
                    "browserurl": f"/browser.jsp?type={field_type}" if html_type == "3" else None,
                    "edit": step in field.edit,
                    "fieldDBType": db_type,
                    "fieldFormName": f"field{id}",
                    "fieldHtmlType": html_type,
                    "fieldId": str(id),
                    "fieldName": field.name,
                    "fieldOrder": abs(id),
                    "fieldShowName": field.label,
                    "fieldShowValue": shown(field, value, self.office),
                    "fieldType": field_type,
                    "fieldValue": value,
                    "filedHtmlShow": html,
                    "mand": step in field.must,
                    "view": field.view,
                }
            ),
            "selectnames": element("selectnames", texts(label for _, label in field.options)),
            "selectvalues": element("selectvalues", texts(value for value, _ in field.options)),
            **self.build("WorkflowRequestTableField"),
        }

    def _entry(self, document: Document, number: int, entry: Mapping[str, Any]) -> Parts:
        day, clock = local_time(entry["at"]).split(" ")
        user, office = entry["user"], self.office
        received = ",".join(office.name_of(one) for one in entry.get("received", ()))
        files = files_html(list(entry.get("files", ())), document.request_id, office)
        values: dict[str, Value] = {
            "agentor": None,
            "agentorDept": None,
            "annexDocHtmls": files or None,
            "id": str(number),
            "nodeId": entry["node"],
            "nodeName": document.name_of_node(entry["node"]),
            "operateDate": day,
            "operateTime": clock,
            "operateType": _ACTS[entry["act"]],
            "operatorDept": office.department_of(user),
            "operatorId": str(user),
            "operatorName": office.name_of(user),
            "operatorSign": None,
            "receivedPersons": received or None,
            "remark": entry["remark"],
            "remarkSign": None,
            "signDocHtmls": None,
            "signWorkFlowHtmls": None,
        }
        return {**scalars(values), **self.build("WorkflowRequestLog")}


_HEADS: Final = (
    "canEdit",
    "canView",
    "createTime",
    "creatorId",
    "creatorName",
    "currentNodeId",
    "currentNodeName",
    "forwardButtonName",
    "lastOperateTime",
    "lastOperatorName",
    "messageType",
    "mustInputRemark",
    "needAffirmance",
    "receiveTime",
    "rejectButtonName",
    "remark",
    "requestId",
    "requestLevel",
    "requestName",
    "status",
    "subbackButtonName",
    "submitButtonName",
    "subnobackButtonName",
)


def _record(order: int, fields: Sequence[Parts]) -> str:
    inside = scalars({"recordOrder": order}) | {
        "workflowRequestTableFields": element(
            "workflowRequestTableFields", array("WorkflowRequestTableField", fields)
        )
    }
    return element("WorkflowRequestTableRecord", joined(inside))


def _phrases() -> str:
    return "".join(
        f"<ns1:ArrayOfString>{texts((phrase, phrase))}</ns1:ArrayOfString>" for phrase in PHRASES
    )


def _known(kind: Workflow, values: Mapping[str, str]) -> dict[str, str]:
    names = {field.name for field in kind.fields}
    return {name: value for name, value in values.items() if name in names}
