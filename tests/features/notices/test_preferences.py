"""What people wish, what follows from it, and that they are told why."""

from typing import Any

import pytest

from server.clock import Millis
from server.notify.wishes import DIGEST_HOURS
from server.outbox import Phone, phone_id
from server.storage import Insert
from server.storage.document import to_doc
from tests.features.notices.conftest import Hospital
from tests.features.office import Refusal

AFTERNOON = {"days": list(range(7)), "begins": 15 * 60, "ends": 17 * 60}
"""The office's clock starts at 16:00 in the hospital's time."""


async def wish(hospital: Hospital, person: str = "bob", **fields: Any) -> dict[str, Any]:
    return await hospital.ask(
        person, "notices.set_preferences", **{"quiet": [], "roads": [], **fields}
    )


async def why(hospital: Hospital, person: str = "bob", **fields: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await hospital.ask(person, "notices.why", **fields))["items"]
    return items


async def test_at_first_everything_goes_to_wecom_and_what_cannot_be_silenced_is_said(
    hospital: Hospital,
) -> None:
    shown = await hospital.ask("bob", "notices.preferences")

    assert shown["quiet"] == []
    assert {each["road"] for each in shown["roads"]} == {"wecom"}
    assert {each["kind"] for each in shown["roads"]} == {"chat", "todo", "deputed", "mail", "forum"}
    assert shown["digest_hours"] == list(DIGEST_HOURS)
    assert shown["never_silent"] == ["urgent"]
    assert shown["timezone"] == "Asia/Shanghai"


async def test_a_choice_is_kept_told_to_all_devices_and_recorded(hospital: Hospital) -> None:
    other = await hospital.office.client("bob")
    await wish(hospital, quiet=[AFTERNOON], roads=[{"kind": "chat", "road": "digest"}])

    shown = await hospital.ask("bob", "notices.preferences")
    assert shown["quiet"] == [AFTERNOON]
    assert {"kind": "chat", "road": "digest"} in shown["roads"]
    [told] = other.told("notices.preferences_changed")
    assert told["quiet"] == [AFTERNOON]
    rows = await hospital.office.store.scan("audit")
    assert [row["action"] for row in rows] == ["notices.set_preferences"]

    await wish(hospital, quiet=[AFTERNOON], roads=[{"kind": "chat", "road": "digest"}])
    assert len(other.told("notices.preferences_changed")) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"quiet": [{**AFTERNOON, "days": []}]},
        {"quiet": [{**AFTERNOON, "days": [7]}]},
        {"quiet": [{**AFTERNOON, "begins": 1_440}]},
        {"quiet": [AFTERNOON] * 5},
        {"roads": [{"kind": "urgent", "road": "app"}]},
        {"roads": [{"kind": "chat", "road": "nowhere"}]},
        {"digest_hours": [24]},
        {"digest_hours": [1, 2, 3, 4, 5, 6, 7]},
    ],
)
async def test_what_makes_no_sense_is_invalid(hospital: Hospital, fields: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        await wish(hospital, **fields)
    assert refused.value.code == "invalid"


async def test_somebody_in_quiet_hours_sees_that_the_notice_waits_and_until_when(
    hospital: Hospital,
) -> None:
    begun = hospital.office.clock.now()
    await wish(hospital, quiet=[AFTERNOON])
    conversation_id = await hospital.write()

    await hospital.pass_time(20)

    assert not hospital.phones.phones
    [item] = await why(hospital)
    assert (item["state"], item["why"]) == ("queued", "quiet")
    assert item["at"] == begun + 3_600_000
    assert item["path"] == f"/c/{conversation_id}"


async def test_taking_quiet_hours_back_lets_what_waits_go(hospital: Hospital) -> None:
    await wish(hospital, quiet=[AFTERNOON])
    await hospital.write()
    await hospital.pass_time(20)
    await wish(hospital)

    await hospital.pass_time(2)

    assert len(hospital.phones.phones["bob"]) == 1
    assert [(item["state"], item["why"]) for item in await why(hospital)] == [("sent", "")]


@pytest.mark.parametrize(
    ("wishes", "mentions", "rings"),
    [(True, ["bob"], 1), (False, ["bob"], 0), (True, ["all"], 0), (True, [], 0)],
)
async def test_being_named_brings_what_waits_out_of_quiet_hours_where_that_is_wished(
    hospital: Hospital, wishes: bool, mentions: list[str], rings: int
) -> None:
    await wish(hospital, quiet=[AFTERNOON], mentions=wishes)
    group = await hospital.ask("ann", "chat.create_group", title="产科", member_ids=["bob"])
    await hospital.say(group["conversation_id"])
    await hospital.pass_time(20)
    assert not hospital.phones.phones

    await hospital.say(group["conversation_id"], "看一下", mentions=mentions)
    await hospital.pass_time(20)

    assert len(hospital.phones.phones.get("bob", [])) == rings
    assert (await hospital.ask("bob", "notices.preferences"))["mentions"] is wishes


async def test_a_muted_conversation_says_so(hospital: Hospital) -> None:
    conversation_id = await hospital.write()
    await hospital.ask("bob", "chat.configure", conversation_id=conversation_id, muted=True)
    await hospital.pass_time(20)

    assert not hospital.phones.phones
    assert [item["why"] for item in await why(hospital)] == ["muted"]


async def test_what_was_read_in_the_app_says_so(hospital: Hospital) -> None:
    await wish(hospital, quiet=[AFTERNOON])
    conversation_id = await hospital.write()
    await hospital.pass_time(20)
    await hospital.ask("bob", "chat.mark_read", conversation_id=conversation_id, seq=1)
    await hospital.pass_time(3_600, each_s=60)

    assert [(item["state"], item["why"]) for item in await why(hospital)] == [("settled", "read")]


async def test_a_refusal_names_its_reason_in_a_word(hospital: Hospital) -> None:
    hospital.phones.unknown.add("bob")
    await hospital.write()
    await hospital.pass_time(20)

    [item] = await why(hospital)
    assert (item["state"], item["refusal"]) == ("refused", "unreachable")


async def test_whoever_has_lost_the_app_is_told_so_and_not_that_wecom_refused(
    hospital: Hospital,
) -> None:
    left = to_doc(Phone(id=phone_id("bob"), left_at=Millis(1)))
    await hospital.office.store.apply(Insert(Phone.collection.name, left))
    await hospital.write()
    await hospital.pass_time(20)

    [item] = await why(hospital)
    assert (item["state"], item["refusal"]) == ("refused", "unreachable")


async def test_nobody_sees_the_notices_of_others(hospital: Hospital) -> None:
    await hospital.write()
    await hospital.pass_time(20)

    assert len(await why(hospital, "bob")) == 1
    assert await why(hospital, "cai") == []
    assert await why(hospital, "eve") == []


async def test_the_record_is_leafed_through_without_gaps_or_repeats(hospital: Hospital) -> None:
    for number in range(7):
        await hospital.write(text=str(number))
        await hospital.pass_time(10)
        await hospital.ask("bob", "notices.why")
    every = await why(hospital, limit=100)
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = await hospital.ask("bob", "notices.why", limit=2, after=after)
        found += page["items"]
        after = page["next"]
        if not after:
            break

    assert found == every
    assert len(found) == 7


async def test_the_record_of_one_conversation_holds_no_other(hospital: Hospital) -> None:
    group = await hospital.ask("ann", "chat.create_group", title="交班", member_ids=["bob", "cai"])
    both = [await hospital.write(), group["conversation_id"]]
    await hospital.say(both[1])
    await hospital.pass_time(20)

    for asked in both:
        found = await why(hospital, kind="chat", subject=asked)
        assert found
        assert {item["subject"] for item in found} == {asked}


async def test_a_page_that_follows_none_is_invalid(hospital: Hospital) -> None:
    with pytest.raises(Refusal) as refused:
        await hospital.ask("bob", "notices.why", after="nonsense")
    assert refused.value.code == "invalid"
