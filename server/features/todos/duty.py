"""What is owed for a new document: one notice ever to the person it waits for."""

from collections.abc import Mapping, Sequence

from server.features.todos.approving import Approving
from server.features.todos.documents import Todo
from server.notify import Claim, Draft, Priority
from server.notify.texts import todo_description, todo_title
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
        docs = await self._store.get_many(Todo.collection.name, [row.subject for row in owed])
        todos = (from_doc(Todo, doc) for doc in docs.values())
        return {
            todo.id: [
                Claim(
                    person_id=todo.person_id,
                    upto=TOLD,
                    first_at=todo.arrived_at,
                    newest_at=todo.arrived_at,
                    priority=Priority.URGENT if todo.is_urgent else Priority.TODO,
                )
            ]
            for todo in todos
            if _is_owed(todo)
        }

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        """The notice, unless the document was opened or has gone meanwhile."""
        doc = await self._store.get(Todo.collection.name, subject)
        todo = from_doc(Todo, doc) if doc is not None else None
        if todo is None or todo.person_id != person_id or not _is_owed(todo):
            return None
        return Draft(
            title=todo_title("zh", todo.title, urgent=todo.is_urgent),
            description=todo_description("zh", todo.creator_name),
            path=f"/d/{todo.request_id}",
            upto=TOLD,
            newest_at=todo.arrived_at,
            buttons=self._approving.buttons(todo),
        )

    async def press(self, person_id: str, subject: str, key: str) -> str:
        """A yes from the card."""
        return await self._approving.approve(person_id, subject, key)

    async def is_unseen(self, person_id: str, subject: str, place: int) -> bool:
        """Whether the document still waits unopened."""
        doc = await self._store.get(Todo.collection.name, subject)
        todo = from_doc(Todo, doc) if doc is not None else None
        return todo is not None and todo.opened_at is None and todo.gone_at is None

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        """Mark the document as told."""
        return [Max(Todo.collection.name, subject, "notified", TOLD)] if upto else []


def _is_owed(todo: Todo) -> bool:
    return todo.notified < TOLD and todo.opened_at is None and todo.gone_at is None
