"""What crosses the wire about the people of the hospital."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Result
from server.directory import PersonCard

MOST_PEOPLE = 200
MOST_FOUND = 100

Id = Annotated[str, Meta(min_length=1, max_length=64)]


class DepartmentCard(msgspec.Struct, frozen=True, kw_only=True):
    """A department in the tree; `people_count` includes its sub-departments, each person once."""

    department_id: str
    name: str
    parent_id: str | None
    people_count: int


class PersonDetail(PersonCard, frozen=True, kw_only=True):
    """Somebody's whole card. The WeCom user id opens a talk in WeCom."""

    employee_number: str
    office_phone: str
    mobile: str
    email: str
    wecom_user_id: str


class ShowTree(Command, frozen=True):
    """All departments."""

    wire_name: ClassVar[str] = "contacts.tree"


class Departments(Result, frozen=True):
    """Departments, each after its parent, siblings in the hospital's order."""

    departments: list[DepartmentCard]


class ShowDepartment(Command, frozen=True):
    """A department and the people who belong to it directly."""

    wire_name: ClassVar[str] = "contacts.department"
    department_id: Id


class DepartmentShown(Result, frozen=True):
    """Those who lead it first; each with the post held there."""

    department: DepartmentCard
    people: list[PersonCard]


class SearchContacts(Command, frozen=True):
    """Find people by name, pinyin, initials, account, or at least three digits of a number; and
    departments by name, pinyin or initials."""

    wire_name: ClassVar[str] = "contacts.search"
    query: Annotated[str, Meta(min_length=1, max_length=64)]
    limit: Annotated[int, Meta(ge=1)] = 20


class ContactsFound(Result, frozen=True):
    """What was found, the best match first; a few departments at most."""

    people: list[PersonCard]
    departments: list[DepartmentCard]


class ShowCard(Command, frozen=True):
    """Somebody's card with numbers. Looking at it is recorded."""

    wire_name: ClassVar[str] = "contacts.card"
    person_id: Id


class CardShown(Result, frozen=True):
    """The card."""

    person: PersonDetail


class NamePeople(Command, frozen=True):
    """The cards of people known by id, such as authors of old messages; unknown ids are left out."""

    wire_name: ClassVar[str] = "contacts.people"
    person_ids: Annotated[list[Id], Meta(max_length=MOST_PEOPLE)]


class People(Result, frozen=True):
    """People, in the order asked."""

    people: list[PersonCard]
