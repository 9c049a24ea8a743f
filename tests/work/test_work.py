"""The unit of work beside commands: values told together, and work that is done again after a race."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import pytest

from realtime.channel import person_channel
from realtime.protocol import Event
from realtime.publisher import Publication
from server.feature import Feature
from server.storage import Collection, Conflict
from server.storage.document import Document
from server.work import UnitOfWork
from tests.features.office import Office, open_office


class Measured(Event, frozen=True):
    wire_name: ClassVar[str] = "test.measured"
    values: dict[str, int]


class Tally(Document, frozen=True):
    collection: ClassVar[Collection] = Collection("tallies")

    count: int = 0


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    feature = Feature("test", events=[Measured], documents=[Tally])
    async with open_office(tmp_path, [feature]) as opened:
        yield opened


async def measure(office: Office, **values: int) -> None:
    async def change(work: UnitOfWork) -> None:
        for key, value in values.items():
            event = Measured(values={key: value})
            work.append(person_channel("ann"), event, key=key, partial=True)

    await office.system.do(change)


async def test_partial_values_are_told_together_and_kept_one_by_one(office: Office) -> None:
    ann = await office.client("ann")

    await measure(office, a=1, b=2)
    await measure(office, b=3)

    assert [(e["values"], e["position"]) for e in ann.told("test.measured")] == [
        ({"a": 1, "b": 2}, 2),
        ({"b": 3}, 3),
    ]
    tail = (await ann.ask("stream.catch_up", positions={"person:ann": 0}))["channels"]["person:ann"]
    assert [event["data"]["values"] for event in tail["events"]] == [{"a": 1}, {"b": 3}]


async def test_work_of_the_server_is_done_again_when_it_lost_a_race(office: Office) -> None:
    rivals = 3

    async def change(work: UnitOfWork) -> int:
        nonlocal rivals
        tally = await work.get(Tally, "t") or Tally(id="t")
        if rivals:
            rivals -= 1
            rival = UnitOfWork(office.store, work.actor, work.now)
            rival.put(Tally(id="t", count=((await rival.get(Tally, "t")) or tally).count + 1))
            await rival.commit(office.hub)
        work.put(Tally(id="t", count=tally.count + 10))
        return tally.count

    assert await office.system.do(change) == 3
    assert (await office.store.get("tallies", "t") or {})["count"] == 13


@pytest.mark.parametrize("before", [0, 1], ids=["absent", "there"])
async def test_what_was_decided_upon_the_first_reading_is_not_written_over_a_later_one(
    office: Office, before: int
) -> None:
    granted = 0
    if before:
        await office.system.do(lambda work: _put(work, Tally(id="t")))

    async def take_the_only_one(work: UnitOfWork) -> bool:
        tally = await work.get(Tally, "t")
        if tally is not None and tally.count:
            return False
        nonlocal granted
        granted += 1
        if granted == 1:
            assert await office.system.do(take_the_only_one)
        again = await work.get(Tally, "t") or Tally(id="t")
        work.put(Tally(id="t", count=again.count + 1))
        return True

    assert await office.system.do(take_the_only_one) is False
    assert (await office.store.get("tallies", "t") or {})["count"] == 1


async def _put(work: UnitOfWork, tally: Tally) -> None:
    work.put(tally)


async def test_work_that_always_loses_says_so(office: Office) -> None:
    async def change(work: UnitOfWork) -> None:
        work.put(Tally(id="t", count=1))

    await office.system.do(change)
    with pytest.raises(Conflict):
        await office.system.do(change)


async def test_values_told_together_say_how_many_positions_they_cover(office: Office) -> None:
    heard: list[Publication] = []
    office.hub.publish = heard.extend  # type: ignore[method-assign]

    await measure(office, a=1, b=2, c=3)
    await measure(office, a=4)

    assert [(told.position, told.covers) for told in heard] == [(3, 3), (4, 1)]
