"""Filling an empty directory at once: for the sandbox, tests and benchmarks.

The data comes as plain objects of whatever class has these attributes, so that who makes it need not
know how it is stored.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from server.auth import Credential, Role
from server.clock import Clock
from server.directory.documents import Department, Person, Post
from server.storage import Op, Put, Store
from server.storage.document import Document, to_doc

BATCH: Final = 500


class SeedPost(Protocol):
    """A place somebody holds."""

    @property
    def department_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def leads(self) -> bool: ...


class SeedDepartment(Protocol):
    """A department; "" as parent is the top."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def parent_id(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def oa_department_id(self) -> str: ...


class SeedPerson(Protocol):
    """A member of staff; roles by their names."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def employee_number(self) -> str: ...
    @property
    def posts(self) -> Sequence[SeedPost]: ...
    @property
    def office_phone(self) -> str: ...
    @property
    def mobile(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def roles(self) -> Sequence[str]: ...
    @property
    def wecom_user_id(self) -> str: ...
    @property
    def oa_user_id(self) -> str: ...


class SeedHospital(Protocol):
    """Departments, people, and the one password hash that all of them get."""

    @property
    def departments(self) -> Sequence[SeedDepartment]: ...
    @property
    def people(self) -> Sequence[SeedPerson]: ...
    @property
    def password_hash(self) -> str: ...


async def seed_people(store: Store, hospital: SeedHospital, clock: Clock) -> None:
    """Store everybody, in batches; what is there under the same ids is replaced."""
    now = clock.now()
    departments = [
        Department(
            id=d.id,
            name=d.name,
            parent_id=d.parent_id or None,
            order=d.order,
            oa_department_id=d.oa_department_id,
        )
        for d in hospital.departments
    ]
    people = [_person(person) for person in hospital.people]
    credentials = [
        Credential(id=person.id, password_hash=hospital.password_hash, changed_at=now)
        for person in people
    ]
    for batch in _batches([*departments, *people, *credentials]):
        await store.apply(*batch)


def _person(given: SeedPerson) -> Person:
    return Person(
        id=given.id,
        name=given.name,
        employee_number=given.employee_number,
        posts=tuple(
            Post(department_id=post.department_id, title=post.title, leads=post.leads)
            for post in given.posts
        ),
        office_phone=given.office_phone,
        mobile=given.mobile,
        email=given.email,
        roles=tuple(Role(role) for role in given.roles),
        wecom_user_id=given.wecom_user_id,
        oa_user_id=given.oa_user_id,
    )


def _batches(documents: Iterable[Document]) -> Iterator[list[Op]]:
    ops: list[Op] = [Put(d.collection.name, to_doc(d), None) for d in documents]
    for start in range(0, len(ops), BATCH):
        yield ops[start : start + BATCH]
