"""Doing what the directory would change in WeCom's contacts: what is meant is stored before WeCom is asked.

Whose a member will be is written before the member is made, so that a crash in between, or an answer that
was lost, leaves somebody the next sync knows again. What WeCom refuses is told and taken back; what it
could not answer stays for the next sync.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from server.directory.directory import Directory
from server.directory.documents import Department, Person
from server.directory.wecom_outward import HIGHEST_ORDER, OutwardPlan, Wanted
from server.directory.wecom_plan import Conflict
from server.directory.wecom_reading import Patience, Tell
from server.directory.wecom_state import count_removed
from server.directory.wecom_taking import portions
from server.integrations.wecom import RefusedByWeCom
from server.integrations.wecom.contacts import (
    EMAIL_EXISTS,
    MOBILE_EXISTS,
    NO_CONTACT,
    PARTY_EXISTS,
    PARTY_HAS_MEMBERS,
    PARTY_HAS_PARTIES,
    ROOT,
    USER_EXISTS,
    Contacts,
    Party,
)
from server.nodes.bulletin import staff_changed
from server.work import SystemWork, UnitOfWork

AT_ONCE: Final = 20
ACTION: Final = "directory.sync_to_wecom"

_WHY: Final = {
    USER_EXISTS: "same_account",
    MOBILE_EXISTS: "same_phone",
    EMAIL_EXISTS: "same_email",
    NO_CONTACT: "no_contact",
    PARTY_EXISTS: "department_exists",
    PARTY_HAS_MEMBERS: "department_in_use",
    PARTY_HAS_PARTIES: "department_in_use",
}


class Giving:
    """Applies plans, one call at a time. Raises WeComError when WeCom cannot be asked any further."""

    def __init__(
        self, system: SystemWork, directory: Directory, contacts: Contacts, patience: Patience
    ) -> None:
        self._system = system
        self._directory = directory
        self._contacts = contacts
        self._patience = patience
        self._party_of: dict[str, int] = {}
        self._refused: list[Conflict] = []

    async def apply(self, plan: OutwardPlan, *, removing: bool, tell: Tell) -> list[Conflict]:
        """Do it, removals only when they may be; what WeCom refused."""
        self._party_of, self._refused = dict(plan.party_of), []
        for department, number in plan.linked:
            await self._link(department, number)
        for department in plan.new_parties:
            await self._make_party(department)
        for change in plan.changed_parties:
            await self._change_party(change.after)
        for done, wanted in enumerate(portions(plan.new, AT_ONCE)):
            tell(f"新建成员 {done * AT_ONCE}/{len(plan.new)}")
            await self._make_members(wanted)
        for done, wanted in enumerate(portions(plan.changed, AT_ONCE)):
            tell(f"修改成员 {done * AT_ONCE}/{len(plan.changed)}")
            await self._change_members(wanted)
        for people in portions(plan.met, AT_ONCE):
            await self._meet([person.id for person in people])
        if removing:
            for leaving in portions(plan.leaving, AT_ONCE):
                await self._delete_members(leaving)
            for department, number in plan.closing:
                await self._delete_party(department, number)
        return self._refused

    # Departments

    async def _link(self, department: Department, number: int) -> None:
        async def act(work: UnitOfWork) -> None:
            work.patch(Department, department.id, wecom_party_id=number or None)
            work.record(ACTION, department.id, party=number)
            work.post(staff_changed)

        await self._system.do(act)
        if number:
            self._party_of[department.id] = number

    async def _make_party(self, department: Department) -> None:
        if department.parent_id is not None and department.parent_id not in self._party_of:
            return  # its parent was refused, and told
        number = 0

        async def make() -> None:
            nonlocal number
            order = HIGHEST_ORDER - department.order
            number = await self._contacts.create_party(
                department.name, self._above(department), order
            )

        if await self._asked(make, department.name):
            await self._link(department, number)

    async def _change_party(self, department: Department) -> None:
        party = Party(
            self._party_of[department.id],
            department.name,
            self._above(department),
            HIGHEST_ORDER - department.order,
        )
        await self._intend("departments", changed=[department.id])
        await self._asked(lambda: self._contacts.update_party(party), department.name)

    async def _delete_party(self, department: Department, number: int) -> None:
        async def intend(work: UnitOfWork) -> None:
            work.record(ACTION, department.id, closed=number)
            await count_removed(work, departments=1)

        await self._system.do(intend)
        if await self._asked(lambda: self._contacts.delete_party(number), department.name):
            await self._link(department, 0)

    def _above(self, department: Department) -> int:
        return self._party_of.get(department.parent_id or "", ROOT)

    # People

    async def _make_members(self, wanted: Sequence[Wanted]) -> None:
        ids = {w.person.id: w.person.wecom_user_id or w.person.id for w in wanted}
        await self._hold(ids, new=ids)
        made: list[str] = []
        taken_back: dict[str, str] = {}
        for one in wanted:
            id = one.person.id
            if await self._asked(partial(self._create, one, ids[id]), _shown(one)):
                made.append(id)
            elif not one.person.wecom_user_id:
                taken_back[id] = ""
        await self._meet(made)
        if taken_back:
            await self._hold(taken_back, taken_back=list(taken_back))

    async def _create(self, wanted: Wanted, user_id: str) -> None:
        """Make a member. One that is there already is ours if an earlier answer was lost: by its name."""
        member = wanted.member(self._party_of, user_id)
        try:
            await self._contacts.create_member(member, email=wanted.person.email)
        except RefusedByWeCom as refused:
            if refused.code != USER_EXISTS:
                raise
            there = await self._contacts.member(user_id)
            if there is None or there.name != member.name:
                raise

    async def _change_members(self, wanted: Sequence[Wanted]) -> None:
        fields = {w.person.id: list(w.fields) for w in wanted}
        await self._intend("people", changed=fields)
        done = []
        for one in wanted:
            member = one.member(self._party_of, one.person.wecom_user_id)
            if await self._asked(partial(self._contacts.update_member, member), _shown(one)):
                done.append(one.person.id)
        await self._meet(done)

    async def _delete_members(self, leaving: Sequence[tuple[Person, str]]) -> None:
        async def intend(work: UnitOfWork) -> None:
            work.record(ACTION, "leaving", deleted={p.id: user_id for p, user_id in leaving})
            await count_removed(work, people=len(leaving))

        await self._system.do(intend)
        done: list[str] = []
        for person, user_id in leaving:
            shown = f"{person.name} ({user_id})"
            if await self._asked(partial(self._contacts.delete_member, user_id), shown):
                done.append(person.id)
        await self._forget(done)

    # What is stored

    async def _intend(self, subject: str, **detail: object) -> None:
        async def act(work: UnitOfWork) -> None:
            work.record(ACTION, subject, **detail)

        await self._system.do(act)

    async def _hold(self, ids: dict[str, str], **detail: object) -> None:
        """Give people their WeCom ids, or take them back, with the audit row."""

        async def act(work: UnitOfWork) -> None:
            for person_id, user_id in ids.items():
                work.patch(Person, person_id, wecom_user_id=user_id or None)
            work.record(ACTION, "people", **detail)
            work.post(staff_changed)

        await self._system.do(act)
        await self._refresh(ids)

    async def _meet(self, person_ids: Sequence[str]) -> None:
        """They were seen in WeCom under the ids they have."""

        async def act(work: UnitOfWork) -> None:
            people = await work.get_many(Person, person_ids)
            for person in people.values():
                work.patch(Person, person.id, wecom_seen_id=person.wecom_user_id or None)

        if person_ids:
            await self._system.do(act)
            await self._refresh(person_ids)

    async def _forget(self, person_ids: Sequence[str]) -> None:
        async def act(work: UnitOfWork) -> None:
            for person_id in person_ids:
                work.patch(Person, person_id, wecom_seen_id=None)

        if person_ids:
            await self._system.do(act)
            await self._refresh(person_ids)

    async def _refresh(self, person_ids: Sequence[str] | dict[str, str]) -> None:
        async def act(work: UnitOfWork) -> None:
            people = await work.get_many(Person, list(person_ids))
            work.afterwards(lambda: self._directory.refresh(people.values()))

        await self._system.do(act)

    # Asking

    async def _asked(self, call: Callable[[], Awaitable[None]], who: str) -> bool:
        """Whether WeCom did it; what it refuses for good is told."""
        try:
            await self._patience.ask(call)
        except RefusedByWeCom as refused:
            kind = _WHY.get(refused.code or 0, "refused")
            known = kind in ("same_account", "same_phone")
            other = "企业微信里的另一名成员" if known else str(refused)
            self._refused.append(Conflict(kind, who, other))
            return False
        return True


def _shown(wanted: Wanted) -> str:
    return f"{wanted.person.name} ({wanted.person.id})"
