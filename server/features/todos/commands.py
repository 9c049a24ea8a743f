"""What a person may do with the documents that wait."""

from msgspec.structs import replace

from realtime.channel import person_channel
from realtime.protocol import Nothing
from server.errors import NotFound
from server.features.todos.counting import count_unread, counted
from server.features.todos.documents import SeenList, Todo, todo_id
from server.features.todos.protocol import (
    CountTodos,
    TodoCount,
    TodoOpened,
)
from server.integrations.oa.mirror import Seen, Worklist
from server.notify.reminders import Urge
from server.work import UnitOfWork

COUNTED_KEY = "todos.counted"


async def count_todos(command: CountTodos, work: UnitOfWork, worklist: Worklist) -> TodoCount:
    """How many wait, read through to the OA."""
    person_id = work.actor.person_id
    waiting = await worklist.counts(person_id)
    unread = await count_unread(work, person_id, await worklist.seen(person_id))
    return TodoCount(
        pending=waiting.pending,
        unread=min(unread, waiting.pending),
        as_of=waiting.as_of,
        stale=waiting.stale,
    )


async def open_todo(command: TodoOpened, work: UnitOfWork, worklist: Worklist) -> Nothing:
    """Note that the actor has seen a document: its notice is settled, the badge goes down."""
    person_id = work.actor.person_id
    todo = await work.get(Todo, todo_id(person_id, command.request_id))
    if todo is None:
        raise NotFound("this document is not in your lists")
    urge = await work.get(Urge, todo.id)
    if urge is not None and urge.seen_at is None:
        work.put(replace(urge, seen_at=work.now))
    if todo.opened_at is None:
        work.put(replace(todo, opened_at=work.now))
        kept = await work.get(SeenList, person_id)
        if kept is not None:
            # Written in the version read: whoever counts at the same time counts again.
            work.put(kept)
            seen = await _newest(kept, worklist)
            unread = await count_unread(work, person_id, seen, opening=command.request_id)
            event = counted(seen, unread)
            work.append(person_channel(person_id), event, key=COUNTED_KEY)
        work.record("todos.opened", todo.id)
    return Nothing()


async def _newest(kept: SeenList, worklist: Worklist) -> Seen:
    """The list as kept; or as held in memory, if that was found to be the same since."""
    stored, held = Seen.from_document(kept.seen), await worklist.seen(kept.id)
    return held if held is not None and held.as_of > stored.as_of else stored
