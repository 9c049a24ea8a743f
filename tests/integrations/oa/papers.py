"""Whole documents as an OA writes them, element by element."""

from html import escape

from tests.integrations.oa.scripted import NS, XSI, envelope

TYPES = "http://webservices.workflow.weaver"
Given = str | bool | int | None


def element(name: str, value: Given) -> str:
    """Text is escaped; nil for None."""
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    said = str(value).lower() if isinstance(value, bool) else escape(str(value))
    return f"<{name}>{said}</{name}>"


def elements(values: dict[str, Given]) -> str:
    return "".join(element(name, value) for name, value in values.items())


def strings(name: str, *values: str | None) -> str:
    inner = "".join(element("s:string", value) for value in values)
    return f'<{name} xmlns:s="{NS}">{inner}</{name}>'


def field(
    name: str,
    value: Given = "",
    *,
    entry: str = "1",
    of: str = "1",
    label: str = "",
    shown: Given = None,
    html: Given = None,
    view: bool | None = True,
    edit: bool = False,
    mand: bool = False,
    id: str = "101",
    choices: dict[str, str] | None = None,
    more: str = "",
) -> str:
    """A field of a form; `more` is put between its elements."""
    parts = [
        element("browserurl", None),
        element("edit", edit),
        element("fieldFormName", label or name),
        element("fieldHtmlType", entry),
        element("fieldId", id),
        element("fieldName", name),
        element("fieldShowName", label or name),
        element("fieldShowValue", shown),
        element("fieldType", of),
        element("fieldValue", value),
        element("filedHtmlShow", html),
        element("mand", mand),
        strings("selectnames", *(choices or {}).values()),
        strings("selectvalues", *(choices or {}).keys()),
        "" if view is None else element("view", view),
    ]
    return f"<WorkflowRequestTableField>{more.join(parts)}</WorkflowRequestTableField>"


def record(*fields: str, order: int = 0) -> str:
    inner = "".join(fields)
    return (
        f"<WorkflowRequestTableRecord><recordOrder>{order}</recordOrder>"
        f"<workflowRequestTableFields>{inner}</workflowRequestTableFields>"
        "</WorkflowRequestTableRecord>"
    )


def main_table(*fields: str) -> str:
    return (
        f"<workflowMainTableInfo><requestRecords>{record(*fields)}</requestRecords>"
        "</workflowMainTableInfo>"
    )


def detail_tables(*tables: tuple[str, list[str]]) -> str:
    """Each a title and its records."""
    inner = "".join(
        f"<WorkflowDetailTableInfo>{element('tableTitle', title)}<workflowRequestTableRecords>"
        f"{''.join(records)}</workflowRequestTableRecords></WorkflowDetailTableInfo>"
        for title, records in tables
    )
    return f"<workflowDetailTableInfos>{inner}</workflowDetailTableInfos>"


def entry(number: int, **given: Given) -> str:
    """An entry of the log."""
    values: dict[str, Given] = {
        "id": str(number),
        "nodeId": "2",
        "nodeName": "科室审批",
        "operateDate": "2026-01-05",
        "operateTime": f"08:{number % 60:02}:00",
        "operateType": "批准",
        "operatorDept": "内科",
        "operatorId": "5",
        "operatorName": "王五",
        "receivedPersons": None,
        "remark": "同意",
    } | given
    return f"<WorkflowRequestLog>{elements(values)}</WorkflowRequestLog>"


def logs(*entries: str) -> str:
    return f"<workflowRequestLogs>{''.join(entries)}</workflowRequestLogs>"


HEADS: dict[str, Given] = {
    "canEdit": True,
    "canView": True,
    "createTime": "2026-01-05 07:00:00",
    "creatorId": "9",
    "creatorName": "李四",
    "currentNodeId": "3",
    "currentNodeName": "院长审批",
    "forwardButtonName": "转发",
    "messageType": "1",
    "mustInputRemark": False,
    "needAffirmance": False,
    "rejectButtonName": "退回",
    "remark": None,
    "requestId": "7",
    "requestLevel": "2",
    "requestName": "关于<b>设备</b>的请示",
    "status": "院长审批",
    "subbackButtonName": "",
    "submitButtonName": "批准",
    "subnobackButtonName": None,
}
BASE: dict[str, Given] = {
    "workflowId": "31",
    "workflowName": "设备采购",
    "workflowTypeId": "4",
    "workflowTypeName": "后勤",
}


def paper(*inside: str, base: dict[str, Given] | None = BASE, **heads: Given) -> str:
    """What stands in `out`."""
    told = "" if base is None else f"<workflowBaseInfo>{elements(base)}</workflowBaseInfo>"
    return f"{elements(HEADS | heads)}{told}{''.join(inside)}"


def said(operation: str, out: str) -> str:
    """A whole answer with this in `out`."""
    return envelope(
        f'<a:{operation}Response xmlns:a="{NS}"><a:out xmlns="{TYPES}" {XSI}>{out}</a:out>'
        f"</a:{operation}Response>"
    )


def opened(*inside: str, **heads: Given) -> str:
    return said("getWorkflowRequest4split", paper(*inside, **heads))


def blank(*inside: str, **heads: Given) -> str:
    asked = {"requestId": "0", "canView": False, "requestName": "设备采购-李四"} | heads
    return said("getCreateWorkflowRequestInfo", paper(*inside, **asked))


def nil(operation: str) -> str:
    return envelope(
        f'<a:{operation}Response xmlns:a="{NS}"><a:out {XSI} xsi:nil="true"/></a:{operation}Response>'
    )
