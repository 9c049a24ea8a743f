"""What WeCom's contacts would change here: whom a sync takes for whom, and what it leaves to people."""

import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.auth import Role
from server.directory import Person, Post
from server.directory.wecom_inward import InwardPlan, plan_inward
from server.directory.wecom_plan import Reading, folded
from tests.directory.meeting import after, dept, here, party, read, there


def kinds(plan: InwardPlan) -> list[str]:
    return [conflict.kind for conflict in plan.conflicts]


def test_an_empty_house_takes_everybody_in_with_their_departments() -> None:
    member = there("Ann", 3, name="安宁", title="护士", leads=frozenset({3}), number="1001")
    plan = plan_inward([], [], read(party(2, "内科"), party(3, "心内科", 2), member))

    assert [(d.id, d.name, d.parent_id, d.wecom_party_id) for d in plan.tree.new] == [
        ("wecom-2", "内科", None, 2),
        ("wecom-3", "心内科", "wecom-2", 3),
    ]
    [ann] = plan.new
    assert (ann.id, ann.wecom_user_id, ann.employee_number) == ("Ann", "Ann", "1001")
    assert ann.posts == (Post(department_id="wecom-3", title="护士", leads=True),)
    assert ann.roles == (Role.STAFF,)


def test_who_is_disabled_in_wecom_is_nobody_new_until_that_is_over() -> None:
    kept_out = there("gone-long-ago", 2, is_disabled=True)
    back = there("gone-long-ago", 2)

    assert plan_inward([], [], read(party(2, "内科"), kept_out)).new == []
    assert len(plan_inward([], [], read(party(2, "内科"), back)).new) == 1


def test_departments_are_known_again_by_name_below_the_same_parent_and_then_by_number() -> None:
    ours = [dept("med", "内科"), dept("card", "心内科", "med"), dept("other", "心内科")]
    plan = plan_inward([], ours, read(party(2, "内科"), party(3, "心内科", 2), there("a", 3)))
    _, linked = after([], ours, plan)
    renamed = plan_inward(
        [], linked, read(party(2, "大内科"), party(3, "心脏中心", 1), there("a", 3))
    )

    assert plan.tree.new == []
    assert {c.after.id: c.after.wecom_party_id for c in plan.tree.changed} == {"med": 2, "card": 3}
    moved = {c.after.id: (c.after.name, c.after.parent_id) for c in renamed.tree.changed}
    assert moved["card"] == ("心脏中心", None)
    assert moved["med"] == ("大内科", None)


def test_names_posts_and_titles_are_wecoms_and_numbers_and_phones_ours() -> None:
    ward = dept("ward", wecom_party_id=2)
    local = dept("union")
    ann = here(
        "ann",
        "ward",
        "union",
        wecom="ann",
        mobile="10000000001",
        office_phone="60001",
        email="a@b.c",
    )
    member = there("ANN", 2, name="安宁宁", title="护士长", mobile="19999999999", number="77")
    [change] = plan_inward([ann], [ward, local], read(party(2, "ward"), member)).changed

    assert change.after == msgspec.structs.replace(
        ann,
        name="安宁宁",
        employee_number="77",
        posts=(Post(department_id="ward", title="护士长"), Post(department_id="union")),
    )


@pytest.mark.parametrize(
    ("known", "member", "kind"),
    [
        (here("x", employee_number="1001"), there("new", 2, number="1001"), "same_number"),
        (here("x", "ward", name="安宁"), there("new", 2, name="安宁"), "same_name"),
        (
            here("x", mobile="+86 100 0000 0001"),
            there("new", 2, mobile="10000000001"),
            "same_phone",
        ),
        (here("NEW"), there("new", 2), "same_account"),
        (here("new", retired_at=1), there("New", 2), "same_account"),
        (
            msgspec.structs.replace(here("x", wecom="new"), wecom_user_id="", retired_at=1),
            there("New", 2, name="安宁"),
            "same_account",
        ),
        (
            here("x", employee_number="1001", retired_at=1),
            there("n", 2, number="1001"),
            "same_number",
        ),
        (
            here("x", wecom="new", met=False, name="别人"),
            there("new", 2, name="安宁"),
            "name_differs",
        ),
        (
            here("x", wecom="new", employee_number="1"),
            there("new", 2, number="2"),
            "number_differs",
        ),
    ],
)
def test_who_looks_like_somebody_known_is_a_conflict_and_not_a_second_person(
    known: Person, member: object, kind: str
) -> None:
    ward = dept("ward", wecom_party_id=2)
    plan = plan_inward([known], [ward], read(party(2, "ward"), member))  # type: ignore[arg-type]

    assert kinds(plan) == [kind]
    assert plan.is_empty


@pytest.mark.parametrize(
    ("pair", "kind"),
    [
        ((there("a", 2, number="1"), there("b", 3, number="1")), "same_number"),
        ((there("a", 2, mobile="10000000001"), there("b", 3, mobile="10000000001")), "same_phone"),
        ((there("a", 2, name="安宁"), there("b", 3, 2, name="安宁")), "same_name"),
    ],
)
def test_two_newcomers_who_look_alike_are_both_left_to_people(
    pair: tuple[object, ...], kind: str
) -> None:
    plan = plan_inward([], [], read(party(2, "甲"), party(3, "乙"), *pair))  # type: ignore[arg-type]

    assert kinds(plan) == [kind, kind]
    assert plan.new == []


def test_a_number_that_two_now_claim_goes_to_nobody_twice() -> None:
    people = [here("a", wecom="a"), here("b", wecom="b")]
    plan = plan_inward(people, [], read(there("a", 1, number="7"), there("b", 1, number="7")))

    assert [c.after.employee_number for c in plan.changed] == ["7"]
    assert kinds(plan) == ["same_number"]


def test_only_who_was_met_and_is_said_to_be_gone_leaves() -> None:
    people = [
        here("gone", wecom="gone"),
        here("typo", wecom="typo", met=False),
        here("hidden", wecom="hidden"),
        here("unlisted", wecom="unlisted"),
        here("ours"),
    ]
    gone, hidden = frozenset({"gone", "typo"}), frozenset({"hidden"})
    plan = plan_inward(people, [], read(there("somebody", 1), gone=gone, hidden=hidden))

    assert [p.id for p in plan.leaving] == ["gone"]
    assert kinds(plan) == ["hidden", "never_met"]


def test_a_member_who_has_left_but_is_still_listed_leaves() -> None:
    plan = plan_inward([here("a", wecom="a")], [], read(there("a", 1, has_left=True)))

    assert [p.id for p in plan.leaving] == ["a"]


def test_who_seems_to_have_changed_the_wecom_id_stays_and_is_told() -> None:
    ward = dept("ward", wecom_party_id=2)
    ann = here("ann", "ward", name="安宁", wecom="ann")
    member = there("anning", 2, name="安宁")
    plan = plan_inward([ann], [ward], read(party(2, "ward"), member, gone=frozenset({"ann"})))

    assert kinds(plan) == ["renamed"]
    assert plan.leaving == []
    assert plan.new == []


def test_a_department_is_closed_when_wecom_has_it_no_more_and_nobody_stays() -> None:
    tree = [dept("top", wecom_party_id=2), dept("low", parent="top", wecom_party_id=3)]
    gone = frozenset({2, 3})
    mover = here("a", "low", wecom="a")
    empty = plan_inward([mover], tree, read(there("a", 1), gone_parties=gone))
    used = plan_inward([here("b", "low")], tree, read(there("x", 1), gone_parties=gone))

    assert [d.id for d in empty.closing] == ["low", "top"]
    assert used.closing == []
    assert kinds(used) == ["department_in_use", "department_in_use"]


def test_posts_in_departments_out_of_sight_stay() -> None:
    tree = [dept("seen", wecom_party_id=2), dept("unseen", wecom_party_id=9)]
    ann = here("a", "seen", "unseen", wecom="a")
    plan = plan_inward(
        [ann], tree, read(party(2, "seen"), there("a", 2), hidden_parties=frozenset({9}))
    )

    assert plan.is_empty


def test_two_departments_of_one_name_below_one_parent_never_come_to_be() -> None:
    tree = [dept("a", "甲", wecom_party_id=2), dept("b", "乙")]
    plan = plan_inward([], tree, read(party(2, "乙"), there("x", 2)))

    assert "department_name" in kinds(plan)
    assert plan.tree.changed == []


def test_departments_that_hang_in_a_ring_are_left_alone() -> None:
    plan = plan_inward([], [], read(party(2, "甲", 3), party(3, "乙", 2), there("x", 2)))
    _, tree = after([], [], plan)
    again = plan_inward([], tree, read(party(2, "甲", 3), party(3, "乙", 2), there("x", 2)))

    reached = {d.id for d in tree if d.parent_id is None}
    assert all(d.parent_id is None or d.parent_id in reached for d in tree)
    assert again.tree.new == again.tree.changed == []


@pytest.mark.parametrize(
    ("of", "going", "before", "held"),
    [(20, 1, 0, False), (19, 1, 0, True), (100, 5, 0, False), (100, 6, 0, True), (99, 1, 4, False),
     (95, 1, 5, True), (100, 0, 50, False), (1_600, 80, 0, False), (1_600, 81, 0, True)],
)  # fmt: skip
def test_more_than_one_in_twenty_waits_for_a_confirmation(
    of: int, going: int, before: int, held: bool
) -> None:
    people = [here(f"p{n}", wecom=f"p{n}") for n in range(of)]
    gone = frozenset(f"p{n}" for n in range(going))
    staying = [there(f"p{n}", 1) for n in range(going, of)]
    plan = plan_inward(people, [], read(*staying, gone=gone))
    plan.removal.people_before = before

    assert len(plan.leaving) == going
    assert plan.removal.held is held


def test_what_a_list_merely_lacks_is_not_gone() -> None:
    people = [here(f"p{n}", "ward", wecom=f"p{n}") for n in range(50)]
    plan = plan_inward(people, [dept("ward", wecom_party_id=2)], Reading(is_whole=False))

    assert plan.is_empty
    assert plan.conflicts == []


# Any house, any WeCom

IDS = st.sampled_from(["a", "A", "b", "c", "d", "e"])
NUMBERS = st.sampled_from(["", "", "1", "2", "3"])
PHONES = st.sampled_from(["", "", "10000000001", "10000000002"])
NAMES = st.sampled_from(["安", "鲍", "蔡"])
PARTIES = st.sampled_from([1, 2, 3, 4])
PLACES = st.sampled_from(["d2", "d3", "local"])


@st.composite
def houses(draw: st.DrawFn) -> list[Person]:
    """People whose accounts, numbers and WeCom ids are each somebody's alone, as the store holds them."""
    people: list[Person] = []
    taken: set[tuple[str, str]] = set()
    for id in draw(st.lists(st.sampled_from(string.ascii_lowercase[:6]), unique=True, max_size=5)):
        retired = draw(st.booleans()) and draw(st.booleans())
        wecom = "" if retired else draw(st.one_of(st.just(""), IDS))
        number = draw(NUMBERS)
        for kind, value in (("wecom", folded(wecom)), ("number", number)):
            if value and (kind, value) in taken:
                wecom, number = ("", number) if kind == "wecom" else (wecom, "")
            taken.add((kind, value))
        places = draw(st.lists(PLACES, unique=True, max_size=2))
        more = {"mobile": draw(PHONES), "employee_number": number, "name": draw(NAMES)}
        met = draw(st.booleans())
        gone = 1 if retired else None
        people.append(here(id, *places, wecom=wecom, met=met, retired_at=gone, **more))
    return people


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    parties = [
        party(n, draw(NAMES), draw(PARTIES), draw(st.integers(0, 2)))
        for n in draw(st.lists(st.sampled_from([2, 3, 4]), unique=True))
    ]
    members = [
        there(
            id,
            *draw(st.lists(PARTIES, unique=True, min_size=1, max_size=2)),
            name=draw(NAMES),
            number=draw(NUMBERS),
            mobile=draw(PHONES),
            has_left=draw(st.booleans()) and draw(st.booleans()),
        )
        for id in draw(st.lists(IDS, unique_by=folded, max_size=5))
    ]
    listed = {folded(m.user_id) for m in members}
    gone = frozenset(draw(st.sets(st.sampled_from("abcdef"))) - listed)
    known = {p.id for p in parties}
    gone_parties = frozenset(draw(st.sets(st.sampled_from([2, 3, 4]))) - known)
    return read(*parties, *members, gone=gone, gone_parties=gone_parties)


TREE = [dept("d2", "内", wecom_party_id=2), dept("d3", "外", wecom_party_id=3), dept("local")]


@given(houses(), readings())
def test_doing_a_plan_twice_changes_nothing(people: list[Person], reading: Reading) -> None:
    first = plan_inward(people, TREE, reading)
    then, tree = after(people, TREE, first)
    second = plan_inward(then, tree, reading)

    assert second.is_empty, second


@given(houses(), readings())
def test_nobody_is_ever_there_twice(people: list[Person], reading: Reading) -> None:
    plan = plan_inward(people, TREE, reading)
    then, tree = after(people, TREE, plan)

    for of in (
        lambda p: p.employee_number,
        lambda p: folded(p.wecom_user_id),
        lambda p: folded(p.id),
    ):
        held = [of(person) for person in then if of(person)]
        assert len(held) == len(set(held))
    names = [(d.parent_id, d.name) for d in tree if not d.is_retired]
    assert len(names) == len(set(names))
    known = {folded(p.id) for p in people}
    numbers = {p.employee_number for p in people}
    phones = {p.mobile for p in people if not p.is_retired}
    members = {m.user_id: m for m in reading.members}
    for new in plan.new:
        assert folded(new.id) not in known
        assert not new.employee_number or new.employee_number not in numbers
        assert not members[new.id].mobile or members[new.id].mobile not in phones
        others = [p for p in then if p.id != new.id and not p.is_retired]
        namesakes = {(p.name, post.department_id) for p in others for post in p.posts}
        assert not namesakes & {(new.name, post.department_id) for post in new.posts}


@given(houses(), readings())
def test_what_is_ours_stays_ours(people: list[Person], reading: Reading) -> None:
    plan = plan_inward(people, TREE, reading)

    for change in plan.changed:
        for field in (
            "id",
            "mobile",
            "office_phone",
            "email",
            "roles",
            "wecom_user_id",
            "oa_user_id",
        ):
            assert getattr(change.after, field) == getattr(change.before, field)
        if change.before.employee_number:
            assert change.after.employee_number == change.before.employee_number
    left = {folded(m.user_id) for m in reading.members if m.has_left}
    for person in plan.leaving:
        assert folded(person.wecom_user_id) in reading.gone | left
        assert folded(person.wecom_seen_id) == folded(person.wecom_user_id)
