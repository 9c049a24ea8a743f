"""A server that says anything at all, and the envelopes it may say it in."""

import asyncio

from aiohttp import web

from server.clock import SystemClock
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.ecology import Ecology, OAConfig
from server.integrations.oa.soap import Limits

NS = "webservices.services.weaver.com.cn"
LIST = "getToDoWorkflowRequestListResponse"
COUNT = "getToDoWorkflowRequestCountResponse"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
SCHEMA_ORDER = (
    "createTime", "creatorName", "currentNodeName", "receiveTime", "requestId", "requestLevel",
    "requestName",
)  # fmt: skip


class Script:
    """A server that gives one answer to everything, after a list of others, and keeps what it was
    asked."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.body: bytes | str = b""
        self.answers: list[bytes | str] = []
        self.status = 200
        self.headers = {"Content-Type": "text/xml; charset=utf-8"}
        self.hangs = False
        self.asked: list[tuple[dict[str, str], str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((dict(request.headers), await request.text()))
        if self.hangs:
            await asyncio.sleep(30)
        said = self.answers.pop(0) if self.answers else self.body
        body = said.encode() if isinstance(said, str) else said
        return web.Response(body=body, status=self.status, headers=self.headers)


def adapter_for(
    address: str, timeout_s: float = 5.0, breaker: Breaker | None = None, files: str = ""
) -> Ecology:
    clock = SystemClock()
    limits = Limits(timeout_s=timeout_s)
    config = OAConfig(address, headers={"X-Door": "7"}, limits=limits, files=files)
    return Ecology(config, Budget(1_000, clock), breaker or Breaker(clock, threshold=1_000))


def envelope(inside: str) -> str:
    return (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:xsd="http://www.w3.org/2001/XMLSchema" {XSI}><soap:Body>{inside}</soap:Body>'
        "</soap:Envelope>"
    )


def listed(*rows: str) -> str:
    return envelope(f'<a:{LIST} xmlns:a="{NS}"><a:out>{"".join(rows)}</a:out></a:{LIST}>')


def row(request_id: str = "7", *, name: str = "请示", between: str = "", order: int = 1) -> str:
    values = {
        "createTime": "2026-01-05 07:00:00",
        "creatorName": "李四",
        "currentNodeName": "审批",
        "receiveTime": "2026-01-05 08:30:00",
        "requestId": request_id,
        "requestLevel": "2",
        "requestName": name,
    }
    fields = [f"<{field}>{values[field]}</{field}>" for field in SCHEMA_ORDER[::order]]
    inner = between.join(["", *fields, ""])
    return (
        '<WorkflowRequestInfo xmlns="http://webservices.workflow.weaver">'
        f"{inner}</WorkflowRequestInfo>"
    )


async def titles(oa: Ecology) -> list[str]:
    return [item.title for item in (await oa.list_items("2", "pending", 1, 20)).items]


async def ids(oa: Ecology) -> list[str]:
    return [item.request_id for item in (await oa.list_items("2", "pending", 1, 20)).items]
