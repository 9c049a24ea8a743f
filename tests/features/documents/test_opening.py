"""Opening a document: what its reader's page gets, and what nobody gets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.acting.copies import Copies
from server.integrations.oa import Blocked, NotUnderstood, Unreachable
from tests.features.documents.desk import FIELDS, TABLE, Desk, OneDocument, entry, open_desk
from tests.features.office import Refusal
from tests.integrations.oa.fake_oa import item


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    oa = OneDocument(fields=FIELDS, tables=(TABLE,), log=[entry("L1", "4", "10")])
    async with open_desk(tmp_path, oa) as desk:
        yield desk


async def test_people_are_those_of_the_house_and_the_oas_ids_stay_away(desk: Desk) -> None:
    card = await desk.open()
    assert (card["creator_id"], card["opinions"][0]["person_id"]) == ("cai", "cai")
    values = {one["name"]: one["value"] for one in card["fields"]}
    assert (values["who"], values["how"]) == ("bob", "1")
    assert card["last_act"] is None
    assert {one["action"] for one in card["actions"]} == {"approve", "reject", "forward"}


async def test_what_was_seen_is_the_same_until_something_that_counts_changes(desk: Desk) -> None:
    seen = (await desk.open())["seen"]
    desk.oa.log.append(entry("L2", "3", "20"))
    assert (await desk.open())["seen"] == seen
    desk.oa.fields = (*FIELDS[1:],)
    assert (await desk.open())["seen"] != seen


async def test_a_strangers_document_is_not_there(desk: Desk) -> None:
    with pytest.raises(Refusal) as refused:
        await desk.open("cai")
    assert refused.value.code == "not_found"


async def test_somebody_without_an_account_is_told_so(desk: Desk) -> None:
    with pytest.raises(Refusal) as refused:
        await desk.open("dan")
    assert refused.value.code == "oa_no_account"
    assert desk.oa.openings == 0


@pytest.mark.parametrize(
    ("fault", "code", "may_retry"),
    [
        (Unreachable("x"), "oa_away", True),
        (Blocked("x"), "oa_blocked", False),
        (NotUnderstood("x"), "oa_unclear", False),
    ],
)
async def test_failures_are_told_apart(
    desk: Desk, fault: Exception, code: str, may_retry: bool
) -> None:
    desk.oa.fault = fault
    with pytest.raises(Refusal) as refused:
        await desk.open()
    assert refused.value.code == code
    assert (refused.value.retry_after_ms is not None) == may_retry


async def test_the_log_goes_on_for_whom_it_was_shown(desk: Desk) -> None:
    before = (await desk.open())["more_before"]
    page = await desk.ask("ann", "opinions", request_id="7", before=before)
    assert [one["id"] for one in page["opinions"]] == ["old"]
    for person, request_id, place in (
        ("bob", "7", before),
        ("ann", "8", before),
        ("ann", "7", "L1"),
    ):
        with pytest.raises(Refusal) as refused:
            await desk.ask(person, "opinions", request_id=request_id, before=place)
        assert refused.value.code == "invalid"


async def test_several_copies_are_taken_note_of_and_failures_named(desk: Desk) -> None:
    said = await desk.ask("ann", "mark_read", request_ids=["1", "bad", "2", "1"])
    assert said == {"failed": ["bad"]}
    assert sorted(desk.oa.read) == ["1", "2"]
    [row] = await desk.records()
    assert (row["actor_id"], row["detail"]["failed"]) == ("ann", ["bad"])


async def test_a_copy_opened_or_taken_note_of_here_is_known_to_be_read(desk: Desk) -> None:
    office = desk.office
    copies = Copies(office.settings, office.directory)
    rows = [item(one, office.clock.now()) for one in ("1", "2", "7")]
    await office.system.do(lambda work: copies.noted(work, "ann", rows))
    await desk.open()
    await desk.ask("ann", "mark_read", request_ids=["1", "bad"])
    kept = {doc["request_id"]: "read_at" in doc for doc in await office.store.scan("copies")}
    assert kept == {"1": True, "2": False, "7": True}
