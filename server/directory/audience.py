"""Whom a thing is for: everybody, whole departments with what lies below them, single people.

What is kept is the audience as it was named; who belongs to it is asked of the directory each time, so
that somebody who changes the ward sees the new one's things and no longer the old one's.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from server.directory.directory import Directory
from server.errors import NotFound

Id = Annotated[str, Meta(min_length=1, max_length=64)]


class Audience(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """People by name or by place. A department stands for all who work in it or below it."""

    everybody: bool = False
    department_ids: Annotated[tuple[Id, ...], Meta(max_length=200)] = ()
    person_ids: Annotated[tuple[Id, ...], Meta(max_length=1_000)] = ()


def check_audience(audience: Audience, directory: Directory) -> None:
    """Raises NotFound when it names a department or a person that is not there."""
    for department_id in audience.department_ids:
        if directory.department(department_id) is None:
            raise NotFound(f"there is no department {department_id!r}")
    for person_id in audience.person_ids:
        directory.find(person_id)


def people_of(audience: Audience, directory: Directory) -> set[str]:
    """The ids of everybody who belongs to an audience now."""
    if audience.everybody:
        return {person.id for person in directory.active()}
    people = {p.id for p in directory.people(audience.person_ids) if not p.is_retired}
    for department_id in audience.department_ids:
        people |= directory.people_below(department_id)
    return people


def includes(audience: Audience, person_id: str, directory: Directory) -> bool:
    """Whether somebody belongs to an audience now."""
    person = directory.person(person_id)
    if person is None or person.is_retired:
        return False
    if audience.everybody or person_id in audience.person_ids:
        return True
    return any(person_id in directory.people_below(id) for id in audience.department_ids)
