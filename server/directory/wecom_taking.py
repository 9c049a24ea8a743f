"""Doing what WeCom's contacts would change in the directory: in portions, each with its audit row.

Whatever is not as it was when the plan was made stays as it is and is told; the next sync compares it
again. A run that was cut short is repeated: what was done shows as unchanged.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from server.auth.sessions import Sessions
from server.directory.access import retire, sign_out_everywhere
from server.directory.directory import Directory
from server.directory.documents import Department, Person
from server.directory.wecom_inward import InwardPlan
from server.directory.wecom_plan import Change, Conflict
from server.directory.wecom_state import count_removed
from server.nodes.bulletin import staff_changed
from server.storage.document import D
from server.work import SystemWork, UnitOfWork

AT_ONCE: Final = 100
LEAVING_AT_ONCE: Final = 20
ACTION: Final = "directory.sync_from_wecom"

T = TypeVar("T")
Act = Callable[[UnitOfWork], Awaitable[list[Conflict]]]


class Taking:
    """Applies plans. `directory` is this node's, which knows at once; the others read the bulletin."""

    def __init__(self, system: SystemWork, directory: Directory, sessions: Sessions) -> None:
        self._system = system
        self._directory = directory
        self._sessions = sessions

    async def apply(self, plan: InwardPlan, *, removing: bool) -> list[Conflict]:
        """Do it, removals only when they may be; what was not as expected."""
        found: list[Conflict] = []
        for departments in portions(plan.tree.new, AT_ONCE):
            found += await self._insert(Department, departments)
        for moved in portions(plan.tree.changed, AT_ONCE):
            found += await self._change(Department, moved)
        for changed in portions([*plan.changed, *plan.met], AT_ONCE):
            found += await self._change(Person, changed)
        for people in portions(plan.new, AT_ONCE):
            found += await self._insert(Person, people)
        for person in plan.disabled:
            await sign_out_everywhere(self._system, self._sessions, person.id, "disabled in WeCom")
        if removing:
            for leaving in portions(plan.leaving, LEAVING_AT_ONCE):
                found += await self._retire(leaving)
            for closing in portions(plan.closing, AT_ONCE):
                found += await self._close(closing)
        return found

    async def _insert(self, kind: type[D], documents: Sequence[D]) -> list[Conflict]:
        async def act(work: UnitOfWork) -> list[Conflict]:
            there = await work.get_many(kind, [d.id for d in documents])
            made = [d for d in documents if d.id not in there]
            for document in made:
                work.insert(document)
            self._tell(work, made, new=[d.id for d in made])
            return [Conflict("meanwhile", id) for id in there]

        return await self._system.do(act)

    async def _change(self, kind: type[D], changes: Sequence[Change[D]]) -> list[Conflict]:
        async def act(work: UnitOfWork) -> list[Conflict]:
            as_planned, others = _unchanged(
                await work.get_many(kind, [c.after.id for c in changes]), changes
            )
            for change in as_planned:
                work.put(change.after)
            fields = {change.after.id: list(change.fields) for change in as_planned}
            self._tell(work, [change.after for change in as_planned], changed=fields)
            return others

        return await self._system.do(act)

    async def _retire(self, people: Sequence[Person]) -> list[Conflict]:
        async def act(work: UnitOfWork) -> list[Conflict]:
            now = await work.get_many(Person, [person.id for person in people])
            as_planned = [person for person in people if now.get(person.id) == person]
            for person in as_planned:
                # Somebody taken back by the staff list is new to WeCom, until WeCom shows him again.
                forgotten = msgspec.structs.replace(person, wecom_seen_id="")
                await retire(work, self._sessions, self._directory, forgotten)
            if as_planned:
                ids = {person.id: person.wecom_user_id for person in as_planned}
                work.record(ACTION, "leaving", retired=ids)
                await count_removed(work, people=len(as_planned))
            return [Conflict("meanwhile", p.id) for p in people if p not in as_planned]

        return await self._system.do(act)

    async def _close(self, departments: Sequence[Department]) -> list[Conflict]:
        async def act(work: UnitOfWork) -> list[Conflict]:
            now = await work.get_many(Department, [d.id for d in departments])
            as_planned = [d for d in departments if _is_same_place(now.get(d.id), d)]
            closed = [
                msgspec.structs.replace(now[d.id], retired_at=work.now, wecom_party_id=0)
                for d in as_planned
            ]
            for department in closed:
                work.put(department)
            if closed:
                await count_removed(work, departments=len(closed))
            self._tell(work, closed, closed=[d.id for d in closed])
            return [Conflict("meanwhile", d.id) for d in departments if d not in as_planned]

        return await self._system.do(act)

    def _tell(self, work: UnitOfWork, documents: Sequence[D], **detail: object) -> None:
        if not documents:
            return
        people = [d for d in documents if isinstance(d, Person)]
        departments = [d for d in documents if isinstance(d, Department)]
        work.record(ACTION, "people" if people else "departments", **detail)
        work.post(staff_changed)
        work.afterwards(lambda: self._directory.refresh(people, departments))


def _unchanged(
    now: Mapping[str, D], changes: Sequence[Change[D]]
) -> tuple[list[Change[D]], list[Conflict]]:
    """The changes of what is still as it was, and the others told."""
    as_planned = [change for change in changes if now.get(change.before.id) == change.before]
    others = [change.before.id for change in changes if change not in as_planned]
    return as_planned, [Conflict("meanwhile", id) for id in others]


def _is_same_place(now: Department | None, planned: Department) -> bool:
    return now is not None and now.wecom_party_id == planned.wecom_party_id


def portions(things: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Some at a time."""
    for start in range(0, len(things), most):
        yield things[start : start + most]
