"""What a deputy sees and is told, while the period lasts and no longer."""

from typing import Any

import pytest

from server.features.deputies.turning import KEPT_MS
from tests.features.deputies.ward import DAY_S, TODAY, Ward, documents_of
from tests.features.office import Refusal


async def test_a_deputy_sees_whose_documents_wait(ward: Ward) -> None:
    await ward.holds("ann", "1", "2")
    await ward.holds("bob", "7")
    bob = await ward.stands_in("bob", "ann")

    deputed = await bob.ask("deputies.todos")

    assert documents_of(deputed) == [("ann", "1"), ("ann", "2")]
    [ann] = deputed["people"]
    assert (ann["person"]["name"], ann["pending"], ann["stale"]) == ("安宁", 2, False)


async def test_others_documents_are_counted_apart(ward: Ward) -> None:
    await ward.holds("ann", "1", "2")
    await ward.holds("bob", "7")
    bob = await ward.stands_in("bob", "ann")
    assert (await bob.ask("todos.count"))["pending"] == 1
    own = await bob.ask("todos.list", state="pending")
    assert [row["request_id"] for row in own["items"]] == ["7"]


async def test_what_arrives_is_told_to_both(ward: Ward) -> None:
    await ward.holds("ann", "1")
    bob = await ward.stands_in("bob", "ann")
    await ward.wait(70)
    told = len(bob.told("deputies.changed"))
    await ward.holds("ann", "2", "1")
    await ward.wait()

    assert ward.titles("ann")[-1] == "待办：关于2的请示"
    assert ward.titles("bob")[-1] == "代安宁：关于2的请示"
    assert len(bob.told("deputies.changed")) == told + 1
    new = [row["request_id"] for row in (await bob.ask("deputies.todos"))["items"] if row["is_new"]]
    assert new == ["2"]


async def test_what_waited_before_is_shown_and_not_told(ward: Ward) -> None:
    await ward.holds("ann", "1", "2")
    await ward.stands_in("bob", "ann")
    await ward.wait(70)
    assert ward.titles("bob") == ["请代 安宁 关注待办"]


async def test_a_document_is_told_to_a_deputy_once(ward: Ward) -> None:
    await ward.holds("ann")
    await ward.stands_in("bob", "ann")
    for requests in (("1",), (), ("1",)):
        await ward.holds("ann", *requests)
        await ward.wait(70)
    assert ward.titles("bob").count("代安宁：关于1的请示") == 1


async def test_a_change_heard_twice_is_told_once(ward: Ward) -> None:
    await ward.holds("ann")
    await ward.stands_in("bob", "ann")
    before = ward.mirror.lists["ann"]
    await ward.holds("ann", "1")
    seen = ward.mirror.lists["ann"]
    await ward.sink.changed("ann", seen, seen, seen.items, ())
    assert before != seen
    await ward.wait(70)
    assert ward.titles("bob").count("代安宁：关于1的请示") == 1


async def test_a_deputys_deputy_gets_nothing(ward: Ward) -> None:
    await ward.holds("ann")
    await ward.holds("bob")
    await ward.stands_in("bob", "ann")
    cai = await ward.stands_in("cai", "bob")
    await ward.holds("ann", "1")
    await ward.holds("bob", "7")
    await ward.wait(70)
    assert documents_of(await cai.ask("deputies.todos")) == [("bob", "7")]
    assert sorted(ward.titles("cai")) == ["代鲍博：关于7的请示", "请代 鲍博 关注待办"]


async def test_opening_settles_the_deputys_notice_and_nobody_elses(ward: Ward) -> None:
    await ward.holds("ann")
    bob = await ward.stands_in("bob", "ann")
    await ward.holds("ann", "1")
    await bob.ask("deputies.opened", request_id="1")
    await bob.ask("deputies.opened", request_id="1")
    await ward.wait(70)
    assert "代安宁：关于1的请示" not in ward.titles("bob")
    assert "待办：关于1的请示" in ward.titles("ann")
    assert [row for row in await ward.audit() if row[1] == "deputies.opened"] == [
        ("bob", "deputies.opened", "1")
    ]


async def test_what_is_handled_before_it_was_told_is_not_told(ward: Ward) -> None:
    await ward.holds("ann")
    await ward.stands_in("bob", "ann")
    await ward.holds("ann", "1")
    await ward.holds("ann")
    await ward.wait(70)
    assert ward.titles("bob") == ["请代 安宁 关注待办"]


async def test_what_comes_back_before_it_was_told_is_told(ward: Ward) -> None:
    """As when the OA's list lacks a document for a moment."""
    await ward.holds("ann")
    await ward.stands_in("bob", "ann")
    await ward.holds("ann", "1")
    await ward.holds("ann")
    await ward.wait(70)
    assert "待办：关于1的请示" not in ward.titles("ann")
    await ward.holds("ann", "1")
    await ward.wait(70)
    assert ward.titles("ann").count("待办：关于1的请示") == 1
    assert ward.titles("bob").count("代安宁：关于1的请示") == 1


async def test_a_document_of_two_waits_until_it_is_gone_for_both(ward: Ward) -> None:
    for person in ("ann", "dan"):
        await ward.holds(person)
        await ward.stands_in("bob", person)
        await ward.holds(person, "1")
    await ward.holds("ann")
    await ward.wait(70)
    told = [title for title in ward.titles("bob") if "关于1的请示" in title]
    assert told == ["代单丹：关于1的请示"]


async def test_a_wish_for_the_app_alone_holds_for_others_documents_only(ward: Ward) -> None:
    await ward.holds("ann")
    await ward.holds("bob")
    bob = await ward.stands_in("bob", "ann")
    await bob.ask("notices.set_preferences", quiet=[], roads=[{"kind": "deputed", "road": "app"}])
    await ward.holds("ann", "1")
    await ward.holds("bob", "7")
    await ward.wait(70)
    assert ward.titles("bob") == ["请代 安宁 关注待办", "待办：关于7的请示"]


async def test_quiet_hours_hold_back_what_is_not_urgent(ward: Ward) -> None:
    await ward.holds("ann")
    bob = await ward.stands_in("bob", "ann")
    await ward.wait(70)
    all_day = {"days": list(range(7)), "begins": 0, "ends": 0}
    await bob.ask("notices.set_preferences", quiet=[all_day], roads=[])
    await ward.holds("ann", "1")
    await ward.holds("ann", "2", "1", urgency="urgent")
    await ward.wait(20)
    assert ward.titles("bob")[1:] == ["【紧急】代安宁：关于2的请示"]


async def ended_by_command(ward: Ward) -> None:
    await ward.office.ask("ann", "deputies.end", {})


async def ended_by_the_clock(ward: Ward) -> None:
    ward.office.clock.advance(DAY_S)
    await ward.turning.look()


async def ended_before_anybody_looked(ward: Ward) -> None:
    ward.office.clock.advance(DAY_S)


@pytest.mark.parametrize("end", [ended_by_command, ended_by_the_clock, ended_before_anybody_looked])
async def test_an_end_leaves_nothing_behind(ward: Ward, end: Any) -> None:
    await ward.holds("ann", "1")
    bob = await ward.stands_in("bob", "ann")
    await ward.wait(70)
    before = ward.titles("bob")
    await ward.holds("ann", "2", "1")  # owed, and not told yet
    await end(ward)
    await ward.holds("ann", "3", "2", "1")
    await ward.wait(70)

    deputed = await bob.ask("deputies.todos")
    assert (deputed["people"], deputed["items"], deputed["turns_at"]) == ([], [], None)
    assert (await bob.ask("deputies.show"))["for_others"] == []
    assert [title for title in ward.titles("bob") if title.startswith("代")] == []
    assert ward.titles("bob")[: len(before)] == before
    owed = await ward.office.store.scan("owed")
    assert [row["subject"] for row in owed if row["kind"] == "deputed"] == []
    assert "待办：关于3的请示" in ward.titles("ann")


async def test_an_end_takes_back_what_stands_on_the_phone(ward: Ward) -> None:
    await ward.holds("ann")
    await ward.stands_in("bob", "ann")
    await ward.holds("ann", "1")
    await ward.wait(70)
    await ward.office.ask("ann", "deputies.end", {})
    withdrawn = await ward.office.store.scan("withdrawals")
    assert [(row["kind"], row["subject"]) for row in withdrawn] == [("deputed", "bob:1")]


async def test_pages_are_told_when_a_period_begins_and_ends(ward: Ward) -> None:
    ann, bob = await ward.office.client("ann"), await ward.office.client("bob")
    tomorrow = {"begins_on": "2026-01-06", "ends_on": "2026-01-06"}
    await ann.ask("deputies.set", deputy_id="bob", **tomorrow)
    await ward.holds("ann", "1")
    seen = []
    for _ in range(3):
        await ward.turning.look()
        deputed = await bob.ask("deputies.todos")
        seen.append((len(bob.told("deputies.changed")), len(deputed["items"])))
        ward.office.clock.advance(DAY_S)
    assert seen == [(1, 0), (2, 1), (3, 0)]


async def test_who_has_retired_is_told_nothing_and_shows_no_list(ward: Ward) -> None:
    await ward.holds("ann")
    await ward.holds("cai", "9")
    await ward.stands_in("bob", "ann")
    bob = await ward.stands_in("bob", "cai")
    await ward.retire("cai")
    assert documents_of(await bob.ask("deputies.todos")) == []
    await ward.retire("bob")
    await ward.holds("ann", "1")
    await ward.wait(70)
    notices = await ward.office.store.scan("notices")
    assert [row for row in notices if row["kind"] == "deputed"] == []


async def test_one_may_stand_in_for_two(ward: Ward) -> None:
    await ward.holds("ann", "1")
    await ward.holds("cai", "9")
    await ward.stands_in("bob", "ann")
    bob = await ward.stands_in("bob", "cai")
    assert set(documents_of(await bob.ask("deputies.todos"))) == {("ann", "1"), ("cai", "9")}


async def test_nobody_else_sees_or_reminds(ward: Ward) -> None:
    await ward.holds("ann", "1")
    await ward.stands_in("bob", "ann")
    dan = await ward.office.client("dan")
    assert documents_of(await dan.ask("deputies.todos")) == []
    with pytest.raises(Refusal, match="not_found"):
        await dan.ask("deputies.remind", person_id="ann", request_id="1")


async def test_a_deputy_reminds_within_the_limits(ward: Ward) -> None:
    await ward.holds("ann", "1")
    await ward.office.ask("ann", "todos.opened", {"request_id": "1"})
    bob = await ward.stands_in("bob", "ann", ends_on="2026-01-06")
    received = ward.mirror.lists["ann"].items[0].received_at
    early = await bob.ask("deputies.remind", person_id="ann", request_id="1")
    ward.office.clock.advance(2 * 3_600)
    first = await bob.ask("deputies.remind", person_id="ann", request_id="1")
    again = await bob.ask("deputies.remind", person_id="ann", request_id="1")
    await ward.wait()

    assert early == {"state": "too_early", "not_before": (received or 0) + 2 * 3_600_000}
    assert first == {"state": "reminded", "not_before": None}
    assert again["state"] == "too_soon"
    assert ward.titles("ann")[-1] == "催办：关于1的请示"
    [row] = (await ward.office.ask("ann", "todos.list", {"state": "pending"}))["items"]
    assert row["urged_by"] == "鲍博"
    assert [row for row in await ward.audit() if row[1] == "deputies.reminded"] == [
        ("bob", "deputies.reminded", "1")
    ]


async def test_the_day_is_the_one_named(ward: Ward) -> None:
    bob = await ward.stands_in("bob", "ann")
    [shown] = (await bob.ask("deputies.show"))["for_others"]
    assert (shown["begins_on"], shown["ends_on"]) == (TODAY, TODAY)


async def test_what_was_passed_on_is_forgotten_long_after_it_went(ward: Ward) -> None:
    await ward.holds("ann")
    await ward.stands_in("bob", "ann")
    await ward.holds("ann", "1", "2")
    await ward.holds("ann", "2")
    ward.office.clock.advance(KEPT_MS / 1000)
    assert await ward.turning.drop_old() == 0
    ward.office.clock.advance(1)
    assert await ward.turning.drop_old() == 1
    assert [doc["_id"] for doc in await ward.office.store.scan("passed_on")] == ["bob:2"]
