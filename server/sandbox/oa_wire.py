"""How the stand-in OA reads and writes SOAP: envelopes as XFire makes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from xml.sax.saxutils import escape

from lxml import etree

from server.sandbox.oa_documents import Document

SERVICE_NS: Final = "webservices.services.weaver.com.cn"
TYPES_NS: Final = "http://webservices.workflow.weaver"
_SOAP_NS: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<soap:Envelope xmlns:soap="{_SOAP_NS}" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body>'
)
_TAIL: Final = "</soap:Body></soap:Envelope>"
_ZONE: Final = timezone(timedelta(hours=8), "Asia/Shanghai")

NameOf = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Question:
    """An operation and its arguments in0, in1 … as elements."""

    operation: str
    arguments: tuple[Any, ...]

    def text(self, at: int) -> str:
        return (self.arguments[at].text or "").strip() if at < len(self.arguments) else ""

    def number(self, at: int) -> int:
        return int(self.text(at))

    def texts(self, at: int) -> list[str]:
        return [(one.text or "").strip() for one in self.arguments[at]]

    def inside(self, at: int, *path: str) -> str:
        """Text of an element within an argument, by the local names on the way to it."""
        return str(self.arguments[at].findtext("/".join(f"{{*}}{name}" for name in path)) or "")


def read_question(body: bytes) -> Question:
    """Raises ValueError for anything that is no question to this service."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        operation = etree.fromstring(body, parser).find(f"{{{_SOAP_NS}}}Body")[0]  # type: ignore[index]
    except (etree.XMLSyntaxError, TypeError, IndexError):
        raise ValueError("the request is not a SOAP envelope") from None
    name = etree.QName(operation)
    if name.namespace != SERVICE_NS:
        raise ValueError(f"no such namespace: {name.namespace}")
    return Question(name.localname, tuple(operation))


def answer(operation: str, out: str) -> str:
    """A whole answer; `out` is XML already."""
    return (
        f'{_HEAD}<ns1:{operation}Response xmlns:ns1="{SERVICE_NS}">{out}'
        f"</ns1:{operation}Response>{_TAIL}"
    )


def out_text(value: object) -> str:
    return f"<ns1:out>{escape(str(value))}</ns1:out>"


def out_texts(values: Sequence[str]) -> str:
    return (
        "<ns1:out>"
        + "".join(f"<ns1:string>{escape(v)}</ns1:string>" for v in values)
        + "</ns1:out>"
    )


def out_rows(documents: Sequence[Document], user: int, name_of: NameOf) -> str:
    """An array of list rows; an empty one is an empty element, as the original writes it."""
    rows = "".join(
        f'<WorkflowRequestInfo xmlns="{TYPES_NS}">{_row(document, user, name_of)}</WorkflowRequestInfo>'
        for document in documents
    )
    return f"<ns1:out>{rows}</ns1:out>" if rows else "<ns1:out/>"


def out_document(document: Document, user: int, name_of: NameOf) -> str:
    """An opened document."""
    may_act = user in document.pending
    opened: dict[str, str | None] = {
        "canEdit": str(may_act).lower(),
        "canView": str(user in document.people).lower(),
        "mustInputRemark": str(may_act and document.needs_opinion).lower(),
        "rejectButtonName": "退回" if may_act else "",
        "submitButtonName": "同意" if may_act else "",
    }
    logs = "".join(_log(entry, number, name_of) for number, entry in enumerate(document.log, 1))
    return (
        f'<ns1:out xmlns="{TYPES_NS}">{_row(document, user, name_of, opened)}'
        f"<workflowRequestLogs>{logs}</workflowRequestLogs></ns1:out>"
    )


def fault(reason: str) -> str:
    return (
        f"{_HEAD}<soap:Fault><faultcode>soap:Server</faultcode>"
        f"<faultstring>{escape(reason)}</faultstring></soap:Fault>{_TAIL}"
    )


def local_time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _row(
    document: Document, user: int, name_of: NameOf, opened: dict[str, str | None] | None = None
) -> str:
    last = (
        document.log[-1] if document.log else {"user": document.creator, "at": document.created_at}
    )
    fields: dict[str, str | None] = {
        "canEdit": "false",
        "canView": "false",
        "createTime": local_time(document.created_at),
        "creatorId": str(document.creator),
        "creatorName": name_of(document.creator),
        "currentNodeId": document.node,
        "currentNodeName": document.node_name,
        "forwardButtonName": None,
        "lastOperateTime": local_time(last["at"]),
        "lastOperatorName": name_of(last["user"]),
        "messageType": None,
        "mustInputRemark": "false",
        "needAffirmance": "false",
        "receiveTime": local_time(document.received_at(user)),
        "rejectButtonName": None,
        "remark": None,
        "requestId": str(document.request_id),
        "requestLevel": str(document.urgency),
        "requestName": document.title,
        "status": document.node_name,
        "subbackButtonName": None,
        "submitButtonName": None,
        "subnobackButtonName": None,
    } | (opened or {})
    base = {
        "workflowId": "1",
        "workflowName": document.kind,
        "workflowTypeId": "1",
        "workflowTypeName": "行政公文",
    }
    return (
        "".join(_element(name, value) for name, value in fields.items())
        + "<workflowBaseInfo>"
        + "".join(_element(name, value) for name, value in base.items())
        + "</workflowBaseInfo>"
    )


def _log(entry: dict[str, Any], number: int, name_of: NameOf) -> str:
    day, clock = local_time(entry["at"]).split(" ")
    fields = {
        "id": str(number),
        "nodeId": entry["node"],
        "operateDate": day,
        "operateTime": clock,
        "operateType": "退回" if entry["act"] == "reject" else "批准",
        "operatorId": str(entry["user"]),
        "operatorName": name_of(entry["user"]),
        "remark": entry["remark"],
    }
    inner = "".join(_element(name, value) for name, value in fields.items())
    return f"<WorkflowRequestLog>{inner}</WorkflowRequestLog>"


def _element(name: str, value: str | None) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    legal = "".join(
        char if char >= " " or char in "\t\n\r" else f"&#x{ord(char):02x};"
        for char in escape(value)
    )
    return f"<{name}>{legal}</{name}>"
