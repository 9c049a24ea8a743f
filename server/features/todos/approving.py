"""Saying yes to a document from its card.

Only where a yes is all that is asked: the kind is allowed, nothing in kind, title or form speaks of money or
secrets, and the step wants neither words nor fields. Everything else is opened, where the person signs in.

    pressed -> the document is opened for this person and looked at -> the yes is stored as asked
            -> the OA is told, once -> stored as done, taken off the person's list, recorded

As long as a yes is only asked, nobody knows whether the OA did it: the document is opened again before
anything is repeated, and not before a call that may still be on its way has had its time. One yes is for one
coming of a document: a card of an earlier time does nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from msgspec.structs import replace

from server.acting.plain_yes import PlainYes
from server.auth import Actor
from server.clock import Clock
from server.directory import Directory
from server.features.todos.documents import Approval, Todo
from server.integrations.oa import OAError, RefusedByOA
from server.integrations.oa.documents import Documents, OpenedDocument, Submission
from server.integrations.oa.mirror import Worklist
from server.integrations.wecom import Button
from server.notify import NotYet
from server.notify.texts import say
from server.settings import Settings
from server.storage import Store
from server.storage.document import from_doc
from server.work import SystemWork, UnitOfWork

LANGUAGE: Final = "zh"
KEY: Final = "approve"
SURE_AFTER_MS: Final = 30_000
"""A call whose answer was lost is not on its way any more after this."""
AGAIN_S: Final = 3.0
MOST_TRIES: Final = 3
FROM_CARD: Final = "card in WeCom"


class Approving:
    """Decides which cards may carry a yes, and carries one out."""

    def __init__(
        self,
        store: Store,
        system: SystemWork,
        clock: Clock,
        directory: Directory,
        oa: Documents,
        worklist: Worklist,
        settings: Settings,
    ) -> None:
        self._store = store
        self._system = system
        self._clock = clock
        self._directory = directory
        self._oa = oa
        self._worklist = worklist
        self._rule = PlainYes(settings)

    def buttons(self, todo: Todo) -> tuple[Button, ...]:
        """What may be pressed on the card of a document; nothing when it has to be opened."""
        if not self._may_be_on_a_card(todo):
            return ()
        return (Button(say(LANGUAGE, "approve"), f"{KEY}.{todo.comings}"),)

    def _may_be_on_a_card(self, todo: Todo) -> bool:
        return self._rule.is_enough(todo.kind, todo.title)

    async def approve(self, person_id: str, subject: str, key: str) -> str:
        """Do it once; what the card says then. Raises NotYet while nobody knows."""
        doc = await self._store.get(Todo.collection.name, subject)
        todo = None if doc is None else from_doc(Todo, doc)
        if todo is None or todo.person_id != person_id or key != f"{KEY}.{todo.comings}":
            return say(LANGUAGE, "changed")
        approval = await self._approval(todo)
        if approval is not None and approval.state == "done":
            return await self._finish(todo, approval)
        if approval is None and (todo.gone_at is not None or not self._may_be_on_a_card(todo)):
            return say(LANGUAGE, "handled" if todo.gone_at is not None else "open")
        person = self._directory.person(person_id)
        if person is None or person.is_retired or not person.oa_user_id:
            return say(LANGUAGE, "open")
        return await self._ask(todo, person.oa_user_id, approval)

    async def _ask(self, todo: Todo, oa_user: str, approval: Approval | None) -> str:
        try:
            opened = await self._oa.open_document(oa_user, todo.request_id)
        except RefusedByOA:
            return say(LANGUAGE, "open")
        except OAError:
            raise NotYet(AGAIN_S) from None
        if approval is None:
            return await self._first(todo, oa_user, opened)
        if opened.node_id != approval.node_id or not opened.may_submit:
            # It has moved on: ours was done if the OA says that we acted there.
            if approval.node_id in opened.acted_at(oa_user):
                return await self._finish(todo, approval)
            return say(LANGUAGE, "handled")
        waited_ms = self._clock.now() - approval.asked_at
        if waited_ms < SURE_AFTER_MS:
            raise NotYet((SURE_AFTER_MS - waited_ms) / 1000)
        if approval.tries >= MOST_TRIES:
            return say(LANGUAGE, "not_done")
        return await self._submit(todo, oa_user, opened, approval.tries + 1)

    async def _first(self, todo: Todo, oa_user: str, opened: OpenedDocument) -> str:
        if not opened.may_submit:
            return say(LANGUAGE, "handled")
        same = opened.title == todo.title
        if opened.demands or not same or self._rule.is_risky(opened.title, *opened.labels):
            return say(LANGUAGE, "open")
        return await self._submit(todo, oa_user, opened, 1)

    async def _submit(self, todo: Todo, oa_user: str, opened: OpenedDocument, tries: int) -> str:
        approval = Approval(
            id=approval_id(todo),
            node_id=opened.node_id,
            state="asked",
            asked_at=self._clock.now(),
            tries=tries,
        )
        await self._system.do(lambda work: _keep(work, approval))
        try:
            yes = Submission("approve", say(LANGUAGE, "approve"))
            done = await self._oa.submit(oa_user, opened, yes)
        except OAError:
            raise NotYet(AGAIN_S) from None
        if not done:
            await self._system.do(lambda work: _drop(work, approval))
            return say(LANGUAGE, "not_done")
        return await self._finish(todo, approval)

    async def _finish(self, todo: Todo, approval: Approval) -> str:
        """It is done: off the list, so that every page knows, and into the record."""
        if todo.gone_at is None:
            await self._worklist.acted(todo.person_id, todo.request_id)
        if approval.state != "done":
            roles = self._directory.roles_of(todo.person_id) or frozenset()
            actor = Actor(todo.person_id, roles=roles, address=FROM_CARD)
            await self._system.do(lambda work: _done(work, todo, approval), actor)
        return say(LANGUAGE, "approved")

    async def _approval(self, todo: Todo) -> Approval | None:
        doc = await self._store.get(Approval.collection.name, approval_id(todo))
        return None if doc is None else from_doc(Approval, doc)


def approval_id(todo: Todo) -> str:
    """The yes for this coming of a document."""
    return f"{todo.id}:{todo.comings}"


async def _keep(work: UnitOfWork, approval: Approval) -> None:
    known = await work.get(Approval, approval.id)
    if known is None or known.state == "asked":
        work.put(approval)


async def _drop(work: UnitOfWork, approval: Approval) -> None:
    if (known := await work.get(Approval, approval.id)) is not None:
        work.delete(known)


async def _done(work: UnitOfWork, todo: Todo, approval: Approval) -> None:
    known = await work.get(Approval, approval.id)
    if known is None or known.state != "done":
        work.put(replace(approval, state="done"))
        work.record("todos.approved", todo.id, node=approval.node_id, tries=approval.tries)


@asynccontextmanager
async def approving(
    store: Store,
    system: SystemWork,
    clock: Clock,
    directory: Directory,
    oa: Documents,
    worklist: Worklist,
    settings: Settings,
) -> AsyncIterator[Approving]:
    """As a service, for the duty."""
    yield Approving(store, system, clock, directory, oa, worklist, settings)
