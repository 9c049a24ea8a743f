"""The numbers of a badge: how many documents wait, and how many of them are new to the person."""

from server.features.todos.documents import Todo, todo_id
from server.features.todos.protocol import TodosCounted
from server.integrations.oa.mirror import Seen
from server.work import UnitOfWork


async def count_unread(
    work: UnitOfWork, person_id: str, seen: Seen | None, *, opening: str | None = None
) -> int:
    """How many of the waiting documents were not opened here; `opening` is just being opened."""
    if seen is None:
        return 0
    ids = [todo_id(person_id, request_id) for request_id in seen.request_ids]
    known = await work.get_many(Todo, ids)
    opened = {todo.request_id for todo in known.values() if todo.opened_at is not None}
    if opening is not None:
        opened.add(opening)
    return len(seen.request_ids - opened)


def counted(seen: Seen, unread: int) -> TodosCounted:
    """The event that carries both numbers."""
    return TodosCounted(pending=seen.pending, unread=unread, as_of=seen.as_of)
