"""A person's lists of documents, whole or narrowed down.

What waits is held by the mirror as a whole, so all of it is looked through. The other lists come from the OA
page by page, and no question of ours may be put to it (its conditions are raw SQL), so only the newest pages
are looked through, and the answer says how far.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.acting.copies import Copies
from server.acting.plain_yes import PlainYes
from server.clock import Millis
from server.directory import Directory
from server.features.todos.documents import Todo, todo_id
from server.features.todos.protocol import ListTodos, TodoItem, TodoPage
from server.integrations.oa import PAGE_ROWS, Item
from server.integrations.oa.mirror import Reading, Worklist
from server.notify.reminders import Urge
from server.settings import Settings
from server.work import UnitOfWork

FARTHEST_PAGE: Final = 5


async def list_todos(
    command: ListTodos,
    work: UnitOfWork,
    worklist: Worklist,
    directory: Directory,
    settings: Settings,
) -> TodoPage:
    """A page of the actor's own documents, read through to the OA."""
    found = await _found(command, work.actor.person_id, worklist, directory)
    waiting = command.state == "pending"
    if command.state == "read":
        # Before it is opened here: some systems take a copy off the list then.
        await Copies(settings, directory).noted(work, work.actor.person_id, found.items)
    ids = [todo_id(work.actor.person_id, item.request_id) for item in found.items]
    known = await work.get_many(Todo, ids)
    urges = await work.get_many(Urge, ids) if waiting else {}
    opened = {todo.request_id for todo in known.values() if todo.opened_at is not None}
    rule = PlainYes(settings)
    return TodoPage(
        items=[
            _row(
                item,
                directory,
                urges.get(id),
                is_new=waiting and item.request_id not in opened,
                may_approve=waiting and rule.is_enough(item.kind, item.title),
            )
            for id, item in zip(ids, found.items, strict=True)
        ],
        total=found.total,
        as_of=found.as_of,
        stale=found.stale,
        looked_at=found.looked_at,
        kinds=found.kinds,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    items: Sequence[Item]
    total: int | None
    as_of: Millis | None
    stale: bool
    looked_at: int | None
    kinds: list[str]


async def _found(
    command: ListTodos, person_id: str, worklist: Worklist, directory: Directory
) -> _Found:
    if not _narrows(command):
        page = await worklist.read(person_id, command.state, command.page)
        seen = await worklist.seen(person_id) if command.state == "pending" else None
        kinds = _kinds(seen.items if seen is not None else page.items)
        return _Found(page.items, page.total, page.as_of, page.stale, None, kinds)
    first, rows, all_of_it = await _newest(command, person_id, worklist)
    matching = [item for item in rows if _matches(command, item, directory)]
    begin = (command.page - 1) * PAGE_ROWS
    return _Found(
        items=matching[begin : begin + PAGE_ROWS],
        total=len(matching),
        as_of=first.as_of,
        stale=first.stale,
        looked_at=None if all_of_it else len(rows),
        kinds=_kinds(rows),
    )


def _narrows(command: ListTodos) -> bool:
    return bool(
        command.search.strip() or command.kind or command.urgency or command.since is not None
    )


async def _newest(
    command: ListTodos, person_id: str, worklist: Worklist
) -> tuple[Reading, Sequence[Item], bool]:
    """What is looked through: the first page as it was read, the rows, and whether there are no more."""
    first = await worklist.read(person_id, command.state, 1)
    if command.state == "pending":
        seen = await worklist.seen(person_id)
        return first, seen.items if seen is not None else (), seen is None or seen.complete
    rows, number, page = {item.request_id: item for item in first.items}, 1, first
    while _goes_on(first, page, number) and number < FARTHEST_PAGE:
        page = await worklist.read(person_id, command.state, number + 1, max_age_s=60.0)
        if not page.items:
            break  # the OA went away meanwhile, or the list became shorter
        number += 1
        rows |= {item.request_id: item for item in page.items}
    return first, list(rows.values()), not _goes_on(first, page, number)


def _goes_on(first: Reading, page: Reading, number: int) -> bool:
    """Whether there is more of a list after so many pages."""
    if first.total is not None:
        return number * PAGE_ROWS < first.total
    return len(page.items) >= PAGE_ROWS


def _matches(command: ListTodos, item: Item, directory: Directory) -> bool:
    if command.kind and item.kind != command.kind:
        return False
    if command.urgency and item.urgency != command.urgency:
        return False
    if command.since is not None and (item.received_at or 0) < command.since:
        return False
    creator = directory.by_oa(item.creator)
    place = directory.main_department(creator.id) if creator is not None else ""
    text = _plain("\n".join((item.title, item.kind, item.creator_name, place)))
    return all(word in text for word in _plain(command.search).split())


def _plain(text: str) -> str:
    """A text as it is compared: without case and width."""
    return unicodedata.normalize("NFKC", text).casefold()


def _kinds(items: Sequence[Item]) -> list[str]:
    return sorted({item.kind for item in items if item.kind})


def _row(
    item: Item, directory: Directory, urge: Urge | None, *, is_new: bool, may_approve: bool
) -> TodoItem:
    creator = directory.by_oa(item.creator)
    return TodoItem(
        item_id=item.item_id,
        request_id=item.request_id,
        title=item.title,
        creator_name=item.creator_name,
        received_at=item.received_at,
        urgency=item.urgency,
        node=item.node,
        source=item.source,
        is_new=is_new,
        kind=item.kind,
        creator_id=creator.id if creator is not None else None,
        department=directory.main_department(creator.id) if creator is not None else "",
        may_approve=may_approve,
        urged_by=urge.by_name if urge is not None else "",
        urged_at=urge.at if urge is not None else None,
        urged_words=urge.words if urge is not None else "",
    )
