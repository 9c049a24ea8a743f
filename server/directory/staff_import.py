"""`import-staff`: bring the directory in line with a spreadsheet, after showing what that means.

The first run shows every mistake by row, or else what would change; the second, told to apply, does
it in batches. Each batch holds its own audit row. A run that was cut short is simply repeated: what is
done already shows as unchanged. Servers may be running beside it, so that of those who are known no more is
written than the file changes: an id proved meanwhile stays, and who was retired stays so.
"""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from server.audit import AuditRow
from server.auth import Session
from server.auth.actor import SYSTEM
from server.clock import Clock, Millis
from server.directory.directory import read_all
from server.directory.documents import Department, Person
from server.directory.staff_file import BadFile, Fault, read_staff, write_template
from server.directory.staff_oa import with_oa_ids
from server.directory.staff_plan import Change, Plan, make_plan
from server.ids import new_id
from server.integrations.oa import FindsUsers, OAError
from server.nodes.bulletin import sessions_ended, staff_changed
from server.storage import Conflict, Duplicate, Insert, Op, Patch, Store
from server.storage.document import Document, to_doc

__all__ = ["apply_plan", "import_staff", "write_template"]

BATCH: Final = 200
MOST_SHOWN: Final = 200
MOST_LEAVING: Final = 0.5
"""A file by which more than this share would leave is taken for a part of the staff."""

PEOPLE: Final = Person.collection.name
DEPARTMENTS: Final = Department.collection.name
IDS: Final = frozenset({"wecom_user_id", "oa_user_id"})
"""By which other systems know a person."""
ACTION: Final = "directory.import_staff"

T = TypeVar("T")


async def import_staff(
    path: Path, store: Store, clock: Clock, apply: bool, oa: FindsUsers | None = None
) -> int:
    """Print the report; apply the file if told to and nothing is wrong. 0 when all is well. OA ids that
    the file lacks are asked of the OA, if one is given."""
    try:
        file = await asyncio.to_thread(read_staff, path)
    except BadFile as fault:
        print(fault)
        return 2
    people = await read_all(store, Person)
    if oa is not None:
        try:
            file = await with_oa_ids(file, people, oa)
        except OAError as failed:
            print(f"没有从 OA 得到编号，未导入：{failed.sentence}")
            return 1
    plan = make_plan(file, people, await read_all(store, Department))
    if not file.rows:
        print("文件里没有人员。")
        return 2
    if plan.faults:
        print("\n".join(_shown_faults(plan.faults)))
        return 1
    print("\n".join(_shown(plan)))
    active = sum(not person.is_retired for person in people)
    if len(plan.retired) > max(10, active * MOST_LEAVING):
        print("离职人数过半，文件可能只是一部分人员。未导入。")
        return 1
    if not apply:
        print("以上为预览，尚未导入。" if not plan.is_empty else "没有要导入的变化。")
        return 0
    try:
        await apply_plan(plan, store, clock, source=path.name)
    except (Conflict, Duplicate):
        print("导入时名单在别处有改动，只导入了一部分，请再运行一次。")
        return 1
    print("已导入。")
    return 0


async def apply_plan(plan: Plan, store: Store, clock: Clock, *, source: str) -> None:
    """Do what the plan says, in batches that each leave their audit row. Ids of other systems may change
    hands: all are given up before any is taken."""
    now = clock.now()
    for departments in _in_batches(plan.departments):
        ops = [_insert(department) for department in departments]
        await _apply(store, ops, now, source, departments=[d.id for d in departments])
    for ids in _in_batches(list(plan.numbers)):
        gone = [Patch(DEPARTMENTS, id, {"oa_department_id": None}) for id in ids]
        await _apply(store, gone, now, source, given_up=list(ids))
    for ids in _in_batches(list(plan.numbers)):
        taken = [Patch(DEPARTMENTS, id, {"oa_department_id": plan.numbers[id]}) for id in ids]
        await _apply(store, taken, now, source, numbered=list(ids))
    for leaving in _in_batches(plan.retired):
        # The ids of other systems are given up: they may be somebody else's some day.
        gone_ids = {"retired_at": now, "wecom_user_id": None, "oa_user_id": None}
        ops = [Patch(PEOPLE, person.id, gone_ids) for person in leaving]
        ops += [op for person in leaving for op in await _ended_sessions(store, person, now)]
        await _apply(store, ops, now, source, retired=[p.id for p in leaving])
    giving_up = [c for c in plan.changed if IDS.intersection(c.fields)]
    for changes in _in_batches(giving_up):
        ops = [op for change in changes for op in await _given_up(store, change, now)]
        await _apply(store, ops, now, source, given_up=[c.after.id for c in changes])
    for changes in _in_batches(plan.changed):
        fields = {change.after.id: list(change.fields) for change in changes}
        ops = [_changed(change) for change in changes]
        await _apply(store, ops, now, source, changed=fields)
    for people in _in_batches(plan.new):
        ops = [_insert(person) for person in people]
        await _apply(store, ops, now, source, new=[p.id for p in people])


async def _apply(
    store: Store, ops: Sequence[Op], now: Millis, source: str, **detail: object
) -> None:
    """One batch, with its audit row and the word to servers that are running."""
    await store.apply(*ops, _audit(now, source, **detail), staff_changed(now))


def _changed(change: Change) -> Op:
    after = to_doc(change.after)
    return Patch(PEOPLE, change.after.id, {field: after.get(field) for field in change.fields})


async def _given_up(store: Store, change: Change, now: Millis) -> list[Op]:
    """Whoever came by a WeCom id that is the person's no more may have been somebody else."""
    ids = dict.fromkeys(IDS.intersection(change.fields))
    given_up: list[Op] = [Patch(PEOPLE, change.before.id, ids)]
    if "wecom_user_id" in change.fields:
        given_up += await _ended_sessions(store, change.before, now, only_by_wecom=True)
    return given_up


async def _ended_sessions(
    store: Store, person: Person, now: Millis, *, only_by_wecom: bool = False
) -> list[Op]:
    name = Session.collection.name
    docs = await store.find(name, "person", (person.id,), reverse=True, limit=1_000)
    live = [
        doc["_id"]
        for doc in docs
        if not doc.get("revoked_at") and (doc.get("by_wecom") or not only_by_wecom)
    ]
    if not live:
        return []
    revoked: list[Op] = [Patch(name, id, {"revoked_at": now}) for id in live]
    return [*revoked, sessions_ended(now, person.id, live)]


def _audit(now: Millis, source: str, **detail: object) -> Op:
    row = AuditRow(
        id=new_id(now),
        at=now,
        actor_id=SYSTEM.person_id,
        action=ACTION,
        subject=source,
        detail=detail,
    )
    return _insert(row)


def _insert(document: Document) -> Op:
    return Insert(document.collection.name, to_doc(document))


def _in_batches(things: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), BATCH):
        yield things[start : start + BATCH]


# Showing


def _shown_faults(faults: Sequence[Fault]) -> Iterator[str]:
    yield f"有 {len(faults)} 处需要改正，未导入："
    for fault in faults[:MOST_SHOWN]:
        yield f"第 {fault.row} 行 · {fault.column}：{fault.what}。{fault.remedy}。"
    if len(faults) > MOST_SHOWN:
        yield f"……还有 {len(faults) - MOST_SHOWN} 处"


def _shown(plan: Plan) -> Iterator[str]:
    yield (
        f"新增 {len(plan.new)} 人，变更 {len(plan.changed)} 人，离职 {len(plan.retired)} 人，"
        f"不变 {plan.unchanged} 人；新部门 {len(plan.departments)} 个，"
        f"OA 部门编号 {len(plan.numbers)} 个。"
    )
    lines = [
        *(f"+ 部门 {department.name}" for department in plan.departments),
        *(f"+ {person.id} {person.name}" for person in plan.new),
        *(f"~ {c.after.id} {c.after.name}：{'、'.join(c.fields)}" for c in plan.changed),
        *(f"- {person.id} {person.name}" for person in plan.retired),
    ]
    yield from lines[:MOST_SHOWN]
    if len(lines) > MOST_SHOWN:
        yield f"……还有 {len(lines) - MOST_SHOWN} 行"
