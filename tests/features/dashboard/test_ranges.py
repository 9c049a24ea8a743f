"""Who may look at which figures, and whether sums over days are what a recount gives."""

import random
from collections import Counter
from typing import Any

import pytest

from server.audit import AuditRow
from server.directory import Department
from server.features.dashboard.documents import DaySums
from server.features.dashboard.plausible import BUSYNESS
from server.features.dashboard.seeding import PAST_DAYS, seed
from server.storage.document import from_doc
from tests.features.dashboard.board import DAY_MS, Board, Event
from tests.features.dashboard.recount import recount
from tests.features.office import Refusal

WEEK = {"from_day": "2025-12-30", "to_day": "2026-01-05"}


async def look(board: Board, person: str, **fields: Any) -> dict[str, Any]:
    return await board.office.ask(person, "dashboard.range", WEEK | fields)


async def refused(board: Board, person: str, name: str, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as raised:
        await board.office.ask(person, name, fields)
    return raised.value


async def busy_days(board: Board) -> list[Event]:
    """Some thousand things on nine days, also corrections and cancellations."""
    chance = random.Random(7)
    events = []
    for n in range(600):
        kind = chance.choice(["registered", "called", "seen", "operations", "inpatients"])
        event = board.event(
            f"e{n}",
            kind,
            at=board.now - chance.randrange(9 * DAY_MS),
            department_id=chance.choice(["ward", "surgery", "cardiology"]),
        )
        if "type" in event:
            event["type"] = chance.choice(["general", "expert", "online"])
        if kind == "inpatients":
            event["value"] = chance.randrange(60)
        if n > 300 and chance.random() < 0.2:
            event[chance.choice(["cancels", "corrects"])] = f"e{chance.randrange(300)}"
        events.append(event)
    for start in range(0, len(events), 100):
        await board.send(*events[start : start + 100])
    return events


@pytest.mark.parametrize("type", [None, "expert"])
async def test_a_range_is_what_a_recount_gives(board: Board, type: str | None) -> None:
    events = await busy_days(board)
    shown = await look(board, "bob", **({"type": type} if type else {}))

    by_day: Counter[tuple[str, str]] = Counter()
    by_department: Counter[tuple[str, str]] = Counter()
    by_hour: Counter[tuple[int, str]] = Counter()
    for (day, department, key, hour), count in recount(events)[0].items():
        metric, _, of_type = key.partition(":")
        if WEEK["from_day"] <= day <= WEEK["to_day"] and (not of_type or type in (None, of_type)):
            by_day[day, metric] += count
            by_department[department, metric] += count
            by_hour[hour, metric] += count
    metrics = ("registered", "called", "seen", "operations")
    assert {(d["day"], m): d[m] for d in shown["days"] for m in metrics if d[m]} == by_day
    assert {
        (d["department_id"], m): d[m] for d in shown["departments"] for m in metrics if d[m]
    } == by_department
    assert {
        (hour, m): n for m in metrics for hour, n in enumerate(shown["hours"][m]) if n
    } == by_hour
    assert len(shown["days"]) == 7
    assert shown["as_of"] == board.now


async def test_inpatients_are_the_last_reading_of_seven_days(board: Board) -> None:
    for ago, department, value in ((9, "ward", 40), (6, "ward", 30), (2, "surgery", 10)):
        event = board.event(
            f"{department}{ago}",
            "inpatients",
            value=value,
            department_id=department,
            at=board.now - ago * DAY_MS,
        )
        await board.send(event)
    await board.send(board.event("a"))

    days = (await look(board, "bob"))["days"]
    [last] = (await look(board, "bob", from_day="2026-01-05"))["days"]
    later = {d["day"]: d["inpatients"] for d in days}

    assert later == {"2025-12-30": 30, "2026-01-03": 40, "2026-01-05": 40}
    assert last == days[-1]


async def test_everybody_sees_what_is_theirs_and_nothing_else(board: Board) -> None:
    await board.send(
        board.event("a"),
        board.event("b", department_id="cardiology"),
        board.event("c", department_id="surgery"),
    )
    scopes = {
        person: [
            (scope["channel"], scope["department_id"])
            for scope in (await board.office.ask(person, "dashboard.scopes", {}))["channels"]
        ]
        for person in ("ann", "bob", "cai", "dan", "eve")
    }

    assert scopes["ann"] == [("dashboard:ward", "ward")]
    assert scopes["bob"] == [
        ("dashboard:hospital", None),
        ("dashboard:ward", "ward"),
        ("dashboard:cardiology", "cardiology"),
        ("dashboard:surgery", "surgery"),
    ]
    assert scopes["cai"] == [("dashboard:cardiology", "cardiology")]
    assert scopes["dan"] == scopes["eve"] == []
    assert [d["department_id"] for d in (await look(board, "cai"))["departments"]] == ["cardiology"]
    assert len((await look(board, "bob"))["departments"]) == 3


async def test_scopes_say_which_day_it_is_in_the_hospital(board: Board) -> None:
    shown = await board.office.ask("ann", "dashboard.scopes", {})

    assert (shown["zone"], shown["today"]) == ("Asia/Shanghai", "2026-01-05")
    assert shown["types"] == ["general", "expert", "special", "emergency", "online"]


@pytest.mark.parametrize(
    ("person", "channel"),
    [
        ("ann", "dashboard:hospital"),
        ("ann", "dashboard:cardiology"),
        ("ann", "dashboard:moon"),
        ("dan", "dashboard:ward"),
        ("eve", "dashboard:hospital"),  # she works in a department of that id
        ("bob", "dashboard:moon"),
        ("bob", "dashboard:source"),
        ("ann", "dashboard:"),
    ],
)
async def test_a_foreign_channel_is_not_there(board: Board, person: str, channel: str) -> None:
    refusal = await refused(board, person, "stream.watch", channel=channel)

    assert refusal.code == "not_found"


async def test_a_foreign_department_is_not_there(board: Board) -> None:
    answers = {
        str(await refused(board, person, "dashboard.range", **WEEK, department_id=department))
        for person, department in (("ann", "cardiology"), ("ann", "moon"), ("bob", "moon"))
    }

    assert len(answers) == 1
    assert answers.pop().startswith("not_found")


async def test_without_a_post_there_is_nothing_to_look_at(board: Board) -> None:
    assert (await refused(board, "dan", "dashboard.range", **WEEK)).code == "forbidden"


@pytest.mark.parametrize(
    "fields",
    [
        {"from_day": "2026-01-05", "to_day": "2026-01-04"},
        {"from_day": "2024-12-01", "to_day": "2026-01-05"},
        {"from_day": "2026-02-30", "to_day": "2026-03-01"},
        {"from_day": "yesterday", "to_day": "2026-03-01"},
        {"from_day": "0001-01-01", "to_day": "0001-01-02"},
        {**WEEK, "type": "cheap"},
        {**WEEK, "department_id": ""},
        {**WEEK, "department_id": "x" * 65},
    ],
)
async def test_what_is_no_range_is_refused(board: Board, fields: dict[str, str]) -> None:
    assert (await refused(board, "bob", "dashboard.range", **fields)).code == "invalid"


async def test_the_longest_range_is_four_hundred_days(board: Board) -> None:
    shown = await look(board, "bob", from_day="2024-12-02")

    assert shown["days"] == []


async def test_looking_is_recorded_with_who_and_which_days(board: Board) -> None:
    await look(board, "bob")
    await look(board, "cai", department_id="cardiology")
    await look(board, "ann")

    rows = [
        from_doc(AuditRow, doc) for doc in await board.office.store.scan(AuditRow.collection.name)
    ]
    assert sorted((row.actor_id, row.action, row.subject) for row in rows) == [
        ("ann", "dashboard.range", "own"),
        ("bob", "dashboard.range", "hospital"),
        ("cai", "dashboard.range", "cardiology"),
    ]
    assert all(row.detail == WEEK for row in rows)


async def test_a_sandbox_gets_sixty_past_days_once(board: Board) -> None:
    office = board.office
    office.directory.refresh(
        departments=[Department(id=id, name=id) for id in ("cardiology", "emergency", "icu")]
    )
    for _ in range(2):
        await seed(office.store, office.clock, office.directory, office.settings)

    kept = [from_doc(DaySums, doc) for doc in await board.sums()]
    totals: Counter[str] = Counter()
    for sums in kept:
        for key, hours in sums.counts.items():
            assert len(hours) == 24
            assert min(hours) >= 0
            totals[key.partition(":")[0]] += sum(hours)
    assert len(kept) == PAST_DAYS * 3
    assert {sums.department_id for sums in kept} <= set(BUSYNESS)
    assert max(sums.day for sums in kept) == "2026-01-04"
    assert 0 < totals["seen"] < totals["called"] < totals["registered"]
