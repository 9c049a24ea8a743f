"""What people may see of one another: everybody who is signed in sees everybody who works here.

Numbers show on a single card only, and opening one leaves an audit row.
"""

from collections.abc import Sequence

import msgspec

from server.directory import Directory, Person, PersonCard, Presence, card_of
from server.directory.tree import Branch
from server.errors import NotFound
from server.features.contacts.protocol import (
    MOST_FOUND,
    CardShown,
    ContactsFound,
    DepartmentCard,
    Departments,
    DepartmentShown,
    NamePeople,
    People,
    PersonDetail,
    SearchContacts,
    ShowCard,
    ShowDepartment,
    ShowTree,
)
from server.work import UnitOfWork


async def show_tree(command: ShowTree, work: UnitOfWork, directory: Directory) -> Departments:
    return Departments(departments=[_department(branch) for branch in directory.tree])


async def show_department(
    command: ShowDepartment, work: UnitOfWork, directory: Directory, presence: Presence
) -> DepartmentShown:
    branch = directory.branch(command.department_id)
    if branch is None:
        raise NotFound("there is no such department")
    people = directory.members(command.department_id)
    return DepartmentShown(
        department=_department(branch),
        people=await _cards(people, directory, presence, within=command.department_id),
    )


async def search_people(
    command: SearchContacts, work: UnitOfWork, directory: Directory, presence: Presence
) -> ContactsFound:
    found = directory.search(command.query, min(command.limit, MOST_FOUND))
    return ContactsFound(
        people=await _cards(found, directory, presence),
        departments=[_department(b) for b in directory.search_departments(command.query)],
    )


async def show_card(
    command: ShowCard, work: UnitOfWork, directory: Directory, presence: Presence
) -> CardShown:
    person = directory.find(command.person_id)
    [card] = await _cards([person], directory, presence)
    if person.id != work.actor.person_id:
        work.record("contacts.card", person.id)
    return CardShown(
        person=PersonDetail(
            **msgspec.structs.asdict(card),
            employee_number=person.employee_number,
            office_phone=person.office_phone,
            mobile=person.mobile,
            email=person.email,
            wecom_user_id=person.wecom_user_id,
        )
    )


async def name_people(
    command: NamePeople, work: UnitOfWork, directory: Directory, presence: Presence
) -> People:
    people = directory.people(command.person_ids)
    return People(people=await _cards(people, directory, presence))


async def _cards(
    people: Sequence[Person], directory: Directory, presence: Presence, *, within: str = ""
) -> list[PersonCard]:
    online = await presence.online([person.id for person in people])
    return [
        card_of(person, directory, online=person.id in online, within=within) for person in people
    ]


def _department(branch: Branch) -> DepartmentCard:
    return DepartmentCard(
        department_id=branch.department.id,
        name=branch.department.name,
        parent_id=branch.department.parent_id,
        people_count=branch.people_count,
    )
