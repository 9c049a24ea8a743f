"""From the directory to WeCom: what is planned, and what becomes of it over HTTP."""

from pathlib import Path
from typing import Any

import pytest

from server.directory import Department, Person
from server.directory.wecom_outward import HIGHEST_ORDER, OutwardPlan, plan_outward
from server.integrations.wecom.contacts import Member
from server.storage import Patch
from tests.directory.hospital_sync import Between, between
from tests.directory.meeting import dept, here, party, read, there
from tests.memory import tmp_path

__all__ = ["tmp_path"]

PHONE = "10000000001"
WARD = dept("ward", wecom_party_id=2)
WARD_THERE = party(2, "ward", order=HIGHEST_ORDER)
SOMEBODY = there("admin", 1)


def kinds(plan: OutwardPlan) -> list[str]:
    return [conflict.kind for conflict in plan.conflicts]


def test_departments_with_somebody_in_them_are_made_parents_first() -> None:
    tree = [dept("low", parent="top"), dept("top"), dept("empty")]
    plan = plan_outward([here("a", "low", mobile=PHONE)], tree, read(SOMEBODY))

    assert [d.id for d in plan.new_parties] == ["top", "low"]
    assert [w.person.id for w in plan.new] == ["a"]
    assert plan.foreign == 1


def test_a_department_is_known_again_by_name_and_what_differs_is_changed() -> None:
    tree = [dept("ward", "病房"), dept("lab", "检验", wecom_party_id=3)]
    people = [here("a", "ward", wecom="a"), here("b", "lab", wecom="b")]
    found = read(
        party(2, "病房"), party(3, "化验", order=HIGHEST_ORDER), there("a", 2), there("b", 3)
    )
    plan = plan_outward(people, tree, found)

    assert [(d.id, number) for d, number in plan.linked] == [("ward", 2)]
    assert [(c.after.id, c.fields) for c in plan.changed_parties] == [("lab", ("name",))]


@pytest.mark.parametrize(
    ("person", "member", "kind"),
    [
        (here("a", "ward", mobile=PHONE), there("A", 2), "same_account"),
        (here("a", "ward", mobile=PHONE, name="安"), there("x", 2, name="安"), "same_name"),
        (here("a", "ward", mobile=PHONE), there("x", 2, mobile=PHONE), "same_phone"),
        (
            here("a", "ward", mobile=PHONE, employee_number="7"),
            there("x", 2, number="7"),
            "same_number",
        ),
        (
            here("a", "ward", wecom="x", met=False, name="安"),
            there("x", 2, name="鲍"),
            "name_differs",
        ),
        (
            here("a", "ward", wecom="x", employee_number="1"),
            there("x", 2, number="2"),
            "number_differs",
        ),
        (here("a", "ward"), SOMEBODY, "no_contact"),
    ],
)
def test_who_looks_like_a_member_is_a_conflict_and_not_a_second_one(
    person: Person, member: Member, kind: str
) -> None:
    plan = plan_outward([person], [WARD], read(WARD_THERE, member))

    assert kinds(plan) == [kind]
    assert plan.is_empty


def test_two_of_ours_with_one_phone_are_both_left_to_people() -> None:
    people = [here("a", "ward", mobile=PHONE), here("b", "ward", mobile=PHONE)]
    plan = plan_outward(people, [WARD], read(WARD_THERE, SOMEBODY))

    assert kinds(plan) == ["same_phone", "same_phone"]
    assert plan.new == []


def test_only_members_who_were_ours_are_deleted() -> None:
    left = here("left", wecom="", retired_at=1)
    left = Person(id="left", name="left", wecom_seen_id="Left", retired_at=1)
    held = here("held", "ward", wecom="held")
    found = read(WARD_THERE, there("left", 2), there("held", 2), there("foreign", 2))
    plan = plan_outward([left, held], [WARD], found)

    assert [user_id for _, user_id in plan.leaving] == ["left"]
    assert plan.foreign == 1


def test_a_department_nobody_works_in_any_more_goes_unless_others_are_in_it() -> None:
    people = [here("a", "other", wecom="a")]
    tree = [WARD, dept("other", wecom_party_id=3)]
    other = party(3, "other", order=HIGHEST_ORDER)
    gone = plan_outward(people, tree, read(WARD_THERE, other, there("a", 2)))
    used = plan_outward(people, tree, read(WARD_THERE, other, there("a", 3), there("x", 2)))

    assert [number for _, number in gone.closing] == [2]
    assert used.closing == []
    assert kinds(used) == ["department_in_use"]


# Over HTTP


async def ours(both: Between, count: int = 30) -> None:
    """People here, in two departments, of whom WeCom knows nothing."""
    top = Department(id="hosp", name="总院")
    low = Department(id="icu", name="重症医学科", parent_id="hosp")
    people = [
        here(
            f"s{n:03d}",
            "icu",
            name=f"医生{n:03d}",
            mobile=f"101{n:08d}",
            employee_number=f"{5000 + n}",
        )
        for n in range(count)
    ]
    await both.keep(top, low, *people)


def named(rows: dict[str, Any]) -> set[str]:
    return {userid for userid in rows if userid.startswith("s")}


async def test_people_and_departments_are_made_in_wecom_once(tmp_path: Path) -> None:
    async with between(tmp_path, 3) as both:
        await ours(both)
        first = await both.run("to_wecom")

        rows, parties = await both.in_wecom(), await both.parties()
        assert (first.result, first.counts["new"], first.lines) == ("done", 30, [])
        assert parties["重症医学科"]["parentid"] == parties["总院"]["id"]
        made = rows["s007"]
        assert (made["name"], made["mobile"], made["number"]) == ("医生007", "10100000007", "5007")
        assert made["parties"] == [parties["重症医学科"]["id"]]
        assert (await both.people())["s007"].wecom_seen_id == "s007"
        again = await both.run("to_wecom")
        assert (again.counts["unchanged"], again.counts["new"], again.counts["foreign"]) == (
            30,
            0,
            3,
        )
        assert await both.in_wecom() == rows


async def test_changes_and_leavers_reach_wecom_within_one_in_twenty(tmp_path: Path) -> None:
    async with between(tmp_path, 3) as both:
        await ours(both)
        await both.run("to_wecom")
        await both.store.apply(Patch("people", "s001", {"name": "改了名"}))
        for n in (2, 3):
            await both.store.apply(
                Patch("people", f"s{n:03d}", {"retired_at": 1, "wecom_user_id": None})
            )
        held = await both.run("to_wecom")

        assert (held.result, named(await both.in_wecom())) == (
            "held",
            {f"s{n:03d}" for n in range(30)},
        )
        assert (await both.in_wecom())["s001"]["name"] == "改了名"
        done = await both.run("to_wecom", confirmed=True)
        assert (done.result, len(named(await both.in_wecom()))) == ("done", 28)
        assert (await both.run("to_wecom")).counts["leaving"] == 0


async def test_what_wecom_refuses_is_told_and_taken_back(tmp_path: Path) -> None:
    async with between(tmp_path, 3) as both:
        await ours(both, 2)
        await both.store.apply(Patch("people", "s001", {"mobile": "10000000002"}))
        outcome = await both.run("to_wecom")

        assert outcome.lines == [
            "! 医生001 (s001)：手机与 企业微信里的另一名成员 相同，未新建。请核对。"
        ]
        assert (await both.people())["s001"].wecom_user_id == ""
        assert named(await both.in_wecom()) == {"s000"}


@pytest.mark.parametrize("fault", ["down", "lost_answer", "concurrency"])
async def test_a_wecom_that_fails_in_the_middle_is_gone_on_with_and_nobody_is_made_twice(
    tmp_path: Path, fault: str
) -> None:
    async with between(tmp_path, 3) as both:
        await ours(both)

        class Failing:
            """Turns the switch when half of them are made."""

            told = 0

        async def fail_halfway() -> None:
            await both.wecom.fault(fault)

        sync = both.sync("to_wecom")
        contacts = sync._contacts
        assert contacts is not None
        create = contacts.create_member

        async def failing(member: Member, *, email: str) -> None:
            Failing.told += 1
            if Failing.told == 15:
                await fail_halfway()
            await create(member, email=email)

        contacts.create_member = failing  # type: ignore[method-assign]
        cut = await sync.run("command", apply=True)
        made = named(await both.in_wecom())
        assert cut.result == "failed"
        assert 14 <= len(made) < 30

        await both.wecom.fault("off")
        done = await both.run("to_wecom")
        rows = await both.in_wecom()
        assert (done.result, done.lines, len(named(rows))) == ("done", [], 30)
        assert {row["mobile"] for row in rows.values() if row["userid"].startswith("s")} == {
            f"101{n:08d}" for n in range(30)
        }


async def test_nothing_is_written_while_wecom_cannot_be_read_whole(tmp_path: Path) -> None:
    async with between(tmp_path, 3) as both:
        await ours(both)
        await both.change(do="break", endpoint="user/list", how="busy", after=2, times=5)
        outcome = await both.run("to_wecom")

        assert outcome.result == "failed"
        assert named(await both.in_wecom()) == set()


async def test_people_wecom_has_but_must_not_show_are_not_made_again(tmp_path: Path) -> None:
    async with between(tmp_path, 6) as both:
        medicine = (await both.parties())["内科"]["id"]
        await both.change(do="scope", parties=[medicine])
        await both.keep(Department(id="x", name="新科"), here("w005", "x", mobile="10199999999"))
        outcome = await both.run("to_wecom")

        assert outcome.counts["new"] == 0
        assert "不在应用的可见范围内" in outcome.lines[-1]
