"""The read rate of circulated documents: what the nightly tour finds, what counts at once, who may see it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.acting.copies import Copies, Copy, copy_id, read_here
from server.auth import Role
from server.clock import Millis
from server.days import HospitalDays
from server.features import turnaround
from server.features.turnaround.documents import TOUR, CopyTour
from server.features.turnaround.tallying import FRESH_S, PORTION
from server.features.turnaround.touring import (
    CALL_S,
    HURRIED_SHARE,
    KEPT_MS,
    TRIES,
    WAIT_S,
    Tour,
)
from server.integrations.oa import OA, Lane, NotUnderstood, Unreachable
from server.integrations.oa.breaker import Breaker
from server.integrations.oa.budget import Budget
from server.integrations.oa.mirror import Worklist
from server.storage import Insert, Patch, Put
from server.storage.document import from_doc, to_doc
from tests.clocks import ManualClock
from tests.features.office import Office, Refusal, open_office
from tests.integrations.oa.fake_oa import FakeOA, item

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ZONE = HospitalDays("Asia/Shanghai")
USERS = {"ann": "1", "bob": "2", "cai": "3"}
NOTHING = {
    "copies": 0,
    "read": 0,
    "day_copies": 0,
    "day_read": 0,
    "three_days_copies": 0,
    "three_days_read": 0,
}


class House:
    """An office whose leading node tours, and the OA it asks."""

    def __init__(self, office: Office, oa: FakeOA) -> None:
        self.office, self.oa = office, oa
        self.tour: Tour = office.services[Tour]

    @property
    def now(self) -> int:
        return self.office.clock.now()

    def send(self, person: str, request_id: str, hours_ago: float = 0.0) -> None:
        row = item(request_id, round(self.now - hours_ago * HOUR_MS))
        self.oa.lists.setdefault((USERS[person], "read"), []).insert(0, row)

    def until(self, hour: int) -> None:
        """Let time go by to the next such hour of the hospital's."""
        at = ZONE.moment(ZONE.day(self.now), hour)
        self.office.clock.advance((at - self.now + (DAY_MS if at <= self.now else 0)) / 1000)

    async def steps(self, count: int) -> list[float]:
        return [await self.tour.step() for _ in range(count)]

    async def night(self) -> None:
        """A whole tour: everybody, and the end of it."""
        self.until(2)
        await self.steps(len(USERS) + 1)

    async def copy(self, person: str, request_id: str) -> Copy | None:
        doc = await self.office.store.get(Copy.collection.name, copy_id(person, request_id))
        return None if doc is None else from_doc(Copy, doc)

    async def known(self) -> dict[str, bool]:
        docs = await self.office.store.scan(Copy.collection.name)
        return {doc["_id"]: doc.get("read_at") is not None for doc in docs}

    async def show(self, days: int = 29, **fields: Any) -> dict[str, Any]:
        self.office.clock.advance(FRESH_S + 1)
        first, last = ZONE.day(self.now - days * DAY_MS), ZONE.day(self.now)
        asked = {"from_day": first, "to_day": last, **fields}
        return await self.office.ask("ann", "turnaround.reading", asked)

    async def read_here(self, person: str, *request_ids: str) -> None:
        await self.office.system.do(lambda work: read_here(work, person, request_ids))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = ManualClock()
    oa = FakeOA(clock, Budget(1_000, clock, burst=100_000), Breaker(clock, threshold=1_000))
    services: dict[type, Any] = {Worklist: None, OA: oa}
    async with open_office(tmp_path, [turnaround.feature], services) as office:
        office.roles["ann"] = frozenset({Role.STAFF, Role.LEADER})
        for person, user in USERS.items():
            await office.store.apply(Patch("people", person, {"oa_user_id": user}))
        await office.directory.load(office.store)
        yield House(office, oa)


async def test_a_tour_begins_at_two_and_asks_at_most_once_a_second(house: House) -> None:
    house.send("ann", "7")
    house.until(1)
    assert (await house.steps(2), house.oa.calls) == ([WAIT_S, WAIT_S], [])
    house.until(2)
    waits = await house.steps(3)
    assert [what for _, what, _ in house.oa.calls] == ["list read", "new", *["list read"] * 2]
    assert waits == [3 * CALL_S, CALL_S, CALL_S]
    assert await house.steps(2) == [WAIT_S, WAIT_S]
    assert len(house.oa.calls) == 4


async def test_what_is_not_done_by_morning_goes_on_the_next_night(house: House) -> None:
    house.until(2)
    await house.steps(1)
    house.until(6)
    assert await house.steps(2) == [WAIT_S, WAIT_S]
    assert (await house.tour.place()).as_of is None
    house.until(2)
    await house.steps(2)
    assert [user for _, _, user in house.oa.calls] == ["1", "2", "3"]
    began = (await house.tour.place()).started_at
    await house.steps(1)
    assert (await house.tour.place()).as_of == began < house.now - 20 * HOUR_MS


async def test_read_is_what_the_oa_says_and_when_it_was_first_known(house: House) -> None:
    house.send("bob", "7", 3)
    house.send("bob", "8", 3)
    house.send("bob", "old", 24 * 40)
    house.oa.was_read.add(("2", "7"))
    await house.night()
    assert await house.known() == {"bob:7": True, "bob:8": False}
    assert (seven := await house.copy("bob", "7"))
    assert (seven.read_at, seven.department_id) == (house.now, "ward")
    house.oa.was_read.add(("2", "8"))
    await house.night()
    assert await house.known() == {"bob:7": True, "bob:8": True}
    assert await house.copy("bob", "7") == seven


async def test_a_copy_that_left_the_list_is_still_asked_about(house: House) -> None:
    house.send("bob", "7")
    await house.night()
    house.oa.lists.clear()
    house.oa.was_read.add(("2", "7"))
    await house.night()
    assert await house.known() == {"bob:7": True}


async def test_an_empty_answer_makes_nothing_read(house: House) -> None:
    house.send("bob", "7")
    await house.night()
    house.oa.swallows = True
    await house.night()
    assert await house.known() == {"bob:7": False}


async def test_pages_are_read_as_far_as_a_month_goes(house: House) -> None:
    for number in range(70):
        house.send("bob", str(number), 24 * (70 - number))
    await house.night()
    assert [what for _, what, user in house.oa.calls if user == "2"] == ["list read"] * 2 + ["new"]
    assert len(await house.known()) == 29  # with the hours until the night


async def test_reading_here_counts_at_once(house: House) -> None:
    house.send("bob", "7")
    house.send("bob", "8")
    await house.night()
    assert (await house.show())["total"]["read"] == 0
    await house.read_here("bob", "7", "unknown")
    await house.read_here("cai", "8")
    assert await house.known() == {"bob:7": True, "bob:8": False}
    assert (await house.show())["total"] == NOTHING | {"copies": 2, "read": 1}


async def test_a_copy_listed_and_read_here_counts_though_no_tour_has_seen_it(house: House) -> None:
    copies = Copies(house.office.settings, house.office.directory)
    rows = [item("7", house.now), item("8", house.now - 40 * DAY_MS)]
    for _ in range(2):
        await house.office.system.do(lambda work: copies.noted(work, "bob", rows))
    await house.read_here("bob", "7", "8")
    await house.night()
    assert await house.known() == {"bob:7": True}


async def test_an_oa_that_is_away_is_waited_for(house: House) -> None:
    house.until(2)
    house.oa.failure = Unreachable("away", never_arrived=True)
    assert await house.steps(TRIES + 2) == [WAIT_S] * (TRIES + 2)
    assert (await house.tour.place()).after == ""
    house.oa.failure = None
    await house.steps(4)
    shown = await house.show()
    assert (shown["missed"], shown["as_of"]) == (0, house.now - round((FRESH_S + 1) * 1000))


@pytest.mark.parametrize("failure", [NotUnderstood("nonsense"), Unreachable("too slow")])
async def test_somebody_whose_answer_fails_is_passed_over_and_said(
    house: House, failure: Exception
) -> None:
    house.send("bob", "7")
    house.oa.failing["2"] = failure  # type: ignore[assignment]
    house.until(2)
    await house.steps(1)
    while (await house.tour.place()).under_way:
        await house.steps(1)
    assert (await house.show())["missed"] == 1
    assert await house.known() == {}


async def test_shares_within_days_are_of_what_was_followed_from_its_arrival(house: House) -> None:
    house.send("bob", "before", 48)
    await house.night()
    house.until(9)
    for request_id in ("quick", "slow", "never"):
        house.send("bob", request_id)
    house.oa.was_read.add(("2", "quick"))
    await house.night()
    assert (await house.show())["total"] == NOTHING | {"copies": 4, "read": 1}
    house.oa.was_read.add(("2", "slow"))
    await house.night()
    await house.night()
    await house.night()
    total = (await house.show())["total"]
    assert total == {
        "copies": 4,
        "read": 2,
        "day_copies": 3,
        "day_read": 1,
        "three_days_copies": 3,
        "three_days_read": 2,
    }


async def test_what_is_shown_is_what_a_recount_gives(house: House) -> None:
    docs = []
    for number in range(PORTION + 50):
        at = Millis(house.now - (number % 3) * DAY_MS)
        id = f"p:{number:05d}"
        docs.append(
            Copy(
                id=id,
                person_id="p",
                request_id=str(number),
                kind=("通知", "纪要")[number % 2],
                department_id=("ward", "gone")[number % 5 == 0],
                received_at=at,
                day=ZONE.day(at),
                order=id,
                read_at=at if number % 4 else None,
            )
        )
    for begin in range(0, len(docs), 500):
        part = docs[begin : begin + 500]
        await house.office.store.apply(*(Insert(Copy.collection.name, to_doc(d)) for d in part))
    shown = await house.show()
    read = sum(doc.read_at is not None for doc in docs)
    assert shown["total"] == NOTHING | {"copies": len(docs), "read": read}
    for rows in (shown["processes"], shown["departments"], shown["weeks"]):
        assert sum(row["copies"] for row in rows) == len(docs)
        assert sum(row["read"] for row in rows) == read
    notices = next(row for row in shown["processes"] if row["name"] == "通知")
    assert notices["copies"] == sum(doc.kind == "通知" for doc in docs)
    ward = await house.show(department_id="ward")
    assert ward["departments"] == []
    assert ward["total"]["copies"] == sum(doc.department_id == "ward" for doc in docs)


async def test_records_go_after_ninety_days(house: House) -> None:
    house.send("bob", "7")
    await house.night()
    assert await house.tour.drop_old() == 0
    house.office.clock.advance(KEPT_MS / 1000)
    assert await house.tour.drop_old() == 1
    assert await house.known() == {}


async def test_a_sandboxs_first_tour_waits_for_no_night(house: House) -> None:
    first = to_doc(CopyTour(id=TOUR, hurries=True))
    await house.office.store.apply(Put(CopyTour.collection.name, first, None))
    house.send("bob", "7")
    house.until(12)
    assert max(await house.steps(3)) < CALL_S
    await house.steps(2)
    shown = await house.show()
    assert (shown["total"]["copies"], shown["as_of"]) == (1, shown["known_since"])
    assert len(house.oa.calls) == 4


async def test_a_tour_that_hurries_takes_a_third_of_the_calls_and_waits_behind_no_first_reading(
    house: House,
) -> None:
    first = to_doc(CopyTour(id=TOUR, hurries=True))
    await house.office.store.apply(Put(CopyTour.collection.name, first, None))
    house.send("ann", "7")
    calls_s = house.office.settings.oa_calls_per_second * HURRIED_SHARE
    assert await house.steps(1) == [pytest.approx(3 / calls_s)]
    assert set(house.oa.lanes) == {Lane.VISIBLE}


async def test_how_far_a_tour_is_can_be_seen_while_it_goes_on(house: House) -> None:
    assert (await house.show())["under_way"] is None
    house.until(2)
    await house.steps(2)
    shown = await house.show()
    assert shown["under_way"] == {"looked_at": 2, "people": 3, "at": house.now}
    await house.steps(2)
    assert (await house.show())["under_way"] is None


async def test_before_the_first_tour_nothing_is_claimed(house: House) -> None:
    shown = await house.show()
    assert (shown["total"], shown["known_since"], shown["as_of"]) == (NOTHING, None, None)


async def test_only_those_allowed_see_it_and_it_is_recorded(house: House) -> None:
    today = ZONE.day(house.now)
    with pytest.raises(Refusal) as refused:
        await house.office.ask("bob", "turnaround.reading", {"from_day": today, "to_day": today})
    assert refused.value.code == "forbidden"
    await house.show()
    rows = [row for row in await house.office.store.scan("audit") if row["actor_id"] == "ann"]
    assert [row["action"] for row in rows] == ["turnaround.reading"]


@pytest.mark.parametrize("fields", [{"from_day": "2030-01-01"}, {"department_id": "none"}])
async def test_what_cannot_be_is_refused(house: House, fields: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        await house.show(**fields)
    assert refused.value.code in ("invalid", "not_found")
