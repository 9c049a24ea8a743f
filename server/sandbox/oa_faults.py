"""The ways in which the stand-in OA misbehaves, as an answer to a call."""

import asyncio
import re
from typing import Final

from aiohttp import web

from server.sandbox.faults import Faults

SLOW_S: Final = 15.0
MODES: Final = (
    "down",
    "slow",
    "fault",
    "empty",
    "malformed",
    "lost_answer",  # what was asked for happens, then the connection breaks
    "lost_submit",  # the same, for what changes something only
    "swallowed",  # what changes something is not done, and the connection breaks
    "slow_submit",  # what changes something is done at once and answered late
    "late_submit",  # what changes something is done, and answered, late
    "failed",  # what changes something is not done
    "blocked",  # as the filter of a product patch refuses
    "login",
    "nil_fields",
    "entity_bomb",
    "doctype",
    "huge_list",
    "file_login",
    "file_endless",
    "file_type",
    "file_elsewhere",
)
CHANGES: Final = ("submitWorkflowRequest", "forwardWorkflowRequest", "doCreateWorkflowRequest")

LOGIN_PAGE: Final = (
    '<html><head><script type="text/javascript">'
    'top.location.href="/login/Login.jsp?af=1&_token=";</script></head><body></body></html>'
)
_BOMB: Final = (
    '<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 20}">'
        for before, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    + "]>"
)
_DOCTYPE: Final = '<!DOCTYPE soap:Envelope SYSTEM "http://127.0.0.1:9/envelope.dtd">'
_NILLED: Final = (
    "createTime|creatorName|currentNodeName|fieldShowName|fieldShowValue|fieldValue|filedHtmlShow|"
    "forwardButtonName|lastOperateTime|lastOperatorName|messageType|nodeName|operateDate|operateTime|"
    "operateType|operatorName|receiveTime|rejectButtonName|remark|requestLevel|requestName|status|"
    "submitButtonName|workflowName|workflowTypeName"
)
_ROW: Final = "<WorkflowRequestInfo>"
_FILLED: Final = re.compile(rf"<({_NILLED})>[^<]*</\1>")


async def before(faults: Faults, request: web.Request) -> web.StreamResponse | None:
    """An answer instead of any, to a call of the service; None: ask it."""
    match faults.mode:
        case "down":
            return hang_up(request)
        case "slow":
            await faults.slowness(SLOW_S)
        case "blocked":
            return web.Response(
                text="<html><body>404</body></html>",
                status=404,
                content_type="text/html",
                headers={"errorMsg": "securityIntercept"},
            )
        case "login":
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
    return None


async def meanwhile(faults: Faults, mode: str, operation: str) -> None:
    """Before a question that was understood is answered."""
    if mode == "late_submit" and operation in CHANGES:
        await faults.slowness(SLOW_S)


async def after(
    faults: Faults, mode: str, request: web.Request, operation: str, text: str
) -> web.StreamResponse:
    """The answer of the service, as it arrives in this mode."""
    match mode:
        case "lost_answer":
            return hang_up(request)
        case "lost_submit" | "swallowed" if operation in CHANGES:
            return hang_up(request)
        case "slow_submit" if operation in CHANGES:
            await faults.slowness(SLOW_S)
        case "malformed":
            text = text[: len(text) // 2]
        case "nil_fields":
            text = _FILLED.sub(lambda found: f'<{found[1]} xsi:nil="true"/>', text)
            text = text.replace(_ROW, f'<{_ROW[1:-1]} xsi:nil="true"/>{_ROW}', 1)
        case "entity_bomb":
            text = _declared(text, _BOMB).replace("</ns1:out>", "&h;</ns1:out>", 1)
        case "doctype":
            text = _declared(text, _DOCTYPE)
    return xml(text)


async def endless(faults: Faults, request: web.Request) -> web.StreamResponse:
    """Zeros until the other side has had enough, or the switch is turned."""
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    await response.prepare(request)
    while faults.mode == "file_endless":
        await response.write(bytes(64 * 1024))
        await asyncio.sleep(0)
    return response


def xml(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/xml", charset="utf-8")


def hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _declared(text: str, doctype: str) -> str:
    return text.replace("?>", f"?>{doctype}", 1)
