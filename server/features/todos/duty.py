"""What is owed for a new document: one notice ever to the person it waits for, and one for each time
somebody reminds that person of it (`server.notify.reminders.py`)."""

from collections.abc import Mapping, Sequence

from server.clock import Millis
from server.features.todos.approving import Approving
from server.features.todos.documents import Todo
from server.notify import Claim, Draft, Priority
from server.notify.reminders import Urge, urges_of
from server.notify.texts import todo_description, todo_title, urged_description, urged_title
from server.outbox import Owed
from server.storage import Max, Op, Store
from server.storage.document import from_doc

TOLD = 1


class TodoDuty:
    """Keeps the promises of `server.notify.Duty` and `Acting`; a subject is one person's document."""

    kind = "todo"

    def __init__(self, store: Store, approving: Approving) -> None:
        self._store = store
        self._approving = approving

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        """The person of each document that still waits unseen."""
        ids = [row.subject for row in owed]
        docs = await self._store.get_many(Todo.collection.name, ids)
        urges = await urges_of(self._store, ids)
        todos = (from_doc(Todo, doc) for doc in docs.values())
        return {
            todo.id: [_claim(todo, urges.get(todo.id))]
            for todo in todos
            if _is_owed(todo, urges.get(todo.id))
        }

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        """The notice, unless the document was opened or has gone meanwhile."""
        doc = await self._store.get(Todo.collection.name, subject)
        todo = from_doc(Todo, doc) if doc is not None else None
        urge = (await urges_of(self._store, [subject])).get(subject)
        if todo is None or todo.person_id != person_id or not _is_owed(todo, urge):
            return None
        title, description = _words(todo, urge)
        return Draft(
            title=title,
            description=description,
            path=f"/d/{todo.request_id}",
            upto=_place(urge),
            newest_at=_newest(todo, urge),
            buttons=self._approving.buttons(todo),
        )

    async def press(self, person_id: str, subject: str, key: str) -> str:
        """A yes from the card."""
        return await self._approving.approve(person_id, subject, key)

    async def is_unseen(self, person_id: str, subject: str, place: int) -> bool:
        """Whether the document still waits unopened."""
        doc = await self._store.get(Todo.collection.name, subject)
        todo = from_doc(Todo, doc) if doc is not None else None
        urge = (await urges_of(self._store, [subject])).get(subject)
        return todo is not None and todo.gone_at is None and not _is_seen(todo, urge)

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        """Mark the document as told, and the reminders so far."""
        return [Max(Todo.collection.name, subject, "notified", place) for place in upto.values()]


def _claim(todo: Todo, urge: Urge | None) -> Claim:
    return Claim(
        person_id=todo.person_id,
        upto=_place(urge),
        first_at=_newest(todo, urge),
        newest_at=_newest(todo, urge),
        priority=Priority.URGENT if todo.is_urgent else Priority.TODO,
    )


def _words(todo: Todo, urge: Urge | None) -> tuple[str, str]:
    """Title and description; what was said with a reminder stays in the app."""
    if urge is None or urge.seen_at is not None:
        title = todo_title("zh", todo.title, urgent=todo.is_urgent)
        return title, todo_description("zh", todo.creator_name)
    title = urged_title("zh", todo.title, urgent=todo.is_urgent)
    return title, urged_description("zh", urge.by_name)


def _place(urge: Urge | None) -> int:
    """How often there was something to tell: that it came, and each reminder."""
    return TOLD if urge is None else TOLD + urge.times


def _newest(todo: Todo, urge: Urge | None) -> Millis:
    came_at = todo.came_at or todo.arrived_at
    return came_at if urge is None else max(came_at, urge.at)


def _is_seen(todo: Todo, urge: Urge | None) -> bool:
    return todo.opened_at is not None and (urge is None or urge.seen_at is not None)


def _is_owed(todo: Todo, urge: Urge | None) -> bool:
    return todo.notified < _place(urge) and todo.gone_at is None and not _is_seen(todo, urge)
