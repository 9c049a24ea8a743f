"""The documents of the stand-in OA as they are kept.

Every change is a line in a journal, on disk before anybody hears of it, so that what was answered survives
a kill. Whoever wants to know whose lists a change has touched says so with `heard`.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from server.clock import Clock
from server.sandbox.oa_documents import (
    CREATED,
    FIRST_ID,
    LISTS,
    Document,
    Mode,
    Step,
)
from server.sandbox.oa_forms import OFFERED

Heard = Callable[[Document, frozenset[int]], None]


class Documents:
    """All documents, in memory and in the journal at `path`."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        name_of: Callable[[int], str],
        heard: Heard = lambda document, people: None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._all: dict[int, Document] = {}
        self._changing = asyncio.Lock()
        self._heard = heard
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
        approvers: Sequence[int] = (),
        *,
        urgency: int = 0,
        copies: Sequence[int] = (),
        kind: str = "公文审批",
        needs_opinion: bool = False,
        mode: Mode = "all",
        steps: Sequence[Step] = (),
        offers: Mapping[str, str] = OFFERED,
        stays: bool = False,
        **more: Any,
    ) -> Document:
        """Put a document on its way. `stays`: it got no further than its creator."""
        way = tuple(steps) or (Step("审批", tuple(dict.fromkeys(approvers)), mode),)
        async with self._changing:
            now = self._clock.now()
            document = Document(
                request_id=max(self._all, default=FIRST_ID - 1) + 1,
                title=title,
                creator=creator,
                kind=kind,
                urgency=urgency,
                created_at=now,
                approvers=way[0].people,
                copies=tuple(dict.fromkeys(copies)),
                needs_opinion=needs_opinion,
                steps=way,
                offers=dict(offers),
                **more,
            )
            stayed = replace(document, node=CREATED, pending=(creator,))
            document = stayed if stays else document.sent_out(now)
            await self._keep([document])
            return document

    async def submit(
        self,
        request_id: int,
        user: int,
        act: str,
        remark: str = "",
        form: Callable[[Document], Document | None] = lambda document: document,
    ) -> bool:
        """Act on a document after `form` has made of it what was filled in, or None for what it would
        not take. False when it does not wait for this person (any more), or lacks the opinion that its
        step demands."""
        async with self._changing:
            document = self._all.get(request_id)
            if document is None or not document.waits_for(user):
                return False
            is_at_step = user in document.pending and document.node != CREATED
            if is_at_step and document.needs_opinion and not remark:
                return False
            if act == "reject" and not is_at_step:
                return False
            filled = form(document)
            if filled is None:
                return False
            what = "reject" if act == "reject" else "approve"
            await self._keep([filled.submitted(user, what, remark, self._clock.now())])
            return True

    async def forward(
        self, request_id: int, user: int, to: Sequence[int], remark: str, **more: Any
    ) -> bool:
        """Give it to others to note something. False when this person may not."""
        async with self._changing:
            document = self._all.get(request_id)
            if document is None or not to or "forward" not in document.offered_to(user):
                return False
            now = self._clock.now()
            await self._keep([document.given_on(user, to, remark, now, **more)])
            return True

    async def opened(self, request_id: int, user: int) -> None:
        """Somebody has looked at it."""
        await self._change(request_id, lambda document: document.opened(user))

    async def mark_read(self, request_id: int, user: int) -> None:
        def read(document: Document) -> Document:
            if user in document.read:
                return document
            return replace(document, read=(*document.read, user))

        await self._change(request_id, read)

    async def put(self, documents: Iterable[Document]) -> None:
        """Store documents as they are (seeding), of which nobody has to hear."""
        async with self._changing:
            await self._keep(list(documents), lambda document, people: None)

    async def _change(self, request_id: int, change: Callable[[Document], Document]) -> None:
        async with self._changing:
            document = self._all.get(request_id)
            if document is not None and (changed := change(document)) is not document:
                await self._keep([changed])

    async def _keep(self, documents: list[Document], heard: Heard | None = None) -> None:
        await asyncio.to_thread(self._write, [asdict(document) for document in documents])
        for document in documents:
            before = self._all.get(document.request_id)
            self._all[document.request_id] = document
            (heard or self._heard)(document, _touched(before, document))

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


def _touched(before: Document | None, after: Document) -> frozenset[int]:
    """Those for whom the document lies in other lists than before, or is at another step."""
    if before is None:
        return after.people
    moved = before.node != after.node
    return frozenset(
        user
        for user in before.people | after.people
        if moved or any(before.lies_in(one, user) != after.lies_in(one, user) for one in LISTS)
    )
