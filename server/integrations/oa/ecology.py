"""Weaver e-cology (泛微) by its WorkflowService: which operation answers which question.

Knows the names and habits of that product: misspelt operations, ids that are ints in questions and
strings in answers, `recordCount` by which some builds cut the page, and `conditions`, which are
raw SQL there and therefore always an empty array. Documents are never opened here to look at
them, since opening can change their state; only for somebody who acts on one (`acting.py`).
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from server.integrations.oa import (
    PAGE_ROWS,
    Counts,
    Item,
    NotUnderstood,
    Opened,
    Page,
    RefusedByOA,
    State,
)
from server.integrations.oa.acting import form_of, opened_request, submitted
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget, Lane
from server.integrations.oa.merged import Places, merged_page
from server.integrations.oa.plain import moment, plain_text, urgency, zone_named
from server.integrations.oa.soap import Limits, SoapDoor

log = logging.getLogger(__name__)

BUNDLED_WSDL: Final = str(Path(__file__).with_name("WorkflowService.wsdl"))

# The lists behind a state. What a person has done lies in two: still running, and archived.
_LISTS: Final[dict[State, tuple[str, ...]]] = {
    "pending": ("ToDo",),
    "done": ("Hendled", "Processed"),
    "read": ("CC",),
    "started": ("My",),
}
_NO_CONDITIONS: Final[dict[str, list[str]]] = {"string": []}
_USER_ID = re.compile(r"[0-9]{1,9}", re.ASCII)
_REQUEST_ID = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class OAConfig:
    """How to reach an e-cology. `wsdl` is a path or URL, the bundled file when empty; `source` is
    what rows say they come from."""

    endpoint: str
    wsdl: str = ""
    timezone: str = "Asia/Shanghai"
    headers: Mapping[str, str] = field(default_factory=dict)
    source: str = "OA"
    limits: Limits = field(default_factory=Limits)


class Ecology:
    """The adapter. Budget and breaker are shared with whoever plans the asking."""

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
            headers=config.headers,
            limits=config.limits,
        )

    async def open(self) -> None:
        await self._door.open()

    async def close(self) -> None:
        await self._door.close()

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

    # Acting

    async def open_request(self, oa_user: str, request_id: str) -> Opened:
        user, request = _user_id(oa_user), _request_id(request_id)
        # Opened "from" nothing: a positive number there can lend the right to view.
        found = await self._door.call("getWorkflowRequest", request, user, 0, lane=Lane.INTERACTIVE)
        return opened_request(found, request_id, oa_user)

    async def submit(self, oa_user: str, opened: Opened, remark: str) -> bool:
        user, request = _user_id(oa_user), _request_id(opened.request_id)
        said = await self._door.call(
            "submitWorkflowRequest",
            form_of(opened),
            request,
            user,
            "submit",
            plain_text(remark),
            lane=Lane.INTERACTIVE,
        )
        return submitted(said)

    # Reading

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
        operation = f"get{family}WorkflowRequestCount"
        counted = await self._door.call(operation, user, _NO_CONDITIONS, lane=lane)
        if not isinstance(counted, int) or counted < 0:
            raise NotUnderstood(f"The OA answered {operation} without a number.")
        return counted

    async def _rows(
        self, family: str, user: int, page: int, total: int, lane: Lane
    ) -> tuple[Item, ...]:
        if page < 1 or (page - 1) * PAGE_ROWS >= total:
            return ()
        operation = f"get{family}WorkflowRequestList"
        rows = await self._door.call(
            operation, page, PAGE_ROWS, total, user, _NO_CONDITIONS, lane=lane
        )
        there = [row for row in rows or [] if row is not None]
        items = {item.request_id: item for row in there if (item := self._item(row)) is not None}
        if there and not items:
            raise NotUnderstood(f"The OA answered {operation} with rows that have no id.")
        if len(items) < len(there):
            log.debug("%s: %d rows are %d documents", operation, len(there), len(items))
        return tuple(items.values())

    def _item(self, row: Any) -> Item | None:
        request_id = (row.requestId or "").strip()
        if not request_id:
            return None
        base = row.workflowBaseInfo
        return Item(
            item_id=request_id,
            request_id=request_id,
            title=plain_text(row.requestName),
            creator_name=plain_text(row.creatorName),
            received_at=moment(row.receiveTime, self._zone) or moment(row.createTime, self._zone),
            urgency=urgency(row.requestLevel),
            node=plain_text(row.currentNodeName) or plain_text(row.status),
            source=self._source,
            kind=plain_text(base.workflowName) if base is not None else "",
            creator=(row.creatorId or "").strip(),
        )


def _request_id(request_id: str) -> int:
    if _REQUEST_ID.fullmatch(request_id) is None:
        raise RefusedByOA("The OA's number of this document is not a number.")
    return int(request_id)


def _user_id(oa_user: str) -> int:
    if _USER_ID.fullmatch(oa_user) is None:
        raise RefusedByOA("The OA user id in the directory is not a number.")
    return int(oa_user)
