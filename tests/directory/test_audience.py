"""Whom a thing is for: who belongs to an audience, and who does no longer."""

import pytest

from server.directory import (
    Audience,
    Department,
    Directory,
    Person,
    Post,
    check_audience,
    includes,
    people_of,
)
from server.errors import NotFound

DEPARTMENTS = [
    Department(id="inner", name="内科"),
    Department(id="heart", name="心血管内科", parent_id="inner"),
    Department(id="eye", name="眼科"),
]


@pytest.fixture
def directory() -> Directory:
    made = Directory()
    people = [
        Person(id="ann", name="安宁", posts=(Post(department_id="heart"),)),
        Person(id="bob", name="鲍博", posts=(Post(department_id="inner"),)),
        Person(id="cai", name="蔡彩", posts=(Post(department_id="eye"),)),
        Person(id="old", name="欧兰", posts=(Post(department_id="eye"),), retired_at=1),
    ]
    made.refresh(people, DEPARTMENTS)
    return made


@pytest.mark.parametrize(
    ("audience", "people"),
    [
        (Audience(everybody=True), {"ann", "bob", "cai"}),
        (Audience(department_ids=("inner",)), {"ann", "bob"}),
        (Audience(department_ids=("heart",), person_ids=("cai", "old")), {"ann", "cai"}),
        (Audience(department_ids=("gone",)), set()),
        (Audience(), set()),
    ],
)
def test_an_audience_is_whom_it_names_and_who_works_there(
    directory: Directory, audience: Audience, people: set[str]
) -> None:
    assert people_of(audience, directory) == people
    everybody = ("ann", "bob", "cai", "old", "nobody")
    assert {id for id in everybody if includes(audience, id, directory)} == people


def test_somebody_who_moves_leaves_the_old_ward_s_audience(directory: Directory) -> None:
    audience = Audience(department_ids=("inner",))

    directory.refresh([Person(id="ann", name="安宁", posts=(Post(department_id="eye"),))])

    assert not includes(audience, "ann", directory)
    assert people_of(audience, directory) == {"bob"}


@pytest.mark.parametrize(
    "audience", [Audience(department_ids=("gone",)), Audience(person_ids=("old",))]
)
def test_an_audience_names_only_what_is_there(directory: Directory, audience: Audience) -> None:
    with pytest.raises(NotFound):
        check_audience(audience, directory)
