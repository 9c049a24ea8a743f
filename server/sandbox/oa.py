"""The stand-in OA: a WorkflowService as e-cology offers it, and a desk to put documents on.

The service (`/oa/services/WorkflowService`) believes whatever user id it is handed and cuts pages
by the record count it is told, as the original does. The desk (`/oa/requests`) stands for the
OA's own pages: it goes on working while the service is told to misbehave (`/oa/faults`).
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.clock import Clock
from server.sandbox.faults import Faults
from server.sandbox.oa_documents import LISTS, Document, Documents
from server.sandbox.oa_seed import plausible_documents
from server.sandbox.oa_wire import (
    Question,
    answer,
    fault,
    out_document,
    out_rows,
    out_text,
    out_texts,
    read_question,
)

SERVICE: Final = "/oa/services/WorkflowService"
WSDL: Final = Path(__file__).parents[1] / "integrations" / "oa" / "WorkflowService.wsdl"
SLOW_S: Final = 15.0
MODES: Final = (
    "down",
    "slow",
    "fault",
    "empty",
    "malformed",
    "lost_answer",  # what was asked for happens, then the connection breaks
)
LONGEST_TITLE: Final = 2_000

_LIST = re.compile(rf"get({'|'.join(LISTS)})WorkflowRequest(Count|List)")
_ACCOUNT = re.compile(r"s([0-9]{4,6})", re.ASCII)
_SUBMIT_TYPES: Final = ("submit", "subnoback", "subback", "reject")
_URGENCY: Final = {"normal": 0, "important": 1, "urgent": 2}


class BadRequest(ValueError):
    """What is wrong with a request to the desk, in a sentence."""


class OAStandIn:
    """Routes of the stand-in. `open` reads what was kept; nothing has to be closed."""

    def __init__(
        self,
        data_dir: Path,
        clock: Clock,
        *,
        people: int = 1600,
        name_of: Callable[[int], str] = lambda user: f"职工{user:04d}",
        wsdl: Path = WSDL,
    ) -> None:
        self.documents = Documents(data_dir / "sandbox" / "oa.jsonl", clock, name_of)
        self.faults = Faults(MODES, clock)
        self.calls: Counter[str] = Counter()
        self._clock = clock
        self._people = people
        self._wsdl = wsdl

    async def open(self) -> None:
        await self.documents.open()

    async def seed(self, count: int = 240) -> None:
        """Put documents of a hospital's everyday life into the lists, unless there are any."""
        if not len(self.documents):
            await self.documents.put(plausible_documents(count, self._people, self._clock.now()))

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(SERVICE, self._serve),
            web.get(SERVICE, self._describe),
            web.get("/oa/requests", self._show),
            web.post("/oa/requests", self._create),
            web.post("/oa/requests/{request_id}/submit", self._submit),
            web.get("/oa/faults", self.faults.show),
            web.post("/oa/faults", self.faults.turn),
        ]

    # The service

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        mode = self.faults.mode
        if mode == "down":
            return _hang_up(request)
        if mode == "slow":
            await self.faults.slowness(min(SLOW_S, self.faults.remaining_s))
        try:
            question = read_question(body)
            self.calls[question.operation] += 1
            if mode == "fault":
                return _xml(fault("java.lang.NullPointerException"), 500)
            text = answer(question.operation, await self._answer(question, mode == "empty"))
            if mode == "lost_answer":
                return _hang_up(request)
        except (ValueError, LookupError) as failed:
            return _xml(fault(f"Invalid operation or argument: {failed}"), 500)
        return _xml(text[: len(text) // 2] if mode == "malformed" else text)

    async def _answer(self, question: Question, swallows: bool) -> str:
        """The `out` element. `swallows`: as after an inner error, which the original does not
        tell.
        """
        found = _LIST.fullmatch(question.operation)
        if found is not None and found[2] == "Count":
            listed = self.documents.listed(found[1], question.number(0))
            return out_text(0 if swallows else len(listed))
        if found is not None:
            user = question.number(3)
            listed = self.documents.listed(found[1], user)
            page = _cut(listed, question.number(0), question.number(1), question.number(2))
            return out_rows([] if swallows else page, user, self.documents.name_of)
        acts: dict[str, Callable[[Question], Awaitable[str]]] = {
            "getWorkflowNewFlag": self._new_flags,
            "writeWorkflowReadFlag": self._mark_read,
            "getWorkflowRequest": self._open,
            "getWorkflowRequest4split": self._open,
            "submitWorkflowRequest": self._act,
            "doCreateWorkflowRequest": self._start,
        }
        if question.operation not in acts:
            raise ValueError(question.operation)
        return await acts[question.operation](question)

    async def _new_flags(self, question: Question) -> str:
        user = question.number(1)
        documents = [self.documents.find(int(id_)) for id_ in question.texts(0)]
        return out_texts(
            ["1" if one is not None and user not in one.read else "0" for one in documents]
        )

    async def _mark_read(self, question: Question) -> str:
        await self.documents.mark_read(question.number(0), question.number(1))
        return ""

    async def _open(self, question: Question) -> str:
        document, user = self.documents.find(question.number(0)), question.number(1)
        if document is None:
            return '<ns1:out xsi:nil="true"/>'
        await self.documents.mark_read(document.request_id, user)
        return out_document(document, user, self.documents.name_of)

    async def _act(self, question: Question) -> str:
        kind, form = question.text(3), question.arguments[0]
        if kind not in _SUBMIT_TYPES:
            return out_text("error")
        heads: dict[str, Any] = {}
        if len(form):
            # A form that says something has to say which kind it is of, and its heads are taken over
            # as they are.
            if not question.inside(0, "workflowBaseInfo", "workflowId"):
                return out_text("error")
            level = question.inside(0, "requestLevel")
            heads = {
                "title": question.inside(0, "requestName"),
                "urgency": int(level) if level in ("0", "1", "2") else 0,
            }
        done = await self.documents.submit(
            question.number(1), question.number(2), kind, question.text(4), **heads
        )
        return out_text("success" if done else "failed")

    async def _start(self, question: Question) -> str:
        """The approvers come in a field of that name, ids with commas; else the first person."""
        title = question.inside(0, "requestName")
        creator = question.inside(0, "creatorId")
        if not title or not creator or not question.inside(0, "workflowBaseInfo", "workflowId"):
            return out_text(-3)
        values = {
            field.findtext("{*}fieldName"): field.findtext("{*}fieldValue")
            for field in question.arguments[0].iter("{*}WorkflowRequestTableField")
        }
        approvers = [int(one) for one in (values.get("approvers") or "1").split(",")]
        level = question.inside(0, "requestLevel")
        document = await self.documents.create(
            title, int(creator), approvers, urgency=int(level) if level in ("0", "1", "2") else 0
        )
        return out_text(document.request_id)

    async def _describe(self, request: web.Request) -> web.StreamResponse:
        if "wsdl" not in {name.lower() for name in request.query}:
            return web.Response(text="WorkflowService", status=200)
        if self.faults.mode == "down":
            return _hang_up(request)
        text = await asyncio.to_thread(self._wsdl.read_text, "utf-8")
        here = f"{request.scheme}://{request.host}{SERVICE}"
        return _xml(re.sub(r'(address location=")[^"]*', lambda found: found[1] + here, text))

    # The desk

    async def _show(self, request: web.Request) -> web.Response:
        """Newest first; `?user=s0002` for those that wait for somebody."""
        documents = self.documents.newest()
        if "user" in request.query:
            try:
                user = self._user(request.query["user"], "user")
            except BadRequest as bad:
                return _error(str(bad), 400)
            documents = [one for one in documents if user in one.pending]
        return web.json_response([self._shown(one) for one in documents[:500]])

    async def _create(self, request: web.Request) -> web.Response:
        try:
            fields = _fields(
                await request.read(),
                {"title", "creator", "approvers"},
                {"urgency", "copies", "kind", "needs_opinion"},
            )
            title = _text(fields["title"], "title", LONGEST_TITLE)
            document = await self.documents.create(
                title,
                self._user(fields["creator"], "creator"),
                self._users(fields["approvers"], "approvers", least=1),
                urgency=_one_of(fields.get("urgency", "normal"), "urgency", _URGENCY),
                copies=self._users(fields.get("copies", []), "copies", least=0),
                kind=_text(fields.get("kind", "公文审批"), "kind", 60),
                needs_opinion=fields.get("needs_opinion", False) is True,
            )
        except BadRequest as bad:
            return _error(str(bad), 400)
        return web.json_response({"request_id": str(document.request_id)}, status=201)

    async def _submit(self, request: web.Request) -> web.Response:
        try:
            fields = _fields(await request.read(), {"user"}, {"type", "remark"})
            user = self._user(fields["user"], "user")
            kind = fields.get("type", "submit")
            _one_of(kind, "type", dict.fromkeys(_SUBMIT_TYPES, 0))
            remark = fields.get("remark", "")
            remark = _text(remark, "remark", 4_000) if remark else ""
        except BadRequest as bad:
            return _error(str(bad), 400)
        request_id = request.match_info["request_id"]
        if not request_id.isdecimal() or self.documents.find(int(request_id)) is None:
            return _error(f"there is no request {request_id}", 404)
        if not await self.documents.submit(int(request_id), user, kind, remark):
            return _error(f"request {request_id} does not wait for {fields['user']}", 409)
        return web.json_response({"result": "success"})

    def _shown(self, document: Document) -> dict[str, Any]:
        return {
            "request_id": str(document.request_id),
            "title": document.title,
            "creator": _account(document.creator),
            "creator_name": self.documents.name_of(document.creator),
            "urgency": list(_URGENCY)[document.urgency],
            "node": document.node_name,
            "created_at": document.created_at,
            "pending": [_account(user) for user in document.pending],
            "done": [_account(user) for user in document.done],
            "copies": [_account(user) for user in document.copies],
        }

    def _user(self, account: object, field: str) -> int:
        found = _ACCOUNT.fullmatch(account) if isinstance(account, str) else None
        if found is None or not 1 <= int(found[1]) <= self._people:
            raise BadRequest(f"{field}: there is no account {account!r}")
        return int(found[1])

    def _users(self, accounts: object, field: str, *, least: int) -> list[int]:
        if not isinstance(accounts, list) or not least <= len(accounts) <= 200:
            raise BadRequest(f"{field} must be a list of {least} to 200 accounts")
        return [self._user(account, field) for account in accounts]


def _cut(listed: list[Document], page: int, size: int, told: int) -> list[Document]:
    """A page as one build's SQL cuts it: by the total it was told, right only if that is true."""
    upto = max(page, 1) * size
    rows = min(size, told - upto + size)
    return listed[:upto][-rows:] if rows > 0 else []


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _xml(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/xml", charset="utf-8")


def _error(sentence: str, status: int) -> web.Response:
    return web.json_response({"error": f"{sentence}."}, status=status)


def _account(user: int) -> str:
    return f"s{user:04d}"


def _fields(body: bytes, needed: set[str], more: set[str]) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError:
        raise BadRequest("the body must be a JSON object") from None
    if not isinstance(fields, dict):
        raise BadRequest("the body must be a JSON object")
    if missing := sorted(needed - set(fields)):
        raise BadRequest(f"{missing[0]} is missing")
    if unknown := sorted(set(fields) - needed - more):
        raise BadRequest(f"unknown field {unknown[0]!r}")
    return fields


def _text(value: object, field: str, longest: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise BadRequest(f"{field} must be a text of 1 to {longest} characters")
    return value.strip()


def _one_of(value: object, field: str, known: dict[str, int]) -> int:
    if not isinstance(value, str) or value not in known:
        raise BadRequest(f"{field} must be one of {', '.join(known)}")
    return known[value]
