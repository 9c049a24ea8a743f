"""The desk: the stand-in OA's own pages, where people put documents and act on them.

It goes on working while the service is told to misbehave.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from server.clock import Clock
from server.sandbox.oa_desk_view import account, accounts, whole
from server.sandbox.oa_documents import CREATED, MODES, Document, Mode, Step
from server.sandbox.oa_files import OAFiles
from server.sandbox.oa_forms import BUTTONS, Office, Workflow
from server.sandbox.oa_journal import Documents
from server.sandbox.oa_kinds import WORKFLOWS, workflow_named
from server.sandbox.oa_plausible import Rows, plausible_form
from server.sandbox.oa_service import SUBMIT_TYPES

LONGEST_TITLE: Final = 2_000
_URGENCY: Final = {"normal": 0, "important": 1, "urgent": 2}
_ACCOUNT: Final = re.compile(r"s([0-9]{4,6})", re.ASCII)
_OPTIONAL: Final = {
    "urgency",
    "copies",
    "copies_to_submit",
    "kind",
    "mode",
    "steps",
    "actions",
    "needs_opinion",
    "needs_affirmance",
    "form",
    "rows",
    "attachments",
    "drafts",
}


class BadRequest(ValueError):
    """What is wrong with a request to the desk, in a sentence."""


class Desk:
    """Routes of the desk."""

    def __init__(
        self, documents: Documents, files: OAFiles, office: Office, clock: Clock, people: int
    ) -> None:
        self._documents = documents
        self._files = files
        self._office = office
        self._clock = clock
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/oa/kinds", self._kinds),
            web.get("/oa/requests", self._show),
            web.post("/oa/requests", self._create),
            web.get("/oa/requests/{request_id}", self._show_one),
            web.post("/oa/requests/{request_id}/submit", self._submit),
            web.post("/oa/requests/{request_id}/forward", self._forward),
        ]

    async def _kinds(self, request: web.Request) -> web.Response:
        return web.json_response([one.name for one in WORKFLOWS if not one.is_retired])

    async def _show(self, request: web.Request) -> web.Response:
        """Newest first; `?user=s0002` for those that wait for somebody."""
        documents = self._documents.newest()
        if "user" in request.query:
            try:
                user = self._user(request.query["user"], "user")
            except BadRequest as bad:
                return _error(str(bad), 400)
            documents = [one for one in documents if user in (*one.pending, *one.forwarded)]
        return web.json_response([self._shown(one) for one in documents[:500]])

    async def _show_one(self, request: web.Request) -> web.Response:
        document = self._found(request)
        if document is None:
            return _error(f"there is no request {request.match_info['request_id']}", 404)
        return web.json_response(self._shown(document) | whole(document, self._office))

    async def _create(self, request: web.Request) -> web.Response:
        try:
            made = await self._created(await request.read())
        except BadRequest as bad:
            return _error(str(bad), 400)
        return web.json_response({"request_id": str(made.request_id)}, status=201)

    async def _created(self, body: bytes) -> Document:
        """`steps` instead of `approvers` makes a longer way; without `form` it gets a likely one."""
        fields = _fields(body, {"title", "creator"}, {"approvers", *_OPTIONAL})
        if "steps" not in fields and "approvers" not in fields:
            raise BadRequest("approvers is missing")
        kind = workflow_named(_text(fields.get("kind", "公文审批"), "kind", 60))
        creator = self._user(fields["creator"], "creator")
        approvers = self._users(fields["approvers"], "approvers") if "approvers" in fields else []
        steps = self._steps(fields["steps"]) if "steps" in fields else ()
        drafts = _mapping(fields.get("drafts", {}), "drafts")
        to_submit = self._users(fields.get("copies_to_submit", []), "copies_to_submit", least=0)
        copies = self._users(fields.get("copies", []), "copies", least=0)
        title = _text(fields["title"], "title", LONGEST_TITLE)
        urgency = _one_of(fields.get("urgency", "normal"), "urgency", _URGENCY)
        mode, offers = _mode(fields.get("mode", "all")), _offers(fields.get("actions", kind.offers))
        values, rows = await self._form(kind, creator, fields)
        return await self._documents.create(
            title,
            creator,
            approvers,
            urgency=urgency,
            kind=kind.name,
            copies=[*copies, *to_submit],
            copies_to_submit=tuple(to_submit),
            mode=mode,
            steps=steps,
            offers=offers,
            drafts={self._user(one, "drafts"): words for one, words in drafts.items()},
            needs_opinion=fields.get("needs_opinion", False) is True,
            needs_affirmance=fields.get("needs_affirmance", False) is True,
            values=values,
            rows=rows,
        )

    async def _form(
        self, kind: Workflow, creator: int, fields: Mapping[str, Any]
    ) -> tuple[dict[str, str], Rows]:
        """`attachments` are names of files, put into the form's first field for such."""
        names = [_text(one, "attachments", 200) for one in _list(fields.get("attachments", []), 50)]
        if "form" in fields or "rows" in fields:
            values = _mapping(fields.get("form", {}), "form")
            rows: Rows = tuple(
                tuple(_mapping(row, "rows") for row in _list(table, 200))
                for table in _list(fields.get("rows", []), 10)
            )
        else:
            number = len(self._documents)
            values, rows, likely = plausible_form(
                kind, creator, self._people, number, self._clock.now()
            )
            names = names or likely
        known = {field.name for field in kind.fields}
        if unknown := sorted(set(values) - known):
            raise BadRequest(f"form: {kind.name} has no field {unknown[0]!r}")
        place = next((field.name for field in kind.fields if field.kind == "files"), None)
        if "attachments" in fields and place is None:
            raise BadRequest(f"attachments: {kind.name} has no field for them")
        if names and place is not None:
            made = await self._files.make(names)
            values[place] = ",".join(str(one.document_id) for one in made)
        return values, rows

    async def _submit(self, request: web.Request) -> web.Response:
        """Somebody acts at the desk; what the step wants filled in counts as filled in."""
        try:
            fields = _fields(await request.read(), {"user"}, {"type", "remark"})
            user = self._user(fields["user"], "user")
            act = fields.get("type", "submit")
            _one_of(act, "type", dict.fromkeys(SUBMIT_TYPES, 0))
            remark = fields.get("remark", "")
            remark = _text(remark, "remark", 4_000) if remark else ""
        except BadRequest as bad:
            return _error(str(bad), 400)
        document = self._found(request)
        if document is None:
            return _error(f"there is no request {request.match_info['request_id']}", 404)
        if not await self._documents.submit(document.request_id, user, act, remark):
            waits = document.waits_for(user)
            why = "wants words, or more" if waits else f"does not wait for {fields['user']}"
            said = f"request {document.request_id} {why}"
            return _error(said, 409)
        return web.json_response({"result": "success"})

    async def _forward(self, request: web.Request) -> web.Response:
        try:
            fields = _fields(await request.read(), {"user", "to"}, {"remark"})
            user = self._user(fields["user"], "user")
            to = self._users(fields["to"], "to")
            remark = fields.get("remark", "")
            remark = _text(remark, "remark", 4_000) if remark else ""
        except BadRequest as bad:
            return _error(str(bad), 400)
        document = self._found(request)
        if document is None:
            return _error(f"there is no request {request.match_info['request_id']}", 404)
        if not await self._documents.forward(document.request_id, user, to, remark):
            said = f"request {document.request_id} is not {fields['user']}'s to forward"
            return _error(said, 409)
        return web.json_response({"result": "success"})

    def _found(self, request: web.Request) -> Document | None:
        request_id = request.match_info["request_id"]
        is_number = request_id.isascii() and request_id.isdigit()
        return self._documents.find(int(request_id)) if is_number else None

    def _shown(self, document: Document) -> dict[str, Any]:
        return {
            "request_id": str(document.request_id),
            "title": document.title,
            "creator": account(document.creator),
            "creator_name": self._documents.name_of(document.creator),
            "urgency": list(_URGENCY)[document.urgency],
            "kind": document.kind,
            "node": document.node_name,
            "is_started": document.node != CREATED,
            "created_at": document.created_at,
            "offers": document.offers if document.step else {"submit": "提交"},
            "pending": accounts(document.pending),
            "forwarded": accounts(document.forwarded),
            "done": accounts(document.done),
            "copies": accounts(document.copies),
        }

    def _steps(self, wanted: object) -> tuple[Step, ...]:
        steps = []
        for number, one in enumerate(_list(wanted, 9), 1):
            if not isinstance(one, dict) or set(one) - {"name", "approvers", "mode", "actions"}:
                raise BadRequest("steps: each has approvers, perhaps a name, a mode and actions")
            name = _text(one.get("name", f"第{number}步审批"), "steps", 60)
            people = self._users(one.get("approvers"), "steps")
            mode, offers = _mode(one.get("mode", "all")), _offers(one.get("actions", {}))
            steps.append(Step(name, tuple(dict.fromkeys(people)), mode, offers))
        if not steps:
            raise BadRequest("steps must have at least one step")
        return tuple(steps)

    def _user(self, account: object, field: str) -> int:
        found = _ACCOUNT.fullmatch(account.lower()) if isinstance(account, str) else None
        if found is None or not 1 <= int(found[1]) <= self._people:
            raise BadRequest(f"{field}: there is no account {account!r}")
        return int(found[1])

    def _users(self, accounts: object, field: str, *, least: int = 1) -> list[int]:
        if not isinstance(accounts, list) or not least <= len(accounts) <= 200:
            raise BadRequest(f"{field} must be a list of {least} to 200 accounts")
        return [self._user(account, field) for account in accounts]


def _error(sentence: str, status: int) -> web.Response:
    return web.json_response({"error": f"{sentence}."}, status=status)


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


def _one_of(value: object, field: str, known: Mapping[str, int]) -> int:
    if not isinstance(value, str) or value not in known:
        raise BadRequest(f"{field} must be one of {', '.join(known)}")
    return known[value]


def _mode(value: object) -> Mode:
    return MODES[_one_of(value, "mode", {mode: at for at, mode in enumerate(MODES)})]


def _offers(value: object) -> dict[str, str]:
    """Actions by their names, or those with buttons of their own: {"submit": "批准"}."""
    wanted = {one: BUTTONS.get(one, "") for one in value} if isinstance(value, list) else value
    offers = _mapping(wanted, "actions")
    for one in offers:
        _one_of(one, "actions", dict.fromkeys(BUTTONS, 0))
    return offers


def _mapping(value: object, field: str) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(name, str) and isinstance(text, str) for name, text in value.items()
    ):
        raise BadRequest(f"{field} must hold texts by name")
    return dict(value)


def _list(value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise BadRequest(f"there must be a list of at most {most}")
    return value
