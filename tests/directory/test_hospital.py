"""The sandbox's hospital is the same each time, and holds together."""

from collections import Counter

from server.auth import Role
from server.auth.passwords import HASHER
from server.directory.readings import SURNAMES
from server.sandbox.hospital import STAFF, hospital

MADE = hospital()
PEOPLE = {person.id: person for person in MADE.people}


def test_there_are_as_many_people_as_promised_under_the_promised_accounts() -> None:
    assert list(PEOPLE) == [*(f"s{n:04d}" for n in range(1, STAFF + 1)), "admin"]
    assert all(p.wecom_user_id == p.id for p in MADE.people)
    assert all(p.oa_user_id == str(int(p.id[1:])) for p in MADE.people if p.id != "admin")


def test_it_is_the_same_hospital_each_time() -> None:
    assert hospital.__wrapped__() == MADE


def test_nobody_shares_a_number() -> None:
    for field in ("employee_number", "mobile", "email", "wecom_user_id"):
        assert Counter(getattr(p, field) for p in MADE.people).most_common(1)[0][1] == 1


def test_no_number_could_be_somebodys() -> None:
    assert all(p.mobile.startswith("100") for p in MADE.people if p.mobile)
    assert all(p.email.endswith(".example") for p in MADE.people)


def test_everybody_works_in_a_department_that_there_is() -> None:
    departments = {d.id: d for d in MADE.departments}

    assert all(post.department_id in departments for p in MADE.people for post in p.posts)
    assert all(d.parent_id == "" or d.parent_id in departments for d in MADE.departments)
    assert len({d.id for d in MADE.departments}) == len(MADE.departments) >= 60


def test_some_hold_two_posts_and_many_have_surnames_read_in_two_ways() -> None:
    assert sum(len(p.posts) == 2 for p in MADE.people) >= 10
    assert sum(p.name[0] in SURNAMES for p in MADE.people) >= 100
    for surname in "单曾仇翟查区":
        assert any(p.name.startswith(surname) for p in MADE.people)


def test_roles_are_known_and_only_the_administrator_administers() -> None:
    roles = {p.id: {Role(role) for role in p.roles} for p in MADE.people}

    administering = {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}
    assert [id for id, held in roles.items() if held & administering] == ["admin"]
    assert any(Role.LEADER in held for held in roles.values())
    assert any(Role.SECTION_EDITOR in held for held in roles.values())


def test_the_kept_hash_is_of_the_promised_password_with_todays_parameters() -> None:
    assert HASHER.verify(MADE.password_hash, "yuanxin")
    assert not HASHER.check_needs_rehash(MADE.password_hash)


def test_only_members_have_spoken_and_in_the_order_of_time() -> None:
    for conversation in MADE.conversations:
        assert set(conversation.member_ids) <= set(PEOPLE)
        assert {who for who, _, _ in conversation.messages} <= set(conversation.member_ids)
        ages = [ago for _, ago, _ in conversation.messages]
        assert ages == sorted(ages, reverse=True)
    assert Counter(c.kind for c in MADE.conversations) == {"group": 8, "direct": 12}


def test_papers_go_from_and_to_people_who_are_there() -> None:
    for paper in MADE.documents:
        assert {paper.creator, *paper.approvers} <= set(PEOPLE)
        assert paper.creator not in paper.approvers
