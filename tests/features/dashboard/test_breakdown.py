"""What a range says beyond its sums: types of each department, and inpatients of each hour of one day."""

from typing import Any

from tests.features.dashboard.board import DAY_MS, Board

HOUR_MS = 3_600_000
TODAY = "2026-01-05"
YESTERDAY = "2026-01-04"


async def look(board: Board, first: str, last: str, **fields: Any) -> dict[str, Any]:
    days = {"from_day": first, "to_day": last}
    return await board.office.ask("bob", "dashboard.range", days | fields)


async def test_types_of_a_department_add_up_to_its_sums(board: Board) -> None:
    await board.send(
        board.event("a", "registered", type="general", count=3),
        board.event("b", "registered", type="expert"),
        board.event("c", "seen", type="expert"),
        board.event("d", "registered", type="expert", at=board.now - DAY_MS),
    )

    [row] = (await look(board, YESTERDAY, TODAY))["departments"]
    [narrowed] = (await look(board, YESTERDAY, TODAY, type="general"))["departments"]

    assert row["by_type"] == {"registered": {"general": 3, "expert": 2}, "seen": {"expert": 1}}
    assert (row["registered"], row["seen"]) == (5, 1)
    assert narrowed["by_type"] == {"registered": {"general": 3}}


async def test_inpatients_of_an_hour_are_the_last_readings_known_by_its_end(board: Board) -> None:
    midnight = board.now - board.now % DAY_MS - 8 * HOUR_MS
    readings = (("ward", -30, 20), ("ward", 9, 24), ("ward", 9, 25), ("surgery", 11, 10))
    for place, (department, hour, value) in enumerate(readings):
        at = midnight - DAY_MS + hour * HOUR_MS + place
        event = board.event(f"r{place}", "inpatients", value=value, department_id=department, at=at)
        await board.send(event)

    hours = (await look(board, YESTERDAY, YESTERDAY))["hours"]["inpatients"]
    both = (await look(board, YESTERDAY, TODAY))["hours"]["inpatients"]

    assert (hours[0], hours[8], hours[9], hours[10], hours[11], hours[23]) == (
        20,
        20,
        25,
        25,
        35,
        35,
    )
    assert both == [None] * 24
