"""Starting a document: once, whatever happens on the way, and told as what it is."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.audit import AuditRow
from server.features.documents.starting_once import (
    DEAD_AFTER_MS,
    MAY_REPEAT_AFTER_MS,
    Starting,
)
from server.features.documents.starting_records import Begun
from server.integrations.oa import Unreachable
from server.integrations.oa.documents import NotStarted
from server.storage import Patch
from server.storage.document import from_doc
from tests.clocks import ManualClock
from tests.features.documents.outpost import FORM, KIND, WORKFLOW, Outpost, open_outpost
from tests.features.office import Client, Office, Refusal

DRAFT: dict[str, Any] = {
    "title": "采购监护仪",
    "urgency": "important",
    "fields": {"ward": "ward", "day": "2026-01-06", "sum": "1200.5", "others": "bob,cai"},
    "rows": [[{"thing": "监护仪", "count": "2"}, {"thing": "", "count": ""}]],
}


@pytest.fixture
async def oa() -> Outpost:
    return Outpost(ManualClock())


@pytest.fixture
async def office(tmp_path: Path, oa: Outpost) -> AsyncIterator[Office]:
    async with open_outpost(tmp_path, oa) as office:
        yield office


async def start(client: Client, client_id: str = "c1", **draft: Any) -> dict[str, Any]:
    said = {**DRAFT, **draft}
    answer = await client.ask(
        "documents.start", workflow_id=WORKFLOW, client_id=client_id, draft=said
    )
    card: dict[str, Any] = answer["start"]
    return card


async def audited(office: Office) -> list[AuditRow]:
    return [from_doc(AuditRow, doc) for doc in await office.store.scan(AuditRow.collection.name)]


def starting(office: Office) -> Starting:
    service: Starting = office.services[Starting]
    return service


async def die_on_the_way(oa: Outpost) -> None:
    """What a kill leaves of Ann's start while the OA is being told."""
    while not oa.calls:
        await asyncio.sleep(0.001)
    [task] = (task for task in asyncio.all_tasks() if task.get_name() == "start ann:c1")
    task.cancel()
    await asyncio.wait({task})


# Once


async def test_a_start_is_told_to_the_oa_in_its_own_words(ann: Client, oa: Outpost) -> None:
    card = await start(ann)

    assert (card["state"], card["request_id"], card["kind"]) == ("done", "501", KIND)
    _, oa_user, new = oa.made[0]
    assert oa_user == "1"
    assert (new.title, new.urgency) == ("采购监护仪", "important")
    assert new.values == {
        "who": "1",
        "ward": "7",
        "day": "2026-01-06",
        "sum": "1200.5",
        "way": "1",
        "others": "2,3",
    }
    assert new.rows == [[{"thing": "监护仪", "count": "2"}]]


async def test_the_same_client_id_starts_once(ann: Client, oa: Outpost) -> None:
    first = await start(ann)
    again = await start(ann, title="另一个标题")

    assert again == first
    assert oa.calls == 1


async def test_two_tries_at_once_start_once(ann: Client, oa: Outpost) -> None:
    cards = await asyncio.gather(*(start(ann) for _ in range(4)))

    assert {card["state"] for card in cards} <= {"asked", "done"}
    assert (await start(ann))["state"] == "done"
    assert oa.calls == 1


async def test_a_try_that_another_overtakes_while_it_reads_is_the_same_start(
    office: Office, ann: Client, oa: Outpost, monkeypatch: pytest.MonkeyPatch
) -> None:
    oa.held = asyncio.Event()
    starting(office).answer_s = 0.01
    find = office.store.find

    async def overtaken(coll: str, index: str, *eq: Any, **bounds: Any) -> Any:
        if (coll, index) == (Begun.collection.name, "person"):
            monkeypatch.setattr(office.store, "find", find)
            assert (await start(ann))["state"] == "asked"
        return await find(coll, index, *eq, **bounds)

    monkeypatch.setattr(office.store, "find", overtaken)
    assert (await start(ann))["state"] == "asked"
    oa.held.set()
    starting(office).answer_s = 30
    assert (await start(ann))["state"] == "done"
    assert oa.calls == 1


async def test_it_goes_on_when_the_command_is_answered(
    office: Office, ann: Client, oa: Outpost
) -> None:
    oa.held = asyncio.Event()
    starting(office).answer_s = 0.01

    assert (await start(ann))["state"] == "asked"
    oa.held.set()
    starting(office).answer_s = 30
    assert (await start(ann))["state"] == "done"
    assert [event["start"]["state"] for event in ann.told("documents.started")] == ["done"]


async def test_what_was_done_is_in_the_audit_with_the_oas_answer(
    office: Office, ann: Client
) -> None:
    await start(ann)

    (row,) = await audited(office)
    assert (row.action, row.subject, row.actor_id) == ("documents.started", "501", "ann")
    assert row.address == "127.0.0.1"
    assert row.detail["answer"] == "501"


# Refused


@pytest.mark.parametrize(
    ("reason", "may_remain"), [("no_right", False), ("next_step", True), ("operators", True)]
)
async def test_the_oas_code_is_told_as_a_word(
    office: Office, ann: Client, oa: Outpost, reason: Any, may_remain: bool
) -> None:
    oa.refuses = NotStarted(reason, may_remain=may_remain)

    card = await start(ann)

    assert (card["state"], card["reason"], card["may_remain"]) == ("refused", reason, may_remain)
    (row,) = await audited(office)
    assert (row.action, reason in row.detail["answer"]) == ("documents.start_refused", True)


async def test_what_was_typed_is_kept_when_it_is_refused(ann: Client, oa: Outpost) -> None:
    oa.refuses = NotStarted("failed", may_remain=False)
    await start(ann)

    blank = await ann.ask("documents.blank", workflow_id=WORKFLOW)

    assert blank["draft"]["fields"]["sum"] == "1200.5"
    assert blank["started"]["reason"] == "failed"


async def test_an_oa_that_is_down_refuses_before_anything_is_sent(ann: Client, oa: Outpost) -> None:
    oa.is_down = True

    card = await start(ann)

    assert (card["state"], card["reason"]) == ("refused", "oa_away")
    assert oa.calls == 0


async def test_a_call_that_never_arrived_is_refused(ann: Client, oa: Outpost) -> None:
    oa.refuses = Unreachable("no road", never_arrived=True)

    assert (await start(ann))["state"] == "refused"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"day": ""}, {"name": "day", "problem": "missing"}),
        ({"day": "2026-13-01"}, {"name": "day", "problem": "date"}),
        ({"sum": "viel"}, {"name": "sum", "problem": "number"}),
        ({"way": "9"}, {"name": "way", "problem": "choice"}),
        ({"who": "ann,bob"}, {"name": "who", "problem": "choice"}),
        ({"others": "bob,eve"}, {"name": "others", "problem": "unknown_there"}),
        ({"ward": "nowhere"}, {"name": "ward", "problem": "unknown_there"}),
        ({"way": ""}, {"name": "way", "problem": "kept"}),
        ({"seal": "Y-2"}, {"name": "seal", "problem": "gone"}),
        ({"files": "901"}, {"name": "files", "problem": "gone"}),
        ({"invented": "x"}, {"name": "invented", "problem": "gone"}),
    ],
)
async def test_values_are_held_against_the_form(
    ann: Client, oa: Outpost, fields: dict[str, str], problem: dict[str, str]
) -> None:
    card = await start(ann, fields={**DRAFT["fields"], **fields})

    assert (card["state"], card["reason"]) == ("refused", "invalid")
    (found,) = card["problems"]
    assert {name: found[name] for name in problem} == problem
    assert oa.calls == 0


async def test_a_row_says_where_it_is_wrong(ann: Client) -> None:
    card = await start(ann, rows=[[{"thing": "灯", "count": "2"}, {"thing": "", "count": "3"}]])

    assert card["problems"] == [{"name": "thing", "problem": "missing", "table": 0, "row": 1}]


async def test_a_file_that_is_a_must_has_to_be_given_in_the_oa(ann: Client, oa: Outpost) -> None:
    files = replace(FORM.fields[-1], must_fill=True)
    oa.form = replace(FORM, fields=(*FORM.fields[:-1], files))

    card = await start(ann)

    assert [one["problem"] for one in card["problems"]] == ["elsewhere"]


async def test_somebody_whom_only_the_oa_knows_stays_in_the_form(ann: Client, oa: Outpost) -> None:
    who = replace(FORM.fields[0], value="999", shown="外聘专家")
    oa.form = replace(FORM, fields=(who, *FORM.fields[1:]))

    blank = await ann.ask("documents.blank", workflow_id=WORKFLOW)
    await start(ann)

    shown = blank["fields"][0]
    assert (shown["value"], shown["shown"], shown["may_edit"]) == ("", "外聘专家", False)
    assert oa.made[0][2].values["who"] == "999"


# Unknown


async def test_a_lost_answer_is_found_in_the_own_list(
    office: Office, ann: Client, oa: Outpost
) -> None:
    oa.loses = "after"

    assert (await start(ann))["state"] == "unknown"
    office.clock.advance(6)
    await starting(office).look()

    card = await start(ann)
    assert (card["state"], card["request_id"]) == ("done", "501")
    states = [event["start"]["state"] for event in ann.told("documents.started")]
    assert states == ["unknown", "done"]
    assert oa.calls == 1


async def test_a_document_of_the_same_title_from_before_is_not_taken_for_it(
    office: Office, ann: Client, oa: Outpost
) -> None:
    await start(ann, client_id="earlier")
    oa.loses = "before"

    await start(ann)
    office.clock.advance(6)
    await starting(office).look()

    assert (await start(ann))["state"] == "unknown"


async def test_two_lost_starts_are_two_documents(office: Office, ann: Client, oa: Outpost) -> None:
    oa.loses = "after"
    await start(ann, client_id="c1")
    office.clock.advance(2)
    await start(ann, client_id="c2")

    office.clock.advance(6)
    await starting(office).look()

    found = [(await start(ann, client_id=id))["request_id"] for id in ("c1", "c2")]
    assert sorted(found) == ["501", "502"]


async def test_what_does_not_show_may_be_repeated_knowingly_and_is_never_sent_again(
    office: Office, ann: Client, oa: Outpost
) -> None:
    oa.loses = "before"
    await start(ann)

    office.clock.advance(MAY_REPEAT_AFTER_MS / 1000)
    await starting(office).look()

    card = await start(ann)
    assert (card["state"], card["may_repeat"]) == ("unknown", True)
    assert oa.calls == 1
    oa.loses = ""
    assert (await start(ann, client_id="knowingly"))["state"] == "done"


async def test_an_oa_that_cannot_be_asked_proves_nothing(
    office: Office, ann: Client, oa: Outpost
) -> None:
    oa.loses = "after"
    await start(ann)
    oa.is_down = True

    office.clock.advance(MAY_REPEAT_AFTER_MS / 1000)
    await starting(office).look()

    card = await start(ann)
    assert (card["state"], card["may_repeat"]) == ("unknown", False)


@pytest.mark.parametrize(("was_sent", "state"), [(True, "unknown"), (False, "refused")])
async def test_a_node_that_died_on_the_way_leaves_an_end(
    office: Office, oa: Outpost, ann: Client, was_sent: bool, state: str
) -> None:
    oa.held = asyncio.Event()
    starting(office).answer_s = 0.0
    assert (await start(ann))["state"] == "asked"
    await die_on_the_way(oa)
    if not was_sent:
        await office.store.apply(Patch(Begun.collection.name, "ann:c1", {"sent_at": None}))

    office.clock.advance(DEAD_AFTER_MS / 1000 + 1)
    await starting(office).look()

    assert (await start(ann))["state"] == state


# Forms and drafts


async def test_a_form_shows_people_and_departments_of_the_house(ann: Client) -> None:
    blank = await ann.ask("documents.blank", workflow_id=WORKFLOW)

    assert blank["fields"][0]["value"] == "ann"
    assert [column["name"] for column in blank["tables"][0]["columns"]] == ["thing", "count"]
    assert (blank["draft"], blank["started"]) == (None, None)


async def test_a_draft_is_kept_and_the_last_word_wins(ann: Client, bob: Client) -> None:
    for title in ("一", "二"):
        kept = await ann.ask(
            "documents.keep_draft", workflow_id=WORKFLOW, draft={**DRAFT, "title": title}
        )

    blank = await ann.ask("documents.blank", workflow_id=WORKFLOW)
    assert (blank["draft"]["title"], blank["draft_at"]) == ("二", kept["draft_at"])
    assert (await bob.ask("documents.blank", workflow_id=WORKFLOW))["draft"] is None


async def test_a_draft_is_gone_once_it_is_started_or_thrown_away(ann: Client) -> None:
    await start(ann)
    assert (await ann.ask("documents.blank", workflow_id=WORKFLOW))["draft"] is None

    await ann.ask("documents.keep_draft", workflow_id=WORKFLOW, draft=DRAFT)
    await ann.ask("documents.keep_draft", workflow_id=WORKFLOW, draft=None)
    assert (await ann.ask("documents.blank", workflow_id=WORKFLOW))["draft"] is None


async def test_drafts_are_bounded_in_number_and_size(office: Office, ann: Client) -> None:
    for number in range(55):
        office.clock.advance(2)
        await ann.ask("documents.keep_draft", workflow_id=f"w{number}", draft={"title": "x"})
    large = {"fields": {f"f{n}": "字" * 4_000 for n in range(20)}}

    assert await office.store.count("start_drafts", "person", ("ann",)) == 50
    with pytest.raises(Refusal, match="too_large"):
        await ann.ask("documents.keep_draft", workflow_id=WORKFLOW, draft=large)


async def test_kinds_come_recent_first_and_are_asked_for_once(
    office: Office, ann: Client, oa: Outpost
) -> None:
    await start(ann)
    await ann.ask("documents.keep_draft", workflow_id="11", draft=DRAFT)

    first = await ann.ask("documents.kinds")
    await ann.ask("documents.kinds")

    assert [kind["name"] for kind in first["kinds"]] == [KIND, "发文审批"]
    assert first["kinds"][0]["used_at"] is not None
    assert first["kinds"][1]["draft_at"] is not None
    assert oa.asked_kinds == 1
    await ann.ask("documents.kinds", fresh=True)
    assert oa.asked_kinds == 2


async def test_known_kinds_are_shown_with_their_age_while_the_oa_is_down(
    office: Office, ann: Client, bob: Client, oa: Outpost
) -> None:
    before = await ann.ask("documents.kinds")
    oa.is_down = True
    office.clock.advance(600)

    now = await ann.ask("documents.kinds")

    assert (now["stale"], now["as_of"]) == (True, before["as_of"])
    with pytest.raises(Refusal, match="oa_away"):
        await bob.ask("documents.kinds")


async def test_who_has_no_account_in_the_oa_starts_nothing(eve: Client) -> None:
    with pytest.raises(Refusal, match="oa_no_account"):
        await start(eve)
