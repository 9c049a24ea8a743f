"""The mirror's sink: turns what changed in the OA into a stored list, a badge, and one notice each.

All of it is one unit of work, so that a change which was interrupted is heard again as a whole. Hearing
a change twice is harmless: a document that is known makes no second notice. What is gone leaves a record
of how long it waited (`server.acting.endings`). Whoever tells a badge's
numbers writes the stored list in the version read, so that each is counted after the one before.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from realtime.channel import person_channel
from server.directory import Directory
from server.features.todos.commands import COUNTED_KEY
from server.features.todos.counting import count_unread, counted
from server.features.todos.documents import SeenList, Todo, todo_id
from server.features.todos.endings import Endings
from server.integrations.oa import Item
from server.integrations.oa.mirror import Outdated, Seen
from server.settings import Settings
from server.storage import Store
from server.storage.document import from_doc
from server.work import SystemWork, UnitOfWork


class Follower(Protocol):
    """Something that follows from a change of somebody's list, in the same unit of work."""

    async def __call__(
        self, work: UnitOfWork, person_id: str, arrived: Sequence[Item], gone: Sequence[str]
    ) -> None:
        """`arrived` is news only: nothing of a baseline. Told again when the change is."""
        ...


class Arrivals:
    """Keeps the promise of `WorklistSink`. `followed_by` is what else follows from a change."""

    def __init__(
        self,
        store: Store,
        system: SystemWork,
        settings: Settings,
        directory: Directory,
        *followed_by: Follower,
    ) -> None:
        self._followers = followed_by
        self._directory = directory
        self._endings = Endings(settings, directory)
        self._store = store
        self._system = system
        self._due_in_ms = settings.notice_first_seconds * 1000

    async def load(self, person_id: str) -> Seen | None:
        """The list as last kept, unless the person had another account in the OA then."""
        doc = await self._store.get(SeenList.collection.name, person_id)
        kept = None if doc is None else from_doc(SeenList, doc)
        if kept is None or kept.oa_user not in ("", self._oa_user(person_id)):
            return None
        return Seen.from_document(kept.seen)

    async def changed(
        self,
        person_id: str,
        before: Seen | None,
        seen: Seen,
        arrived: tuple[Item, ...],
        gone: tuple[str, ...],
    ) -> None:
        """Keep the list, tell the badge, and owe a notice for each new document."""
        await self._system.do(
            lambda work: self._change(work, person_id, before, seen, arrived, gone)
        )

    async def _change(
        self,
        work: UnitOfWork,
        person_id: str,
        before: Seen | None,
        seen: Seen,
        arrived: tuple[Item, ...],
        gone: tuple[str, ...],
    ) -> None:
        kept = await work.get(SeenList, person_id)
        if before and kept and not Seen.from_document(kept.seen).says_the_same(before):
            raise Outdated("Another node has told a change of this list.")
        if before is None and kept:
            # What a former account had waits for this person no more.
            former = Seen.from_document(kept.seen)
            gone = tuple(sorted(former.request_ids - seen.request_ids))
        known = await work.get_many(Todo, [todo_id(person_id, item.request_id) for item in arrived])
        for item in arrived:
            self._arrive(work, person_id, item, known, is_baseline=before is None)
        received = {item.request_id: item.received_at for item in before.items} if before else {}
        for todo in (await work.get_many(Todo, [todo_id(person_id, id) for id in gone])).values():
            work.put(replace(todo, gone_at=work.now))
            if todo.gone_at is None:
                work.withdraw("todo", todo.id)
                if before is not None:
                    await self._endings.leave(work, todo, received.get(todo.request_id))
        unread = await count_unread(work, person_id, seen)
        oa_user = self._oa_user(person_id)
        work.put(SeenList(id=person_id, seen=seen.to_document(), oa_user=oa_user))
        work.append(person_channel(person_id), counted(seen, unread), key=COUNTED_KEY)
        for follow in self._followers:
            await follow(work, person_id, arrived if before is not None else (), gone)

    def _oa_user(self, person_id: str) -> str:
        person = self._directory.person(person_id)
        return person.oa_user_id or "" if person is not None else ""

    def _arrive(
        self,
        work: UnitOfWork,
        person_id: str,
        item: Item,
        known: dict[str, Todo],
        *,
        is_baseline: bool,
    ) -> None:
        id = todo_id(person_id, item.request_id)
        if id in known:
            if known[id].gone_at is not None:
                again = known[id].comings + 1
                work.put(replace(known[id], gone_at=None, came_at=work.now, comings=again))
                if known[id].notified == 0:
                    # It went before anybody was told, and what was owed went with it.
                    work.owe("todo", id, due_in_ms=self._due_in_ms)
            return
        todo = Todo(
            id=id,
            person_id=person_id,
            request_id=item.request_id,
            title=item.title,
            creator_name=item.creator_name,
            is_urgent=item.urgency == "urgent",
            kind=item.kind,
            arrived_at=work.now,
            notified=1 if is_baseline else 0,
        )
        work.put(todo)
        if not is_baseline:
            work.owe("todo", id, due_in_ms=self._due_in_ms)
