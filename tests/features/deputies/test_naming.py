"""Naming a deputy: for whom, from when to when, by whom, and what both are told."""

import asyncio

import pytest

from tests.features.deputies.ward import DAY_S, TODAY, Ward
from tests.features.office import Refusal

MONTH = {"begins_on": TODAY, "ends_on": "2026-01-31"}


async def test_both_are_told_and_see_it(ward: Ward) -> None:
    ann, bob = await ward.office.client("ann"), await ward.office.client("bob")
    named = await ann.ask("deputies.set", deputy_id="bob", **MONTH)
    await ward.wait()

    assert named["deputation"]["holds"] is True
    assert (await ann.ask("deputies.show"))["mine"] == named["deputation"]
    assert (await bob.ask("deputies.show"))["for_others"] == [named["deputation"]]
    assert len(ann.told("deputies.changed")) == len(bob.told("deputies.changed")) == 1
    assert ward.titles("ann") == ["鲍博 将代你关注待办"]
    assert ward.titles("bob") == ["请代 安宁 关注待办"]
    assert await ward.audit() == [("ann", "deputies.set", "ann")]


async def test_the_same_once_more_changes_nothing(ward: Ward) -> None:
    ann = await ward.office.client("ann")
    first = await ann.ask("deputies.set", deputy_id="bob", **MONTH)
    assert await ann.ask("deputies.set", deputy_id="bob", **MONTH) == first
    assert len(ann.told("deputies.changed")) == 1
    assert len(await ward.audit()) == 1


async def test_there_is_one_at_a_time(ward: Ward) -> None:
    ann = await ward.office.client("ann")
    await ann.ask("deputies.set", deputy_id="bob", **MONTH)
    with pytest.raises(Refusal, match="conflict"):
        await ann.ask("deputies.set", deputy_id="cai", **MONTH)
    await ann.ask("deputies.end")
    named = await ann.ask("deputies.set", deputy_id="cai", **MONTH)
    assert named["deputation"]["deputy"]["person_id"] == "cai"


async def test_of_two_devices_at_once_one_names_a_deputy(ward: Ward) -> None:
    phone, desk = await ward.office.client("ann"), await ward.office.client("ann")
    answers = await asyncio.gather(
        phone.ask("deputies.set", deputy_id="bob", **MONTH),
        desk.ask("deputies.set", deputy_id="cai", **MONTH),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Refusal) for answer in answers) == 1
    for_bob = (await (await ward.office.client("bob")).ask("deputies.show"))["for_others"]
    for_cai = (await (await ward.office.client("cai")).ask("deputies.show"))["for_others"]
    assert len(for_bob) + len(for_cai) == 1


@pytest.mark.parametrize(
    ("begins_on", "ends_on"),
    [
        ("2026-01-04", "2026-01-06"),
        ("2026-04-06", "2026-04-07"),
        ("2026-01-06", "2026-01-05"),
        ("2026-01-05", "2027-01-06"),
        ("2026-02-30", "2026-03-01"),
        ("heute", "2026-01-06"),
    ],
    ids=["past", "91 days ahead", "backwards", "over a year", "no day", "no date"],
)
async def test_periods_have_bounds(ward: Ward, begins_on: str, ends_on: str) -> None:
    ann = await ward.office.client("ann")
    with pytest.raises(Refusal, match="invalid"):
        await ann.ask("deputies.set", deputy_id="bob", begins_on=begins_on, ends_on=ends_on)


async def test_the_last_day_counts_to_the_hospitals_midnight(ward: Ward) -> None:
    ann = await ward.office.client("ann")
    await ann.ask("deputies.set", deputy_id="bob", begins_on=TODAY, ends_on=TODAY)
    ward.office.clock.advance(8 * 3_600 - 1)  # it is four in the afternoon there
    assert (await ann.ask("deputies.show"))["mine"]["holds"] is True
    ward.office.clock.advance(1)
    shown = await ann.ask("deputies.show")
    assert (shown["mine"], shown["today"]) == (None, "2026-01-06")


async def test_one_who_is_to_come_does_not_hold_yet(ward: Ward) -> None:
    ann = await ward.office.client("ann")
    tomorrow = {"begins_on": "2026-01-06", "ends_on": "2026-01-06"}
    named = await ann.ask("deputies.set", deputy_id="bob", **tomorrow)
    assert named["deputation"]["holds"] is False
    ward.office.clock.advance(DAY_S)
    assert (await ann.ask("deputies.show"))["mine"]["holds"] is True


@pytest.mark.parametrize(("deputy", "code"), [("ann", "invalid"), ("nobody", "not_found")])
async def test_who_cannot_stand_in_is_refused(ward: Ward, deputy: str, code: str) -> None:
    ann = await ward.office.client("ann")
    with pytest.raises(Refusal, match=code):
        await ann.ask("deputies.set", deputy_id=deputy, **MONTH)


async def test_nobody_who_has_retired_stands_in(ward: Ward) -> None:
    await ward.retire("bob")
    ann = await ward.office.client("ann")
    with pytest.raises(Refusal, match="not_found"):
        await ann.ask("deputies.set", deputy_id="bob", **MONTH)


async def test_an_administrator_does_it_for_somebody_who_is_ill(ward: Ward) -> None:
    eve, ann = await ward.office.client("eve"), await ward.office.client("ann")
    named = await eve.ask("deputies.set", person_id="ann", deputy_id="bob", **MONTH)
    await ward.wait()
    assert named["deputation"]["set_by_name"] == "叶薇"
    assert ward.titles("ann") == ["鲍博 将代你关注待办"]
    assert (await eve.ask("deputies.show", person_id="ann"))["mine"] == named["deputation"]
    await eve.ask("deputies.end", person_id="ann")
    await ward.wait(70)

    assert (await ann.ask("deputies.show"))["mine"] is None
    assert ward.titles("ann")[1:] == ["鲍博 不再代你关注待办"]
    assert ward.titles("bob")[1:] == ["不再需要代 安宁 关注待办"]
    assert await ward.audit() == [
        ("eve", "deputies.set", "ann"),
        ("eve", "deputies.ended", "ann"),
    ]


@pytest.mark.parametrize("command", ["deputies.show", "deputies.set", "deputies.end"])
async def test_nobody_else_does_it_for_others(ward: Ward, command: str) -> None:
    fields = {"deputy_id": "cai", **MONTH} if command == "deputies.set" else {}
    bob = await ward.office.client("bob")
    with pytest.raises(Refusal, match="forbidden"):
        await bob.ask(command, person_id="ann", **fields)


async def test_ending_what_has_ended_is_no_error_and_leaves_no_trace(ward: Ward) -> None:
    ann = await ward.office.client("ann")
    await ann.ask("deputies.end")
    assert (ann.events, await ward.audit()) == ([], [])


async def test_what_was_ended_at_once_is_not_told_as_begun(ward: Ward) -> None:
    ann = await ward.office.client("ann")
    await ann.ask("deputies.set", deputy_id="bob", **MONTH)
    await ann.ask("deputies.end")
    await ward.wait()
    assert ward.titles("bob") == ["不再需要代 安宁 关注待办"]
