"""An OA in which documents can be started, and the list its starter then sees.

It loses answers before or after the document is made, refuses by code, swallows, and is down, as told.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.clock import Clock
from server.directory import Department, Person
from server.features import documents
from server.integrations.oa import Item, OAError, RefusedByOA, State, Unreachable
from server.integrations.oa.documents import (
    BlankForm,
    Documents,
    Field,
    NewDocument,
    Option,
    StartKind,
    Table,
)
from server.integrations.oa.mirror import Reading, Worklist
from server.storage import Patch
from tests.features.office import Office, open_office

KIND = "采购申请"
WORKFLOW = "13"


def blank_field(name: str, label: str, kind: Any = "text", **more: Any) -> Field:
    return Field(name=name, label=label, kind=kind, **{"may_edit": True, **more})


FORM = BlankForm(
    workflow_id=WORKFLOW,
    kind=KIND,
    title="采购申请-安宁",
    fields=(
        blank_field("who", "申请人", "person", value="1", shown="安宁", must_fill=True),
        blank_field("ward", "申请部门", "department", must_fill=True),
        blank_field("day", "日期", "date", must_fill=True),
        blank_field("sum", "金额", "money"),
        blank_field(
            "way",
            "方式",
            "choice",
            value="1",
            options=(Option("0", "招标"), Option("1", "询价")),
        ),
        blank_field("others", "会签人", "people"),
        blank_field("seal", "编号", may_edit=False, value="X-1"),
        blank_field("files", "附件", "attachments"),
    ),
    tables=(
        Table(
            "明细",
            (
                blank_field("thing", "名称", must_fill=True),
                blank_field("count", "数量", "number"),
            ),
        ),
    ),
)


@dataclass
class Outpost:
    """The OA: keeps `Documents` as far as starting goes, and the starter's list of the mirror."""

    clock: Clock
    form: BlankForm = FORM
    made: list[tuple[str, str, NewDocument]] = field(default_factory=list)
    """Request id, OA user, and what was told."""
    at: list[int] = field(default_factory=list)
    is_down: bool = False
    refuses: Exception | None = None
    loses: str = ""
    """`before`: the call never did anything; `after`: it is done; both without an answer."""
    held: asyncio.Event | None = None
    calls: int = 0
    asked_kinds: int = 0

    def _answer(self) -> None:
        if self.is_down:
            raise Unreachable("nobody there")

    async def kinds(self, oa_user: str) -> tuple[StartKind, ...]:
        self.asked_kinds += 1
        self._answer()
        return (
            StartKind("11", "发文审批", "行政公文"),
            StartKind(WORKFLOW, KIND, "采购合同"),
        )

    async def blank(self, oa_user: str, workflow_id: str) -> BlankForm:
        self._answer()
        if workflow_id != WORKFLOW:
            raise RefusedByOA("not for this person")
        return self.form

    async def start(self, oa_user: str, blank: BlankForm, new: NewDocument) -> str:
        self.calls += 1
        if self.held is not None:
            await self.held.wait()
        if self.refuses is not None:
            raise self.refuses
        if self.loses == "before":
            raise OAError("lost")
        request_id = self.put(oa_user, new)
        if self.loses == "after":
            raise Unreachable("lost")
        return request_id

    def put(self, oa_user: str, new: NewDocument) -> str:
        request_id = str(501 + len(self.made))
        self.made.append((request_id, oa_user, new))
        self.at.append(self.clock.now())
        return request_id

    async def read(
        self, person_id: str, state: State, page: int = 1, max_age_s: float = 5.0
    ) -> Reading:
        if self.is_down:
            return Reading((), None, None, stale=True)
        rows = [
            self._item(request_id, new, at)
            for (request_id, _, new), at in zip(self.made, self.at, strict=True)
        ]
        return Reading(tuple(reversed(rows))[:20], len(rows), self.clock.now(), stale=False)

    def _item(self, request_id: str, new: NewDocument, at: Any) -> Item:
        return Item(
            item_id=request_id,
            request_id=request_id,
            title=new.title,
            creator_name="安宁",
            received_at=at,
            urgency=new.urgency,
            node="审批",
            source="OA",
            kind=KIND,
        )


@asynccontextmanager
async def open_outpost(folder: Path, oa: Outpost) -> AsyncIterator[Office]:
    """An office whose people have accounts in that OA."""
    services: dict[type, Any] = {Documents: oa, Worklist: oa}
    async with open_office(folder, [documents.feature], services) as office:
        oa.clock = office.clock
        await _know_the_oa(office)
        yield office


async def _know_the_oa(office: Office) -> None:
    """Everybody but Eve has an account there, and the ward a number."""
    numbers = {"ann": "1", "bob": "2", "cai": "3", "dan": "4"}
    await office.store.apply(
        Patch(Department.collection.name, "ward", {"oa_department_id": "7"}),
        *(Patch(Person.collection.name, id, {"oa_user_id": n}) for id, n in numbers.items()),
    )
    await office.directory.load(office.store)
