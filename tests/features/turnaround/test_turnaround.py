"""How long documents waited: what is shown is what a recount gives, and to whom it may be shown."""

import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.acting.endings import Ending
from server.auth import Role
from server.clock import Millis
from server.days import HospitalDays
from server.features import turnaround
from server.features.turnaround.closing import GRACE_MS, KEPT_MS, PORTION, Days
from server.features.turnaround.counting import Group, kept_minutes
from server.features.turnaround.documents import DayCut
from server.features.turnaround.seeding import LIVE_DAYS, PAST_DAYS, seed
from server.integrations.oa import OA
from server.integrations.oa.mirror import Seen, Worklist
from server.storage import Insert
from server.storage.document import to_doc
from tests.features.office import Office, Refusal, open_office
from tests.integrations.oa.fake_oa import item

DAY_MS = 86_400_000
ZONE = HospitalDays("Asia/Shanghai")


class Mirror:
    """What the OA was last seen to hold for each person."""

    def __init__(self) -> None:
        self.lists: dict[str, Seen] = {}

    async def seen(self, person_id: str) -> Seen | None:
        return self.lists.get(person_id)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    services: dict[type, Any] = {Worklist: Mirror(), OA: None}
    async with open_office(tmp_path, [turnaround.feature], services) as opened:
        opened.roles["ann"] = frozenset({Role.STAFF, Role.LEADER})
        yield opened


def made(office: Office, number: int, chance: random.Random, ago_days: float) -> Ending:
    ended = Millis(int(office.clock.now() - ago_days * DAY_MS))
    minutes = int(chance.lognormvariate(5, 1.5))
    return Ending(
        id=f"e{number:05d}",
        person_id="bob",
        request_id=str(number),
        kind=chance.choice(["请假申请", "合同会签", ""]),
        department_id=chance.choice(["ward", "gone"]),
        arrived_at=Millis(ended - minutes * 60_000),
        ended_at=ended,
        day=ZONE.day(ended),
        order=f"e{number:05d}",
        how=chance.choice(["page", "card", "elsewhere", "elsewhere"]),
    )


async def keep(office: Office, endings: Sequence[Ending]) -> None:
    for start in range(0, len(endings), 500):
        docs = (to_doc(ending) for ending in endings[start : start + 500])
        await office.store.apply(*(Insert(Ending.collection.name, doc) for doc in docs))


async def a_month(office: Office, count: int = 1_500) -> list[Ending]:
    chance = random.Random(3)
    endings = [made(office, n, chance, chance.uniform(0, 30)) for n in range(count)]
    await keep(office, endings)
    return endings


def recounted(endings: Sequence[Ending]) -> dict[str, Any]:
    took = sorted(kept_minutes(ending.minutes) for ending in endings)
    rank = [-(-len(took) * percent // 100) - 1 for percent in (50, 90)]
    within = [sum(t <= limit for t in took) / len(took) for limit in (10, 60, 1_440)]
    return {
        "n": len(took),
        "here": sum(ending.how != "elsewhere" for ending in endings),
        "median": took[rank[0]],
        "p90": took[rank[1]],
        "within_10_minutes": within[0],
        "within_hour": within[1],
        "within_day": within[2],
    }


async def show(office: Office, ago_days: int = 29, **fields: Any) -> dict[str, Any]:
    today = ZONE.day(office.clock.now())
    first = ZONE.day(office.clock.now() - ago_days * DAY_MS)
    asked = {"from_day": first, "to_day": today, **fields}
    return await office.ask("ann", "turnaround.processes", asked)


@pytest.mark.parametrize("closes", [False, True])
async def test_what_is_shown_is_what_a_recount_gives(office: Office, closes: bool) -> None:
    endings = await a_month(office)
    if closes:
        assert await office.services[Days].close_old() > 25
        assert await office.services[Days].close_old() == 0
    shown = await show(office, 13)
    of_range = [e for e in endings if e.day >= shown["from_day"]]
    assert shown["total"] == recounted(of_range)
    for row in shown["processes"]:
        assert row == {
            "id": row["id"],
            "name": row["id"],
            **recounted([e for e in of_range if e.kind == row["id"]]),
        }
    departments = {row["id"]: row for row in shown["departments"]}
    assert departments["ward"]["name"] == "产科" or departments["ward"]["name"]
    assert departments["ward"]["n"] == sum(e.department_id == "ward" for e in of_range)
    assert sum(week["n"] for week in shown["weeks"]) == len(endings)
    assert shown["live_day"] == min(e.day for e in endings if e.how != "elsewhere")


async def test_a_department_is_shown_by_its_own_processes(office: Office) -> None:
    endings = await a_month(office, 300)
    await office.services[Days].close_old()
    department = office.directory.departments()[0].id
    for ending in endings:
        assert ending.department_id in ("ward", "gone")
    shown = await show(office, department_id=department)
    own = [e for e in endings if e.department_id == department and e.day >= shown["from_day"]]
    assert shown["total"]["n"] == len(own)
    assert shown["departments"] == []


async def test_a_day_is_closed_only_when_nothing_can_come_any_more(office: Office) -> None:
    days = office.services[Days]
    midnight = ZONE.moment(ZONE.day(office.clock.now() + DAY_MS), 0)
    await keep(office, [made(office, 1, random.Random(1), 0)])
    office.clock.advance((midnight + GRACE_MS / 2 - office.clock.now()) / 1000)
    await days.close_old()
    assert (await days.progress()).closed < ZONE.day(midnight - 1)
    office.clock.advance(GRACE_MS / 1000)
    await days.close_old()
    assert (await days.progress()).closed == ZONE.day(midnight - 1)


async def test_a_day_of_many_records_is_counted_whole(office: Office) -> None:
    chance = random.Random(5)
    count = 2 * PORTION + 3
    await keep(office, [made(office, n, chance, 0.01) for n in range(count)])
    assert (await show(office, 1))["total"]["n"] == count


async def test_records_go_after_two_years_and_counts_stay(office: Office) -> None:
    await keep(office, [made(office, n, random.Random(1), 1) for n in range(3)])
    days = office.services[Days]
    await days.close_old()
    cuts = len(await office.store.scan(DayCut.collection.name))
    assert await days.drop_old() == 0
    office.clock.advance(KEPT_MS / 1000)
    assert await days.drop_old() == 3
    assert len(await office.store.scan(DayCut.collection.name)) == cuts > 0


async def test_nothing_at_all_is_shown_as_nothing(office: Office) -> None:
    shown = await show(office)
    assert shown["total"] == {
        "n": 0,
        "here": 0,
        "median": None,
        "p90": None,
        "within_10_minutes": 0,
        "within_hour": 0,
        "within_day": 0,
    }
    assert (shown["weeks"], shown["live_day"]) == ([], None)


@pytest.mark.parametrize("role", [Role.LEADER, Role.SYSTEM_ADMIN])
async def test_those_allowed_see_processes_and_it_is_recorded(office: Office, role: Role) -> None:
    office.roles["ann"] = frozenset({Role.STAFF, role})
    await show(office, 6)
    rows = [row for row in await office.store.scan("audit") if row["actor_id"] == "ann"]
    assert [row["action"] for row in rows] == ["turnaround.processes"]


async def test_nobody_else_does(office: Office) -> None:
    today = ZONE.day(office.clock.now())
    with pytest.raises(Refusal) as refused:
        await office.ask("bob", "turnaround.processes", {"from_day": today, "to_day": today})
    assert refused.value.code == "forbidden"


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-01-02", "2026-01-01"), ("2024-01-01", "2026-01-01"), ("2026-02-30", "2026-03-01")],
)
async def test_a_range_that_cannot_be_is_refused(office: Office, first: str, last: str) -> None:
    with pytest.raises(Refusal) as refused:
        await office.ask("ann", "turnaround.processes", {"from_day": first, "to_day": last})
    assert refused.value.code == "invalid"


async def test_days_to_come_are_not_counted_one_by_one(office: Office) -> None:
    await a_month(office, 20)
    asked = {"from_day": "2046-01-01", "to_day": "2046-12-31"}
    shown = await office.ask("ann", "turnaround.processes", asked)
    assert (shown["total"]["n"], shown["to_day"]) == (0, "2046-12-31")
    assert len(office.services[Days]._open) <= 32


async def test_a_node_that_does_not_lead_holds_no_days_that_another_has_closed(
    office: Office,
) -> None:
    await a_month(office, 20)
    led = Days(office.store, office.system, office.clock, ZONE)
    for _ in range(5):
        await show(office)
        office.clock.advance(DAY_MS / 1000)
        await led.close_old()
    await show(office)
    assert len(office.services[Days]._open) == 1


async def test_everybody_sees_his_own_list_by_age(office: Office) -> None:
    now = office.clock.now()
    ages = (0, 1, 3, 4, 7, 8, 40)
    items = tuple(item(str(n), now - n * DAY_MS) for n in ages)
    office.services[Worklist].lists["bob"] = Seen(items, len(items), now)
    mine = await office.ask("bob", "turnaround.mine", {})
    assert mine == {
        "today": 1,
        "to_3_days": 2,
        "to_7_days": 2,
        "more": 2,
        "oldest_at": now - 40 * DAY_MS,
        "as_of": now,
        "sees_all": False,
        "day": "2026-01-05",
    }
    assert (await office.ask("cai", "turnaround.mine", {}))["as_of"] is None


async def test_a_sandbox_has_weeks_before_and_after_the_first_day(office: Office) -> None:
    await seed(office.store, office.clock, office.directory, office.settings)
    before = await office.store.scan(DayCut.collection.name, limit=5_000)
    await seed(office.store, office.clock, office.directory, office.settings)
    assert before == await office.store.scan(DayCut.collection.name, limit=5_000)
    shown = await show(office, PAST_DAYS)
    assert shown["live_day"] == ZONE.day(office.clock.now() - LIVE_DAYS * DAY_MS)
    weeks = shown["weeks"]
    assert weeks[-2]["median"] < weeks[0]["median"] / 3


@given(st.lists(st.integers(0, 200_000), max_size=60), st.sampled_from([1, 50, 90, 100]))
def test_a_percentile_is_one_of_the_records_within_half_a_percent(
    took: list[int], percent: int
) -> None:
    group = Group()
    group.minutes.update(map(kept_minutes, took))
    found = group.percentile(percent)
    if not took:
        assert found is None
        return
    exact = sorted(took)[-(-len(took) * percent // 100) - 1]
    assert found is not None
    assert found <= exact <= found * 1.01
    if exact < 1_000:
        assert found == exact
