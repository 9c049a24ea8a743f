"""Starting beside oneself: from another device, or after one's account in the OA was corrected."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.directory import Person
from server.storage import Patch
from tests.clocks import ManualClock
from tests.features.documents.outpost import Outpost, open_outpost
from tests.features.documents.test_starting import start, starting
from tests.features.office import Client, Office, Refusal


@pytest.fixture
async def oa() -> Outpost:
    return Outpost(ManualClock())


@pytest.fixture
async def office(tmp_path: Path, oa: Outpost) -> AsyncIterator[Office]:
    async with open_outpost(tmp_path, oa) as office:
        yield office


async def test_another_device_does_not_start_the_same_beside_it(
    office: Office, ann: Client, oa: Outpost
) -> None:
    """The draft is on both, and both were pressed while the OA was slow."""
    oa.held = asyncio.Event()
    starting(office).answer_s = 0.01
    assert (await start(ann))["state"] == "asked"
    with pytest.raises(Refusal, match="conflict"):
        await start(ann, client_id="another")
    oa.held.set()
    starting(office).answer_s = 30
    assert (await start(ann))["state"] == "done"
    assert oa.calls == 1
    assert (await start(ann, client_id="another"))["state"] == "done"


async def test_two_devices_at_once_start_one(office: Office, ann: Client, oa: Outpost) -> None:
    oa.held = asyncio.Event()
    starting(office).answer_s = 0.01
    tries = (start(ann, client_id=f"c{n}") for n in range(4))
    ends = await asyncio.gather(*tries, return_exceptions=True)
    oa.held.set()
    assert sum(isinstance(one, Refusal) for one in ends) == 3
    await starting(office).close()
    assert oa.calls == 1


async def test_what_another_account_may_start_is_shown_to_nobody(
    office: Office, ann: Client, oa: Outpost
) -> None:
    await ann.ask("documents.kinds")
    await office.store.apply(Patch(Person.collection.name, "ann", {"oa_user_id": "9"}))
    await office.directory.load(office.store)
    await ann.ask("documents.kinds")
    assert oa.asked_kinds == 2
    await office.store.apply(Patch(Person.collection.name, "ann", {"oa_user_id": "10"}))
    await office.directory.load(office.store)
    oa.is_down = True
    with pytest.raises(Refusal, match="oa_away"):
        await ann.ask("documents.kinds")
