"""How long acts, starts and drafts are kept, and that forgetting one changes nothing people rely on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.acting import keeping as of_acts
from server.features.documents import starting_keeping as of_starts
from server.features.documents.starting_once import MAY_REPEAT_AFTER_MS, Starting
from tests.clocks import ManualClock
from tests.features.documents.desk import Desk, OneDocument, open_desk
from tests.features.documents.outpost import WORKFLOW, Outpost, open_outpost
from tests.features.documents.test_starting import DRAFT, start
from tests.features.office import Client, Office

DAY_S = 86_400
HALF_YEAR_S = of_acts.KEPT_MS / 1000
YEAR_S = of_starts.KEPT_MS / 1000


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, OneDocument()) as desk:
        yield desk


@pytest.fixture
async def oa() -> Outpost:
    return Outpost(ManualClock())


@pytest.fixture
async def office(tmp_path: Path, oa: Outpost) -> AsyncIterator[Office]:
    async with open_outpost(tmp_path, oa) as office:
        yield office


def keeping(office: Office) -> of_starts.Keeping:
    service: of_starts.Keeping = office.services[of_starts.Keeping]
    return service


# Acts


async def test_an_act_is_answered_for_half_a_year_and_stays_in_the_audit(desk: Desk) -> None:
    keeping = of_acts.Keeping(desk.office.store, desk.office.clock)
    seen = (await desk.open())["seen"]
    await desk.act(seen=seen)
    desk.office.clock.advance(HALF_YEAR_S)
    assert await keeping.drop_old() == 0
    assert (await desk.act(seen=seen))["state"] == "done"

    desk.office.clock.advance(1)
    assert await keeping.drop_old() == 1
    assert (await desk.open())["last_act"] is None
    assert await desk.came_to() == [("done", "success")]


async def test_an_act_nobody_knows_the_end_of_is_not_forgotten_with_the_others(desk: Desk) -> None:
    keeping = of_acts.Keeping(desk.office.store, desk.office.clock)
    desk.oa.loses = "before"
    await desk.act()
    await desk.after(HALF_YEAR_S + DAY_S)

    assert await keeping.drop_old() == 0
    assert (await desk.open())["last_act"]["state"] == "unknown"


async def test_a_document_that_comes_back_later_is_acted_on_anew(desk: Desk) -> None:
    desk.oa.refuses = True
    await desk.act()
    desk.office.clock.advance(HALF_YEAR_S + 1)
    await of_acts.Keeping(desk.office.store, desk.office.clock).drop_old()
    desk.oa.refuses = False

    assert (await desk.act())["state"] == "done"
    assert [(act.id, act.state) for act in await desk.kept()] == [("ann:7:1", "done")]


# Starts and drafts


async def test_what_was_started_stands_first_for_a_year_and_is_started_once(
    office: Office, ann: Client, oa: Outpost
) -> None:
    await start(ann)
    office.clock.advance(YEAR_S)
    assert await keeping(office).drop_old() == 0
    assert (await start(ann))["state"] == "done"
    assert oa.calls == 1
    assert await first_kind(ann) == WORKFLOW

    office.clock.advance(1)
    assert await keeping(office).drop_old() == 1
    assert await first_kind(ann) != WORKFLOW


async def first_kind(client: Client) -> str:
    found: str = (await client.ask("documents.kinds"))["kinds"][0]["workflow_id"]
    return found


async def test_a_start_nobody_knows_the_end_of_is_kept_for_two_years(
    office: Office, ann: Client, oa: Outpost
) -> None:
    oa.loses = "before"
    await start(ann)
    office.clock.advance(MAY_REPEAT_AFTER_MS / 1000)
    await office.services[Starting].look()
    await ann.ask("documents.keep_draft", workflow_id=WORKFLOW, draft=None)

    office.clock.advance(YEAR_S + DAY_S)
    assert await keeping(office).drop_old() == 0
    office.clock.advance(of_starts.WITHOUT_END_MS / 1000 - YEAR_S)
    assert await keeping(office).drop_old() == 1


async def test_a_draft_lives_until_it_was_left_alone_for_a_year(
    office: Office, ann: Client
) -> None:
    for _ in range(2):
        await ann.ask("documents.keep_draft", workflow_id=WORKFLOW, draft=DRAFT)
        office.clock.advance(YEAR_S)
        assert await keeping(office).drop_old() == 0
    office.clock.advance(1)

    assert await keeping(office).drop_old() == 1
    assert (await ann.ask("documents.blank", workflow_id=WORKFLOW))["draft"] is None
