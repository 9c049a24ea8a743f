"""What people see of one another."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.audit import AuditRow
from server.directory import Department, Person, Post
from server.features import contacts
from server.storage.document import from_doc
from tests.features.office import Office, Refusal, open_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path, [contacts.feature]) as opened:
        opened.directory.refresh(
            [
                Person(
                    id="zeng",
                    name="曾主任",
                    employee_number="20010001",
                    posts=(
                        Post(department_id="office", title="主任", leads=True),
                        Post(department_id="ward", title="顾问"),
                    ),
                    office_phone="60001",
                    mobile="10000012345",
                    email="zeng@hospital.example",
                )
            ],
            [
                Department(id="office", name="医务部", order=1),
                Department(id="quality", name="质控科", parent_id="office"),
            ],
        )
        yield opened


async def audited(office: Office) -> list[tuple[str, str]]:
    rows = [from_doc(AuditRow, d) for d in await office.store.scan(AuditRow.collection.name)]
    return [(row.actor_id, row.subject) for row in rows if row.action == "contacts.card"]


async def test_the_tree_shows_every_department_after_its_parent(office: Office) -> None:
    tree = (await office.ask("ann", "contacts.tree", {}))["departments"]

    assert tree == [
        {"department_id": "ward", "name": "产科", "parent_id": None, "people_count": 6},
        {"department_id": "office", "name": "医务部", "parent_id": None, "people_count": 1},
        {"department_id": "quality", "name": "质控科", "parent_id": "office", "people_count": 0},
    ]


async def test_a_department_shows_its_own_people_with_the_post_held_there(office: Office) -> None:
    answer = await office.ask("ann", "contacts.department", {"department_id": "ward"})

    titles = {person["person_id"]: person["title"] for person in answer["people"]}
    assert answer["department"]["people_count"] == 6
    assert titles["zeng"] == "顾问"
    assert titles["ann"] == "护士"


async def test_who_has_the_app_open_is_online(office: Office) -> None:
    await office.client("bob")

    people = (await office.ask("ann", "contacts.people", {"person_ids": ["bob", "cai"]}))["people"]

    assert [(p["person_id"], p["online"]) for p in people] == [("bob", True), ("cai", False)]


async def test_a_search_finds_by_pinyin_and_gives_cards_without_numbers(office: Office) -> None:
    [card] = (await office.ask("ann", "contacts.search", {"query": "zengzr"}))["people"]

    assert card == {
        "person_id": "zeng",
        "name": "曾主任",
        "title": "主任",
        "department_id": "office",
        "department": "医务部",
        "avatar_hue": card["avatar_hue"],
        "online": False,
    }


async def test_more_results_than_allowed_are_not_given(office: Office) -> None:
    office.directory.refresh([Person(id=f"x{number}", name="许多人") for number in range(150)])

    found = await office.ask("ann", "contacts.search", {"query": "许", "limit": 1_000})
    usual = await office.ask("ann", "contacts.search", {"query": "许"})

    assert (len(found["people"]), len(usual["people"])) == (100, 20)


async def test_a_card_shows_numbers_and_leaves_a_trace(office: Office) -> None:
    card = (await office.ask("ann", "contacts.card", {"person_id": "zeng"}))["person"]

    assert card["mobile"] == "10000012345"
    assert card["office_phone"] == "60001"
    assert card["email"] == "zeng@hospital.example"
    assert card["employee_number"] == "20010001"
    assert await audited(office) == [("ann", "zeng")]


async def test_ones_own_card_leaves_none(office: Office) -> None:
    await office.ask("ann", "contacts.card", {"person_id": "ann"})

    assert await audited(office) == []


async def test_cards_are_not_given_by_the_hundred(office: Office) -> None:
    for _ in range(60):
        await office.ask("ann", "contacts.card", {"person_id": "zeng"})

    with pytest.raises(Refusal, match="rate_limited"):
        await office.ask("ann", "contacts.card", {"person_id": "zeng"})


async def test_a_retired_person_keeps_the_name_on_old_messages_and_has_no_card(
    office: Office,
) -> None:
    gone = msgspec.structs.replace(office.directory.find("zeng"), retired_at=1)
    office.directory.refresh([gone])

    named = await office.ask("ann", "contacts.people", {"person_ids": ["zeng"]})
    found = await office.ask("ann", "contacts.search", {"query": "zeng"})

    assert [person["name"] for person in named["people"]] == ["曾主任"]
    assert found["people"] == []
    with pytest.raises(Refusal, match="not_found"):
        await office.ask("ann", "contacts.card", {"person_id": "zeng"})


@pytest.mark.parametrize(
    ("name", "fields", "code"),
    [
        ("contacts.tree", {"all": True}, "invalid"),
        ("contacts.department", {}, "invalid"),
        ("contacts.department", {"department_id": "made-up"}, "not_found"),
        ("contacts.department", {"department_id": {"$ne": ""}}, "invalid"),
        ("contacts.search", {"query": ""}, "invalid"),
        ("contacts.search", {"query": "x" * 65}, "invalid"),
        ("contacts.search", {"query": "x", "limit": 0}, "invalid"),
        ("contacts.search", {"query": "x", "retired": True}, "invalid"),
        ("contacts.card", {"person_id": "made-up"}, "not_found"),
        ("contacts.card", {"person_id": "ann", "full": True}, "invalid"),
        ("contacts.people", {"person_ids": ["ann"] * 201}, "invalid"),
        ("contacts.people", {"person_ids": "ann"}, "invalid"),
        ("contacts.people", {"person_ids": ["ann"], "x": 1}, "invalid"),
    ],
)
async def test_other_fields_values_and_ids_are_refused(
    office: Office, name: str, fields: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        await office.ask("ann", name, fields)

    assert refusal.value.code == code


async def test_unknown_ids_are_left_out_of_people(office: Office) -> None:
    answer = await office.ask("ann", "contacts.people", {"person_ids": ["made-up", "bob", "bob"]})

    assert [person["person_id"] for person in answer["people"]] == ["bob"]


async def test_departments_are_found_by_their_initials(office: Office) -> None:
    found = await office.ask("ann", "contacts.search", {"query": "ywb"})

    assert found["people"] == []
    assert [department["name"] for department in found["departments"]] == ["医务部"]
