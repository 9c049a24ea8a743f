"""An OA with one document on its desk, good and bad at answering, and an office whose people act on it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.acting.acts import Acts
from server.acting.documents import Act
from server.acting.looking import Looking
from server.features import documents
from server.integrations.oa import RefusedByOA, Unreachable
from server.integrations.oa.documents import (
    Action,
    Attachment,
    Demand,
    Documents,
    Download,
    Field,
    OpenedDocument,
    Opinion,
    OpinionPage,
    Option,
    Submission,
    Table,
)
from server.integrations.oa.mirror import Reading, Worklist
from server.storage import Patch
from server.storage.document import from_doc
from tests.features.office import Office, open_office

USERS = {"ann": "2", "bob": "3", "cai": "4"}
OFFERED: dict[Action, str] = {"approve": "同意", "reject": "退回", "forward": "转发"}
FIELDS = (
    Field("title", "标题", "text", "排班", "排班"),
    Field("days", "天数", "number", "2", "2", may_edit=True),
    Field("from", "开始", "date", "2026-01-05", "2026-01-05", may_edit=True),
    Field("why", "事由", "long_text", may_edit=True, must_fill=True),
    Field(
        "how",
        "方式",
        "choice",
        "1",
        "线上",
        True,
        options=(Option("1", "线上"), Option("2", "线下")),
    ),
    Field("who", "承办人", "people", "3", "鲍博", may_edit=True),
    Field("file", "附件", "attachments", attachments=(Attachment("901", "名单.pdf", 9),)),
)
TABLE = Table(
    "明细",
    columns=(
        Field("day", "日期", "date", may_edit=True, must_fill=True),
        Field("no", "序号", "text"),
    ),
    rows=(
        (
            Field("day", "日期", "date", "2026-01-05", may_edit=True),
            Field("no", "序号", "text", "1"),
        ),
    ),
)


@dataclass
class OneDocument:
    """Document 7 waits for 2 (Ann) at step 20 until somebody acts there."""

    holder: str = "2"
    node_id: str = "20"
    offered: Mapping[Action, str] = field(default_factory=lambda: dict(OFFERED))
    demands: frozenset[Demand] = frozenset()
    fields: tuple[Field, ...] = ()
    tables: tuple[Table, ...] = ()
    log: list[Opinion] = field(default_factory=list)
    fault: Exception | None = None
    """What every question is answered with."""
    loses: str = ""
    """`before`: a submission never arrives; `after`: it is done, and the answer is lost."""
    refuses: bool = False
    held: asyncio.Event | None = None
    """What an opening has read is answered once this is set."""
    slow: asyncio.Event | None = None
    """A submission is answered once this is set."""
    said: list[tuple[str, Submission]] = field(default_factory=list)
    forwarded: list[tuple[str, tuple[str, ...], str, str]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    openings: int = 0
    file: bytes = b"%PDF-1.7 and so on"

    async def open_document(self, oa_user: str, request_id: str) -> OpenedDocument:
        self.openings += 1
        if self.fault is not None:
            raise self.fault
        if oa_user not in ("2", "3") or request_id != "7":
            raise RefusedByOA("not for this person")
        opened = self._opened(oa_user, request_id)
        if self.held is not None:
            await self.held.wait()
        return opened

    def _opened(self, oa_user: str, request_id: str) -> OpenedDocument:
        waits = oa_user == self.holder
        return OpenedDocument(
            request_id=request_id,
            workflow_id="61",
            kind="公文审批",
            title="关于排班的请示",
            creator_name="蔡彩",
            creator="4",
            created_at=None,
            urgency="urgent",
            status="审批",
            node_id=self.node_id,
            node="科主任审批",
            actions=self.offered if waits else {},
            demands=self.demands if waits else frozenset(),
            fields=self.fields,
            tables=self.tables,
            opinions=tuple(reversed(self.log)),
            more_before="L1",
            phrases=("同意",),
        )

    async def opinions(
        self, oa_user: str, opened: tuple[str, str], more_before: str
    ) -> OpinionPage:
        assert (opened, more_before) == (("61", "7"), "L1")
        return OpinionPage((entry("old", "4", "10"),), "")

    async def submit(self, oa_user: str, opened: OpenedDocument, said: Submission) -> bool:
        if self.loses == "before":
            raise Unreachable("lost")
        if self.slow is not None:
            await self.slow.wait()
        if self.refuses or oa_user != self.holder:
            return False
        self.said.append((oa_user, said))
        self.act(oa_user)
        if self.loses == "after":
            raise Unreachable("lost")
        return True

    def act(self, oa_user: str) -> None:
        """Somebody acts at the step, here or at the desk."""
        self.log.append(entry(f"L{len(self.log) + 2}", oa_user, self.node_id))
        self.holder, self.node_id = "3", "30"

    async def forward(
        self, oa_user: str, request_id: str, to: Sequence[str], opinion: str, address: str
    ) -> bool:
        self.forwarded.append((oa_user, tuple(to), opinion, address))
        return True

    async def mark_read(self, oa_user: str, request_id: str) -> None:
        if request_id == "bad":
            raise Unreachable("lost")
        self.read.append(request_id)

    async def attachment(self, oa_user: str, attachment_id: str, most_bytes: int) -> Download:
        async def pieces() -> AsyncIterator[bytes]:
            yield self.file[:4]
            yield self.file[4:]

        return Download("whatever.exe", "text/html", None, pieces())


def entry(id: str, oa_user: str, node_id: str) -> Opinion:
    return Opinion(id, node_id, "审批", oa_user, "安宁", "产科", None, "批准", "<b>同意</b>")


class Taken:
    """A worklist that writes down what it is told."""

    def __init__(self) -> None:
        self.acted_on: list[tuple[str, str]] = []

    async def acted(self, person_id: str, request_id: str) -> None:
        self.acted_on.append((person_id, request_id))

    async def read(self, *_: object, **__: object) -> Reading:
        return Reading((), 0, None, stale=False)

    def hint(self, person_ids: object) -> None: ...


class Desk:
    """The office, the OA, and what was kept."""

    def __init__(self, office: Office, oa: OneDocument, taken: Taken) -> None:
        self.office, self.oa, self.taken = office, oa, taken
        self.acts: Acts = office.services[Acts]
        self.looking = Looking(self.acts, office.store, office.clock)

    async def ask(self, person: str, name: str, **fields: Any) -> dict[str, Any]:
        return await self.office.ask(person, f"documents.{name}", fields)

    async def open(self, person: str = "ann") -> dict[str, Any]:
        return await self.ask(person, "open", request_id="7")

    async def act(self, action: str = "approve", client_id: str = "c1", **fields: Any) -> Any:
        """What Ann's act comes to."""
        given = {"action": action, "client_id": client_id, **fields}
        if "seen" not in given:
            given["seen"] = (await self.open())["seen"]
        return (await self.ask("ann", "act", request_id="7", **given))["act"]

    async def records(self) -> list[dict[str, Any]]:
        rows = await self.office.store.scan("audit", limit=100)
        return [row for row in rows if row["action"].startswith("documents.")]

    async def came_to(self) -> list[tuple[str, str]]:
        """What was recorded: where it came to, by which answer."""
        details = [row["detail"] for row in await self.records()]
        return [(one["came_to"], one["answer"]) for one in details if "came_to" in one]

    async def kept(self) -> list[Act]:
        return [from_doc(Act, doc) for doc in await self.office.store.scan("acts")]

    async def after(self, seconds: float) -> None:
        """Time goes by, and what is due is looked at."""
        self.office.clock.advance(seconds)
        await self.looking.look()


@asynccontextmanager
async def open_desk(folder: Path, oa: OneDocument) -> AsyncIterator[Desk]:
    taken = Taken()
    services: dict[type, Any] = {Documents: oa, Worklist: taken}
    async with open_office(folder, [documents.feature], services) as office:
        for person, user in USERS.items():
            await office.store.apply(Patch("people", person, {"oa_user_id": user}))
        await office.directory.load(office.store)
        yield Desk(office, oa, taken)


__all__ = ["FIELDS", "OFFERED", "TABLE", "Desk", "OneDocument", "entry", "open_desk"]
