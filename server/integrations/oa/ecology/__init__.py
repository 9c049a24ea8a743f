"""Weaver e-cology (泛微) by its WorkflowService: which operation answers which question.

Knows the names and habits of that product: misspelt operations, ids that are ints in questions and
strings in answers, `recordCount` by which some builds cut the page, and `conditions`, which are
raw SQL there and therefore always an empty array. How answers are read and what is sent stands in the
other modules of this folder. Documents are never opened ahead of a person's wish, since opening can
change their state.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from server.integrations.oa import (
    PAGE_ROWS,
    Counts,
    Item,
    NotUnderstood,
    Page,
    RefusedByOA,
    State,
)
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane
from server.integrations.oa.documents import (
    BlankForm,
    Download,
    NewDocument,
    OpenedDocument,
    OpinionPage,
    StartKind,
    Submission,
)
from server.integrations.oa.ecology.answers import (
    new_flags,
    start_kinds,
    started,
    type_of,
    was_done,
)
from server.integrations.oa.ecology.logs import (
    MOST_OPINIONS,
    OPINIONS_AT_ONCE,
    opinions_of,
)
from server.integrations.oa.ecology.opened import blank_form, opened_document
from server.integrations.oa.ecology.rows import items_of
from server.integrations.oa.ecology.sending import TYPES, form_with, new_form
from server.integrations.oa.files import Files
from server.integrations.oa.markup import markup_of
from server.integrations.oa.merged import Places, merged_page
from server.integrations.oa.plain import plain_text, sendable, zone_named
from server.integrations.oa.soap import Limits, SoapDoor

BUNDLED_WSDL: Final = str(Path(__file__).parents[1] / "WorkflowService.wsdl")

# The lists behind a state. What a person has done lies in two: still running, and archived.
_LISTS: Final[dict[State, tuple[str, ...]]] = {
    "pending": ("ToDo",),
    "done": ("Hendled", "Processed"),
    "read": ("CC",),
    "started": ("My",),
}
_NO_CONDITIONS: Final[dict[str, list[str]]] = {"string": []}
_NEEDED: Final = (
    *(
        f"get{name}WorkflowRequest{what}"
        for names in _LISTS.values()
        for name in names
        for what in ("Count", "List")
    ),
    "getWorkflowRequest4split",
    "getWorkflowRequestLogs",
    "submitWorkflowRequest",
    "forwardWorkflowRequest",
    "writeWorkflowReadFlag",
    "getCreateWorkflowTypeCount",
    "getCreateWorkflowTypeList",
    "getCreateWorkflowCount",
    "getCreateWorkflowList",
    "getCreateWorkflowRequestInfo",
    "doCreateWorkflowRequest",
)
_NEW_FLAG: Final = "getWorkflowNewFlag"
_USER_OF: Final = "getUserId"
_ANY_TYPE: Final = 0
_KINDS_AT_ONCE: Final = 100
_MOST_KINDS: Final = 2_000
_USER_ID = re.compile(r"[0-9]{1,9}", re.ASCII)
_REQUEST_ID = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class OAConfig:
    """How to reach an e-cology. `wsdl` is a path or URL, the bundled file when empty; `files` the address
    of a file with `{id}` in it; `source` is what rows say they come from."""

    endpoint: str
    wsdl: str = ""
    timezone: str = "Asia/Shanghai"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: str = ""
    source: str = "OA"
    limits: Limits = field(default_factory=Limits)


class Ecology:
    """The adapter of both halves of the port. Budget and breaker are shared with whoever plans the
    asking."""

    def __init__(self, config: OAConfig, budget: Budget, breaker: Breaker) -> None:
        self._zone = zone_named(config.timezone)
        self._source = config.source
        self._places = Places()
        self._door = SoapDoor(
            config.wsdl or BUNDLED_WSDL,
            config.endpoint,
            budget,
            breaker,
            spare_wsdl=BUNDLED_WSDL,
            needs=_NEEDED,
            headers=config.headers,
            limits=config.limits,
        )
        self._files = Files(config.files, config.headers, budget, breaker, config.limits.timeout_s)

    async def open(self) -> None:
        await self._door.open()

    async def close(self) -> None:
        await self._door.close()
        await self._files.close()

    @property
    def passed_over(self) -> str:
        """Why the description that the settings name is not the one in use; empty: it is."""
        return self._door.passed_over

    @property
    def extras(self) -> Mapping[str, bool]:
        """The operations that not every build has, and whether this one does, by its description."""
        return {name: self._door.offers(name) for name in (_NEW_FLAG, _USER_OF)}

    # Lists

    async def counts(
        self, oa_user: str, *, lane: Lane = Lane.INTERACTIVE, with_copies: bool = False
    ) -> Counts:
        user = _user_id(oa_user)
        pending = await self._count("ToDo", user, lane)
        return Counts(pending, await self._count("CC", user, lane) if with_copies else None)

    async def list_items(
        self,
        oa_user: str,
        state: State,
        page: int = 1,
        total: int | None = None,
        *,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Page:
        user = _user_id(oa_user)
        lists = _LISTS[state]
        if len(lists) == 2:
            return await self._merged(lists[0], lists[1], user, page, lane)
        length = await self._count(lists[0], user, lane) if total is None else total
        return Page(await self._rows(lists[0], user, page, length, lane), length)

    async def are_new(
        self, oa_user: str, request_ids: Sequence[str], *, lane: Lane = Lane.INTERACTIVE
    ) -> tuple[bool, ...]:
        user = _user_id(oa_user)
        asked = [str(_request_id(one)) for one in request_ids]
        if not asked:
            return ()
        if not self._door.offers(_NEW_FLAG):
            raise RefusedByOA("This OA does not tell what is new.")
        told = await self._door.call(_NEW_FLAG, {"string": asked}, str(user), lane=lane)
        return new_flags(told, len(asked))

    async def _merged(self, one: str, other: str, user: int, page: int, lane: Lane) -> Page:
        async def fetch_one(number: int, length: int) -> tuple[Item, ...]:
            return await self._rows(one, user, number, length, lane)

        async def fetch_other(number: int, length: int) -> tuple[Item, ...]:
            return await self._rows(other, user, number, length, lane)

        totals = (await self._count(one, user, lane), await self._count(other, user, lane))
        if (page - 1) * PAGE_ROWS >= sum(totals):
            return Page((), sum(totals))
        starts = self._places.of(str(user), totals)
        rows = await merged_page(page, totals, (fetch_one, fetch_other), starts)
        return Page(rows, sum(totals))

    async def _count(self, family: str, user: int, lane: Lane) -> int:
        return await self._number(f"get{family}WorkflowRequestCount", user, lane=lane)

    async def _rows(
        self, family: str, user: int, page: int, total: int, lane: Lane
    ) -> tuple[Item, ...]:
        if page < 1 or (page - 1) * PAGE_ROWS >= total:
            return ()
        operation = f"get{family}WorkflowRequestList"
        arguments = (operation, page, PAGE_ROWS, total, user, _NO_CONDITIONS)
        read = partial(items_of, source=self._source, zone=self._zone)
        items: tuple[Item, ...] = await self._door.call(*arguments, lane=lane, reader=read)
        return items

    # One document

    async def open_document(self, oa_user: str, request_id: str) -> OpenedDocument:
        return await self._opened(oa_user, request_id, OPINIONS_AT_ONCE)

    async def _opened(self, oa_user: str, request_id: str, entries: int) -> OpenedDocument:
        user, request = _user_id(oa_user), _request_id(request_id)
        # Opened "from" nothing: a positive number there can lend the right to view.
        found = await self._ask("getWorkflowRequest4split", request, user, 0, entries)
        return opened_document(found, request_id, entries, self._zone)

    async def opinions(
        self, oa_user: str, opened: tuple[str, str], more_before: str
    ) -> OpinionPage:
        """What an `endId` means exactly is not known: what is not older than the oldest known entry is
        passed over, and if nothing else comes the document is opened once more with a longer log."""
        workflow_id, request_id = opened
        user = _user_id(oa_user)
        oldest, known = _place(more_before)
        entries = await self._ask(
            "getWorkflowRequestLogs",
            str(_request_id(workflow_id)),
            str(_request_id(request_id)),
            user,
            OPINIONS_AT_ONCE,
            oldest,
        )
        there = [one for one in entries or [] if one is not None]
        found = _older(opinions_of(there, self._zone), oldest)
        upto = known + OPINIONS_AT_ONCE
        is_end = upto >= MOST_OPINIONS or len(there) < OPINIONS_AT_ONCE
        if not found:
            longer = await self._opened(oa_user, request_id, upto)
            found = _older(longer.opinions, oldest)
            return OpinionPage(found, longer.more_before if found and upto < MOST_OPINIONS else "")
        return OpinionPage(found, "" if is_end else f"{found[-1].id}.{upto}")

    async def submit(self, oa_user: str, opened: OpenedDocument, said: Submission) -> bool:
        user, request = _user_id(oa_user), _request_id(opened.request_id)
        if said.action not in TYPES or said.action not in opened.actions:
            raise ValueError(f"the OA does not offer {said.action} here")
        answer = await self._tell(
            "submitWorkflowRequest",
            form_with(opened, said),
            request,
            user,
            TYPES[said.action],
            markup_of(sendable(said.opinion).strip()),
        )
        return was_done(answer)

    async def forward(
        self, oa_user: str, request_id: str, to: Sequence[str], opinion: str, address: str
    ) -> bool:
        user, request = _user_id(oa_user), _request_id(request_id)
        recipients = list(dict.fromkeys(str(_user_id(one)) for one in to))
        if not recipients:
            raise ValueError("nobody to forward to")
        answer = await self._tell(
            "forwardWorkflowRequest",
            request,
            ",".join(recipients),
            markup_of(sendable(opinion).strip()),
            user,
            _ip(address),
        )
        return was_done(answer)

    async def mark_read(self, oa_user: str, request_id: str) -> None:
        user, request = _user_id(oa_user), _request_id(request_id)
        await self._tell("writeWorkflowReadFlag", str(request), str(user))

    async def attachment(self, oa_user: str, attachment_id: str, most_bytes: int) -> Download:
        _user_id(oa_user)
        return await self._files.fetch(attachment_id, most_bytes)

    # Starting

    async def kinds(self, oa_user: str) -> tuple[StartKind, ...]:
        """Where a build does not take 0 for every type, each type is asked."""
        user = _user_id(oa_user)
        rows = await self._creatable(user, _ANY_TYPE)
        if rows and all(plain_text(row.workflowTypeName) for row in rows):
            return start_kinds(rows, {})
        types = await self._every("getCreateWorkflowType", user)
        categories = {type_of(one): plain_text(one.workflowTypeName) for one in types}
        if not rows:
            for type_id in categories:
                if type_id.isascii() and type_id.isdecimal() and len(type_id) < 10:
                    rows += await self._creatable(user, int(type_id))
        return start_kinds(rows, categories)

    async def _creatable(self, user: int, type_id: int) -> list[Any]:
        return await self._every("getCreateWorkflow", user, type_id)

    async def _every(self, family: str, user: int, *more: int) -> list[Any]:
        """All pages of a list of what may be started. Its count may exceed it: an empty page ends it."""
        count = await self._number(f"{family}Count", user, *more)
        rows: list[Any] = []
        for page in range(1, -(-min(count, _MOST_KINDS) // _KINDS_AT_ONCE) + 1):
            found = await self._ask(
                f"{family}List", page, _KINDS_AT_ONCE, count, user, *more, _NO_CONDITIONS
            )
            there = [row for row in found or [] if row is not None]
            rows += there
            if not there:
                break
        return rows

    async def blank(self, oa_user: str, workflow_id: str) -> BlankForm:
        user, workflow = _user_id(oa_user), _request_id(workflow_id)
        found = await self._ask("getCreateWorkflowRequestInfo", workflow, user)
        return blank_form(found, workflow_id)

    async def start(self, oa_user: str, blank: BlankForm, new: NewDocument) -> str:
        # Some builds look at one of the two users only: they are always the same.
        form = new_form(oa_user, blank, new)
        return started(await self._tell("doCreateWorkflowRequest", form, _user_id(oa_user)))

    # Finding people

    @property
    def finds_users(self) -> bool:
        return self._door.offers(_USER_OF)

    async def user_of(self, employee_number: str) -> str | None:
        number = sendable(employee_number).strip()
        if not number or not self.finds_users:
            return None
        # Nobody is waiting at a screen.
        told = await self._door.call(_USER_OF, "workcode", number, lane=Lane.REST)
        found = str(told).strip() if told is not None else ""
        return found if _USER_ID.fullmatch(found) and int(found) > 0 else None

    # Calling

    async def _number(self, operation: str, *about: int, lane: Lane = Lane.INTERACTIVE) -> int:
        counted = await self._door.call(operation, *about, _NO_CONDITIONS, lane=lane)
        if not isinstance(counted, int) or counted < 0:
            raise NotUnderstood(f"The OA answered {operation} without a number.")
        return counted

    async def _ask(self, operation: str, *arguments: object) -> Any:
        return await self._door.call(operation, *arguments, lane=Lane.INTERACTIVE)

    async def _tell(self, operation: str, *arguments: object) -> Any:
        """A call that changes something."""
        return await self._door.call(
            operation, *arguments, lane=Lane.INTERACTIVE, changes_something=True
        )


def _older(opinions: Sequence[Any], than: int) -> tuple[Any, ...]:
    return tuple(one for one in opinions if one.id.isdecimal() and int(one.id) < than)


def _place(more_before: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,10})\.([0-9]{1,4})", more_before, re.ASCII)
    if found is None or int(found[2]) >= MOST_OPINIONS:
        raise ValueError("no place in a log")
    return int(found[1]), int(found[2])


def _ip(address: str) -> str:
    """An address as the OA keeps it; empty for a place that is none."""
    try:
        return str(ipaddress.ip_address(address.strip()))
    except ValueError:
        return ""


def _request_id(request_id: str) -> int:
    if _REQUEST_ID.fullmatch(request_id) is None:
        raise RefusedByOA("The OA's number of this document is not a number.")
    return int(request_id)


def _user_id(oa_user: str) -> int:
    if _USER_ID.fullmatch(oa_user) is None:
        raise RefusedByOA("The OA user id in the directory is not a number.")
    return int(oa_user)
