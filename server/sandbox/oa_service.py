"""The operations of the stand-in OA's WorkflowService.

It believes whatever user id it is handed, cuts pages by the record count it is told, tells everything to
everybody, and swallows its own errors: all as one build of the original does.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeVar

from server.clock import Clock
from server.sandbox.oa_documents import LISTS, Document
from server.sandbox.oa_filling import Fetch, NotFetched, Sent, filled, lacks, read_form
from server.sandbox.oa_forms import Workflow
from server.sandbox.oa_journal import Documents
from server.sandbox.oa_kinds import BY_ID, CATEGORIES, WORKFLOWS
from server.sandbox.oa_later import is_later_operation, later_build
from server.sandbox.oa_shown import Writer
from server.sandbox.oa_wire import (
    OUT_NIL,
    Question,
    local_time,
    out_text,
    out_texts,
    out_value,
    out_values,
)

SUBMIT_TYPES: Final = ("submit", "subnoback", "subback", "reject")
_SHORT_LOG: Final = 10
_LIST: Final = re.compile(rf"get({'|'.join(LISTS)})WorkflowRequest(Count|List)")
_NOT_STARTED: Final = re.compile(r"创建失败 *(-[1-9]|0|nil)")
_LEAVES_ONE: Final = -4
_HUGE: Final = 12_000


@dataclass(frozen=True, slots=True)
class Service:
    """One build of it, for one call after the other. `user_of` knows login names and staff numbers."""

    documents: Documents
    writer: Writer
    clock: Clock
    fetch: Fetch
    user_of: Callable[[str, str], int | None]

    async def answer(self, question: Question, mode: str) -> str:
        """The `out` element, in a mode of the switch for faults."""
        found = _LIST.fullmatch(question.operation)
        if found is not None and found[2] == "Count":
            return self._count(found[1], question, mode)
        if found is not None:
            return self._list(found[1], question, mode)
        operation = self._operations().get(question.operation)
        if operation is None or (
            is_later_operation(question.operation) and self.writer.build is not later_build
        ):
            raise ValueError(question.operation)
        if mode in ("failed", "swallowed") and question.operation in _CHANGES:
            return out_text(_CHANGES[question.operation])
        return await operation(question)

    def _operations(self) -> dict[str, Callable[[Question], Awaitable[str]]]:
        return {
            "getWorkflowNewFlag": self._new_flags,
            "writeWorkflowReadFlag": self._mark_read,
            "getWorkflowRequest": self._open,
            "getWorkflowRequest4split": self._open,
            "getWorkflowRequestLogs": self._logs,
            "submitWorkflowRequest": self._act,
            "forwardWorkflowRequest": self._forward,
            "getCreateWorkflowTypeCount": self._type_count,
            "getCreateWorkflowTypeList": self._type_list,
            "getCreateWorkflowCount": self._kind_count,
            "getCreateWorkflowList": self._kind_list,
            "getCreateWorkflowRequestInfo": self._blank,
            "doCreateWorkflowRequest": self._start,
            "getLeaveDays": self._leave_days,
            "getUserId": self._user_id,
            "getRequestStatus": self._status,
            "getWorkflowUnreadCount": self._unread,
        }

    # Lists

    def _count(self, which: str, question: Question, mode: str) -> str:
        listed = self.documents.listed(which, question.number(0))
        return out_text({"empty": 0, "huge_list": 100_000}.get(mode, len(listed)))

    def _list(self, which: str, question: Question, mode: str) -> str:
        user = question.number(3)
        page = _cut(self.documents.listed(which, user), *(question.number(at) for at in range(3)))
        if mode == "empty":  # as after an inner error, which the original does not tell
            page = []
        rows = [self.writer.row(one, user) for one in page]
        if mode == "huge_list":
            rows = rows[:1] * _HUGE
        return out_values("WorkflowRequestInfo", rows)

    async def _new_flags(self, question: Question) -> str:
        user = question.number(1)
        documents = [self.documents.find(int(id_)) for id_ in question.texts(0)]
        flags = ["1" if one is not None and user not in one.read else "0" for one in documents]
        return out_texts(flags)

    async def _mark_read(self, question: Question) -> str:
        await self.documents.mark_read(question.number(0), question.number(1))
        return ""

    # One document

    async def _open(self, question: Question) -> str:
        request_id, user = question.number(0), question.number(1)
        entries = question.number(3) if question.operation.endswith("4split") else _SHORT_LOG
        document = self.documents.find(request_id)
        if document is None:
            return OUT_NIL
        opened = out_value(self.writer.opened(document, user, entries))
        await self.documents.opened(request_id, user)
        return opened

    async def _logs(self, question: Question) -> str:
        """From `endId` on backwards; what that means in the original nobody has established."""
        document = self.documents.find(question.number(1))
        if document is None:
            return "<ns1:out/>"
        entries = self.writer.log(document, question.number(4), question.number(3))
        return out_values("WorkflowRequestLog", entries)

    async def _act(self, question: Question) -> str:
        act, info = question.text(3), question.arguments[0]
        sent: Sent | None = None
        if act not in SUBMIT_TYPES:
            return out_text("error")
        if len(info):
            # A form that says something has to say which kind it is of.
            if not question.inside(0, "workflowBaseInfo", "workflowId"):
                return out_text("error")
            try:
                sent = await read_form(info, self.fetch)
            except NotFetched:
                return out_text("error")
        user = question.number(2)

        def form(document: Document) -> Document | None:
            if act not in document.offered_to(user):
                return None
            if user not in document.pending:
                return document
            made = filled(document, sent)
            return None if act != "reject" and lacks(made, document.step) else made

        done = await self.documents.submit(question.number(1), user, act, question.text(4), form)
        return out_text("success" if done else "failed")

    async def _forward(self, question: Question) -> str:
        ids = question.text(1).split(",")
        if not all(one.isascii() and one.isdigit() for one in ids):
            return out_text("error")
        done = await self.documents.forward(
            question.number(0),
            question.number(3),
            [int(one) for one in ids],
            question.text(2),
            address=question.text(4),
        )
        return out_text("success" if done else "failed")

    # Starting one

    async def _type_count(self, question: Question) -> str:
        return out_text(len(_categories(question.number(0))))

    async def _type_list(self, question: Question) -> str:
        listed = _categories(question.number(3))
        page = _cut(listed, *(question.number(at) for at in range(3)))
        return out_values("WorkflowBaseInfo", [self.writer.category(one) for one in page])

    async def _kind_count(self, question: Question) -> str:
        """Of more than the list holds: those that were retired, and whatever the conditions say."""
        user, category = question.number(0), question.number(1)
        return out_text(
            sum(
                one.is_retired or one.may_start(user)
                for one in WORKFLOWS
                if category in (0, one.category)
            )
        )

    async def _kind_list(self, question: Question) -> str:
        if not _is_given(question, 5):
            return "<ns1:out/>"
        user, category, conditions = question.number(3), question.number(4), question.texts(5)
        listed = [
            one
            for one in WORKFLOWS
            if one.may_start(user) and category in (0, one.category) and _fits(one, conditions)
        ]
        page = _cut(listed, *(question.number(at) for at in range(3)))
        return out_values("WorkflowBaseInfo", [self.writer.base(one) for one in page])

    async def _blank(self, question: Question) -> str:
        kind, user = BY_ID.get(question.number(0)), question.number(1)
        if kind is None or not kind.may_start(user):
            return OUT_NIL
        today = local_time(self.clock.now())[:10]
        return out_value(self.writer.blank(kind, user, today))

    async def _start(self, question: Question) -> str:
        """Goes to the people in a field `approvers` (ids with commas), else to the first person. A title
        that says 创建失败 and a code (-1 to -9, 0 or nil) is answered with it."""
        try:
            sent = await read_form(question.arguments[0], self.fetch)
        except NotFetched:
            return out_text(-4)
        if not sent.title or not sent.creator or not sent.workflow_id:
            return out_text(-3)
        wanted = _NOT_STARTED.search(sent.title)
        if wanted is not None and wanted[1] == "nil":
            return OUT_NIL
        kind = BY_ID.get(int(sent.workflow_id) if sent.workflow_id.isdecimal() else 0)
        if kind is None or not kind.may_start(sent.creator):
            return out_text(-2)
        code = int(wanted[1]) if wanted is not None else await self._lacking(kind, sent)
        if code is not None and code > _LEAVES_ONE:
            return out_text(code)
        document = await self._started(kind, sent, stays=code is not None)
        return out_text(document.request_id if code is None else code)

    async def _lacking(self, kind: Workflow, sent: Sent) -> int | None:
        made = filled(_nothing(kind), sent)
        if lacks(made, 0):
            rows_lack = not lacks(filled(_nothing(kind), _without_rows(sent)), 0)
            return -9 if rows_lack else -4
        approvers = sent.values.get("approvers", "1").split(",")
        return None if all(one.isascii() and one.isdigit() for one in approvers) else -6

    async def _started(self, kind: Workflow, sent: Sent, *, stays: bool) -> Document:
        made = filled(_nothing(kind), sent)
        approvers = (
            [] if stays else [int(one) for one in sent.values.get("approvers", "1").split(",")]
        )
        return await self.documents.create(
            made.title,
            made.creator,
            approvers or [1],
            urgency=made.urgency,
            kind=kind.name,
            offers=kind.offers,
            stays=stays,
            message_type=made.message_type,
            values=made.values,
            rows=made.rows,
        )

    # The rest

    async def _leave_days(self, question: Question) -> str:
        """Whole days from the first date to the second, both counted."""
        try:
            first, last = date.fromisoformat(question.text(0)), date.fromisoformat(question.text(2))
        except ValueError:
            return out_text("0.00")
        return out_text(f"{max(0, (last - first).days + 1):.2f}")

    async def _user_id(self, question: Question) -> str:
        """Of the later build only, as are the two below."""
        found = self.user_of(question.text(0), question.text(1))
        return out_text("" if found is None else found)

    async def _status(self, question: Question) -> str:
        document = self.documents.find(question.number(0))
        return OUT_NIL if document is None else out_text(document.node_name)

    async def _unread(self, question: Question) -> str:
        user = question.number(0)
        listed = self.documents.listed("ToDo", user)
        return out_text(sum(user not in one.read for one in listed))


_CHANGES: Final = {
    "submitWorkflowRequest": "failed",
    "forwardWorkflowRequest": "failed",
    "doCreateWorkflowRequest": "-1",
}


T = TypeVar("T")


def _cut(listed: list[T], page: int, size: int, told: int) -> list[T]:
    """A page as one build's SQL cuts it: by the total it was told, right only if that is true."""
    upto = max(page, 1) * size
    rows = min(size, told - upto + size)
    return listed[:upto][-rows:] if rows > 0 else []


def _categories(user: int) -> list[int]:
    """Those in which this person may start something."""
    return [
        one
        for one in CATEGORIES
        if any(kind.category == one and kind.may_start(user) for kind in WORKFLOWS)
    ]


def _fits(kind: Workflow, conditions: list[str]) -> bool:
    """By a piece of the name, and by a list of ids."""
    wanted, ids = ([*conditions, "", ""])[:2]
    return wanted in kind.name and (not ids or str(kind.id) in ids.split(","))


def _is_given(question: Question, at: int) -> bool:
    said = question.arguments[at].get("{http://www.w3.org/2001/XMLSchema-instance}nil")
    return str(said) != "true"


def _nothing(kind: Workflow) -> Document:
    return Document(0, "", 0, kind.name, 0, 0, ())


def _without_rows(sent: Sent) -> Sent:
    return replace(sent, rows=())
