"""Saying yes to a document from its card.

Only where a yes is all that is asked: the kind is allowed, nothing in kind, title or form speaks of money or
secrets, and the step wants neither words nor fields. Everything else is opened, where the person signs in.

How the OA is told is the same as from a page (`server.acting`). What differs: nobody is left who could press
again, so a yes that does not show in the OA half a minute later is told anew, three times in all, each time
after the document was opened again and still waits for this person at the same step. One yes is for one
coming of a document: a card of an earlier time does nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from server.acting.acts import Acts, Said
from server.acting.documents import Act
from server.acting.plain_yes import PlainYes
from server.acting.verdict import SURE_AFTER_MS
from server.auth import Actor
from server.clock import Clock
from server.directory import Directory
from server.errors import ConflictRefused
from server.features.todos.documents import Todo
from server.integrations.oa import OAError, RefusedByOA
from server.integrations.oa.documents import Documents, OpenedDocument, Submission
from server.integrations.wecom import Button
from server.notify import NotYet
from server.notify.texts import say
from server.settings import Settings
from server.storage import Store
from server.storage.document import from_doc

LANGUAGE: Final = "zh"
KEY: Final = "approve"
AGAIN_S: Final = 3.0
MOST_TRIES: Final = 3
FROM_CARD: Final = "card in WeCom"


class Approving:
    """Decides which cards may carry a yes, and carries one out."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        directory: Directory,
        oa: Documents,
        acts: Acts,
        settings: Settings,
    ) -> None:
        self._store = store
        self._clock = clock
        self._directory = directory
        self._oa = oa
        self._acts = acts
        self._rule = PlainYes(settings)

    def buttons(self, todo: Todo) -> tuple[Button, ...]:
        """What may be pressed on the card of a document; nothing when it has to be opened."""
        if not self._rule.is_enough(todo.kind, todo.title):
            return ()
        return (Button(say(LANGUAGE, "approve"), f"{KEY}.{todo.comings}"),)

    async def approve(self, person_id: str, subject: str, key: str) -> str:
        """Do it once; what the card says then. Raises NotYet while nobody knows."""
        doc = await self._store.get(Todo.collection.name, subject)
        todo = None if doc is None else from_doc(Todo, doc)
        if todo is None or todo.person_id != person_id or key != f"{KEY}.{todo.comings}":
            return say(LANGUAGE, "changed")
        act = await self._acts.by_client(person_id, client_id(todo))
        if act is None or act.state == "refused":
            if todo.gone_at is not None:
                return say(LANGUAGE, "handled")
            if not self._rule.is_enough(todo.kind, todo.title):
                return say(LANGUAGE, "open")
        elif act.state in ("done", "moved"):
            return _said_of(act)
        person = self._directory.person(person_id)
        if person is None or person.is_retired or not person.oa_user_id:
            return say(LANGUAGE, "open")
        return await self._ask(todo, person.oa_user_id, act)

    async def _ask(self, todo: Todo, oa_user: str, act: Act | None) -> str:
        try:
            after = await self._acts.number(todo.person_id, todo.request_id)
            opened = await self._oa.open_document(oa_user, todo.request_id)
            if act is None or act.state == "refused":
                return await self._first(self._said(todo, after), todo, oa_user, opened, act)
            return await self._further(self._said(todo, after), oa_user, opened, act)
        except RefusedByOA:
            return say(LANGUAGE, "open")
        except (OAError, ConflictRefused):
            raise NotYet(AGAIN_S) from None

    async def _first(
        self, said: Said, todo: Todo, oa_user: str, opened: OpenedDocument, refused: Act | None
    ) -> str:
        if not opened.may_submit:
            return say(LANGUAGE, "handled")
        if opened.title != todo.title or not self._rule.is_all(opened):
            return say(LANGUAGE, "open")
        if refused is not None:
            return _said_of(await self._acts.again(refused, oa_user, opened, said))
        return _said_of(await self._acts.tell(oa_user, opened, said))

    async def _further(self, said: Said, oa_user: str, opened: OpenedDocument, act: Act) -> str:
        act = await self._acts.conclude(act, opened, oa_user)
        if act.is_open:
            rest_ms = act.asked_at + SURE_AFTER_MS - self._clock.now()
            raise NotYet(rest_ms / 1000 if rest_ms > 0 else AGAIN_S)
        if not act.may_repeat:
            return _said_of(act)
        if act.tries >= MOST_TRIES:
            return say(LANGUAGE, "not_done")
        return _said_of(await self._acts.again(act, oa_user, opened, said))

    def _said(self, todo: Todo, after: int) -> Said:
        roles = self._directory.roles_of(todo.person_id) or frozenset()
        return Said(
            actor=Actor(todo.person_id, roles=roles, address=FROM_CARD),
            client_id=client_id(todo),
            via="card",
            submission=Submission("approve", say(LANGUAGE, "approve")),
            after=after,
        )


def client_id(todo: Todo) -> str:
    """The yes for this coming of a document."""
    return f"card:{todo.request_id}:{todo.comings}"


def _said_of(act: Act) -> str:
    """What the card says of it. Raises NotYet while nobody knows."""
    match act.state:
        case "done":
            return say(LANGUAGE, "approved")
        case "moved":
            return say(LANGUAGE, "handled")
        case "refused" if not act.reason:
            return say(LANGUAGE, "not_done")
        case _:
            raise NotYet(AGAIN_S)


@asynccontextmanager
async def approving(
    store: Store,
    clock: Clock,
    directory: Directory,
    oa: Documents,
    acts: Acts,
    settings: Settings,
) -> AsyncIterator[Approving]:
    """As a service, for the duty."""
    yield Approving(store, clock, directory, oa, acts, settings)
