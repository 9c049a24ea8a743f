"""What administrators see and do, that only they do, and that it is recorded."""

from typing import Any

import pytest

from tests.features.notices.conftest import Hospital
from tests.features.office import Refusal


async def ledger(hospital: Hospital, **fields: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await hospital.ask("eve", "notices.admin_ledger", **fields))[
        "items"
    ]
    return items


async def failed_notice(hospital: Hospital) -> str:
    """Bob cannot be reached, and mail to him is refused: the notice."""
    hospital.phones.unknown.add("bob")
    await hospital.write()
    await hospital.pass_time(20)
    [row] = await ledger(hospital, state="refused")
    notice_id: str = row["notice"]["notice_id"]
    return notice_id


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("notices.admin_state", {}),
        ("notices.admin_test", {}),
        ("notices.admin_ledger", {}),
        ("notices.admin_resend", {"notice_id": "n1"}),
    ],
)
async def test_only_the_administrator_may(
    hospital: Hospital, name: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        await hospital.ask("ann", name, **fields)
    assert refused.value.code == "forbidden"


async def test_how_sending_fares_is_shown_from_what_the_sender_wrote(hospital: Hospital) -> None:
    await hospital.write()
    await hospital.pass_time(20)

    state = await hospital.ask("eve", "notices.admin_state")

    assert state["sent_today"] == 1
    assert state["waiting"] == 0
    assert not state["is_held"]
    assert state["got_through_at"] > 0
    assert state["token_expires_at"] == 2_000
    assert state["calls_per_second"] == 50


async def test_the_connection_is_tried_and_the_cause_named(hospital: Hospital) -> None:
    found = (await hospital.ask("eve", "notices.admin_test"))["findings"]

    assert found[1] == {"step": "address", "found": "bad", "code": 60020, "detail": "1.2.3.4"}
    rows = await hospital.office.store.scan("audit")
    assert rows[-1]["action"] == "notices.test"


async def test_looking_into_the_ledger_is_recorded_with_whose_it_was(hospital: Hospital) -> None:
    await hospital.write()
    await hospital.pass_time(20)

    [row] = await ledger(hospital, person_id="bob")

    assert (row["person_name"], row["notice"]["state"]) == ("鲍博", "sent")
    rows = await hospital.office.store.scan("audit")
    assert (rows[-1]["action"], rows[-1]["subject"]) == ("notices.ledger", "bob")


async def test_the_ledger_is_filtered_and_leafed_through(hospital: Hospital) -> None:
    for to in ("bob", "cai", "dan"):
        await hospital.write(to)
        await hospital.pass_time(10)
    begun = hospital.office.clock.now()
    hospital.phones.unknown.add("cai")
    await hospital.write("cai")
    await hospital.pass_time(10)

    assert len(await ledger(hospital)) == 4
    assert [row["person_id"] for row in await ledger(hospital, state="refused")] == ["cai"]
    assert [row["person_id"] for row in await ledger(hospital, state="failed")] == ["cai"]
    assert [row["person_id"] for row in await ledger(hospital, since=begun)] == ["cai"]
    assert len(await ledger(hospital, until=begun)) == 3
    assert await ledger(hospital, kind="mail") == []
    assert len(await ledger(hospital, person_id="cai")) == 2
    assert len(await ledger(hospital, person_id="cai", kind="chat")) == 2
    assert await ledger(hospital, person_id="cai", kind="mail") == []
    [refused] = await ledger(hospital, person_id="cai", state="refused")
    assert refused["notice"]["state"] == "refused"
    first = await hospital.ask("eve", "notices.admin_ledger", limit=3)
    second = await hospital.ask("eve", "notices.admin_ledger", limit=3, after=first["next"])
    ids = [row["notice"]["notice_id"] for row in first["items"] + second["items"]]
    assert len(set(ids)) == 4
    assert second["next"] == ""


async def test_a_refused_notice_is_sent_again_once_and_recorded(hospital: Hospital) -> None:
    notice_id = await failed_notice(hospital)
    hospital.phones.unknown.clear()

    first = await hospital.ask("eve", "notices.admin_resend", notice_id=notice_id)
    again = await hospital.ask("eve", "notices.admin_resend", notice_id=notice_id)
    await hospital.pass_time(5)

    assert first == again
    assert len(hospital.phones.phones["bob"]) == 1
    rows = {row["notice"]["notice_id"]: row for row in await ledger(hospital, person_id="bob")}
    assert rows[first["notice_id"]]["notice"]["state"] == "sent"
    assert rows[first["notice_id"]]["notice"]["is_again"]
    assert rows[notice_id]["followed_by"] == first["notice_id"]
    actions = [row["action"] for row in await hospital.office.store.scan("audit")]
    assert actions.count("notices.resend") == 1


async def test_what_was_read_meanwhile_is_not_sent_again(hospital: Hospital) -> None:
    notice_id = await failed_notice(hospital)
    hospital.phones.unknown.clear()
    opened = await hospital.ask("bob", "chat.open", person_id="ann")
    await hospital.ask("bob", "chat.mark_read", conversation_id=opened["conversation_id"], seq=1)

    await hospital.ask("eve", "notices.admin_resend", notice_id=notice_id)
    await hospital.pass_time(5)

    assert not hospital.phones.phones


async def test_only_what_failed_is_sent_again(hospital: Hospital) -> None:
    await hospital.write()
    await hospital.pass_time(20)
    [row] = await ledger(hospital)

    with pytest.raises(Refusal) as conflict:
        await hospital.ask("eve", "notices.admin_resend", notice_id=row["notice"]["notice_id"])
    with pytest.raises(Refusal) as missing:
        await hospital.ask("eve", "notices.admin_resend", notice_id="nothing")
    assert (conflict.value.code, missing.value.code) == ("conflict", "not_found")
