"""Starts on two nodes of one store: what another node takes up, and what is then left alone."""

import asyncio

from server.features.documents.starting_once import DEAD_AFTER_MS, LOST_AFTER_MS, Starting
from server.features.documents.starting_records import Begun
from server.integrations.oa.documents import BlankForm
from server.storage import Patch
from tests.features.documents.outpost import Outpost
from tests.features.documents.test_starting import oa, office, start, starting
from tests.features.office import Client, Office

__all__ = ["oa", "office"]


async def test_a_start_that_another_node_took_for_dead_is_not_sent_any_more(
    office: Office, ann: Client, oa: Outpost
) -> None:
    other = Starting(office.store, office.system, office.clock, office.directory, oa, oa)
    form_comes, answers = asyncio.Event(), oa.blank

    async def stuck(oa_user: str, workflow_id: str) -> BlankForm:
        await form_comes.wait()
        return await answers(oa_user, workflow_id)

    oa.blank = stuck  # type: ignore[method-assign]
    starting(office).answer_s = 0.01
    assert (await start(ann))["state"] == "asked"
    office.clock.advance(DEAD_AFTER_MS / 1000 + 1)
    await other.look()
    form_comes.set()
    starting(office).answer_s = 30

    assert (await start(ann))["state"] == "refused"
    assert oa.calls == 0


async def test_what_was_sent_is_looked_for_as_soon_as_no_answer_can_come(
    office: Office, ann: Client, oa: Outpost
) -> None:
    other = Starting(office.store, office.system, office.clock, office.directory, oa, oa)
    await start(ann)
    fields = {"state": "asked", "request_id": None, "ended_at": None}
    await office.store.apply(Patch(Begun.collection.name, "ann:c1", fields))

    await other.look()
    assert (await start(ann))["state"] == "asked"
    office.clock.advance(LOST_AFTER_MS / 1000 + 1)
    await other.look()
    assert (await start(ann))["state"] == "done"
