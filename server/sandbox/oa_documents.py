"""The documents of the stand-in OA: who has to act on what, and what acting does.

Everybody asked approves on his own; when all have, the document is archived; one refusal sends it
back to its creator, who may submit it again. Every change is a line in a journal, on disk before
anybody hears of it, so that what was answered survives a kill.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from server.clock import Clock

FIRST_ID: Final = 10_001
LISTS: Final = ("ToDo", "CC", "Hendled", "Processed", "My", "All")

Node = tuple[str, str]
CREATED: Final[Node] = ("1", "创建")
APPROVING: Final[Node] = ("2", "审批")
ARCHIVED: Final[Node] = ("3", "归档")
_NODES: Final = {node[0]: node for node in (CREATED, APPROVING, ARCHIVED)}


@dataclass(frozen=True, slots=True)
class Document:
    """One document. People are OA user ids; moments are milliseconds.

    `received` says since when somebody has it, `done` when somebody acted, `read` who opened it.
    """

    request_id: int
    title: str
    creator: int
    kind: str
    urgency: int
    created_at: int
    approvers: tuple[int, ...]
    copies: tuple[int, ...] = ()
    node: str = APPROVING[0]
    pending: tuple[int, ...] = ()
    received: dict[int, int] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)
    read: tuple[int, ...] = ()
    log: tuple[dict[str, Any], ...] = ()
    needs_opinion: bool = False

    @property
    def node_name(self) -> str:
        return _NODES[self.node][1]

    @property
    def is_archived(self) -> bool:
        return self.node == ARCHIVED[0]

    @property
    def people(self) -> frozenset[int]:
        return frozenset((self.creator, *self.approvers, *self.copies, *self.done))

    def lies_in(self, which: str, user: int) -> bool:
        """Whether it is in this list of this person."""
        match which:
            case "ToDo":
                return user in self.pending
            case "CC":
                return user in self.copies
            case "Hendled":
                return user in self.done and user not in self.pending and not self.is_archived
            case "Processed":
                return user in self.done and self.is_archived
            case "My":
                return user == self.creator
            case _:
                return user in self.people

    def received_at(self, user: int) -> int:
        return self.received.get(user, self.created_at)

    def submitted(
        self, user: int, act: Literal["approve", "reject"], remark: str, now: int
    ) -> "Document":
        """What it is after somebody who has it acted on it."""
        entry = {"user": user, "act": act, "remark": remark, "at": now, "node": self.node}
        acted = replace(self, log=(*self.log, entry), done=self.done | {user: now})
        if self.node == CREATED[0]:
            return acted.sent_out(now)
        if act == "reject":
            return replace(
                acted,
                node=CREATED[0],
                pending=(self.creator,),
                received=self.received | {self.creator: now},
            )
        left = tuple(person for person in self.pending if person != user)
        return replace(acted, pending=left, node=self.node if left else ARCHIVED[0])

    def sent_out(self, now: int) -> "Document":
        """At the approvers, who have not seen it yet."""
        received = self.received | dict.fromkeys((*self.approvers, *self.copies), now)
        unread = tuple(person for person in self.read if person not in self.approvers)
        return replace(
            self, node=APPROVING[0], pending=self.approvers, received=received, read=unread
        )

    @classmethod
    def from_line(cls, line: dict[str, Any]) -> "Document":
        fields = dict(line)
        for name in ("approvers", "copies", "pending", "read", "log"):
            fields[name] = tuple(fields[name])
        for name in ("received", "done"):
            fields[name] = {int(user): at for user, at in fields[name].items()}
        return cls(**fields)


class Documents:
    """All documents, in memory and in the journal at `path`."""

    def __init__(self, path: Path, clock: Clock, name_of: Callable[[int], str]) -> None:
        self._path = path
        self._clock = clock
        self._all: dict[int, Document] = {}
        self._changing = asyncio.Lock()
        self.name_of = name_of

    async def open(self) -> None:
        """Read what was kept. A line cut short by a kill was never answered, and is left out."""
        for line in await asyncio.to_thread(self._lines):
            document = Document.from_line(line)
            self._all[document.request_id] = document

    def __len__(self) -> int:
        return len(self._all)

    def find(self, request_id: int) -> Document | None:
        return self._all.get(request_id)

    def newest(self) -> list[Document]:
        return sorted(self._all.values(), key=lambda one: one.request_id, reverse=True)

    def listed(self, which: str, user: int) -> list[Document]:
        """A person's list in the order of the OA: last received first, then the higher id."""
        return sorted(
            (one for one in self._all.values() if one.lies_in(which, user)),
            key=lambda one: (one.received_at(user), one.request_id),
            reverse=True,
        )

    async def create(
        self,
        title: str,
        creator: int,
        approvers: Sequence[int],
        *,
        urgency: int = 0,
        copies: Sequence[int] = (),
        kind: str = "公文审批",
        needs_opinion: bool = False,
    ) -> Document:
        async with self._changing:
            now = self._clock.now()
            document = Document(
                request_id=max(self._all, default=FIRST_ID - 1) + 1,
                title=title,
                creator=creator,
                kind=kind,
                urgency=urgency,
                created_at=now,
                approvers=tuple(dict.fromkeys(approvers)),
                copies=tuple(dict.fromkeys(copies)),
                needs_opinion=needs_opinion,
            ).sent_out(now)
            await self._keep([document])
            return document

    async def submit(
        self, request_id: int, user: int, act: str, remark: str = "", **heads: Any
    ) -> bool:
        """Act on a document, whose heads become those given. False when it does not wait for this
        person (any more), or lacks the opinion that its step demands."""
        async with self._changing:
            document = self._all.get(request_id)
            if document is None or user not in document.pending:
                return False
            if document.needs_opinion and not remark and document.node != CREATED[0]:
                return False
            document = replace(document, **heads)
            what: Literal["approve", "reject"] = "reject" if act == "reject" else "approve"
            await self._keep([document.submitted(user, what, remark, self._clock.now())])
            return True

    async def mark_read(self, request_id: int, user: int) -> None:
        async with self._changing:
            document = self._all.get(request_id)
            if document is not None and user not in document.read:
                await self._keep([replace(document, read=(*document.read, user))])

    async def put(self, documents: Iterable[Document]) -> None:
        """Store documents as they are (seeding)."""
        async with self._changing:
            await self._keep(list(documents))

    async def _keep(self, documents: list[Document]) -> None:
        await asyncio.to_thread(self._write, [asdict(document) for document in documents])
        self._all.update((document.request_id, document) for document in documents)

    def _write(self, lines: list[dict[str, Any]]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        with self._path.open("ab") as journal:
            journal.write(text.encode())
            journal.flush()
            os.fsync(journal.fileno())

    def _lines(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        kept = self._path.read_bytes()
        whole = kept[: kept.rfind(b"\n") + 1]
        if len(whole) < len(kept):
            with self._path.open("r+b") as journal:
                journal.truncate(len(whole))
        return [json.loads(line) for line in whole.splitlines()]
