"""What the webhook says: who is read first, what it costs, and when it is relied on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.integrations.oa.pace import FLOOR_S, RARELY_S
from server.integrations.oa.trust import GRACE_S, HEARD_S, MISTRUST_S, PROOFS
from tests.integrations.oa.fake_oa import DOWN, Hospital

PEOPLE = 40


@pytest.fixture
async def hospital() -> AsyncIterator[Hospital]:
    """Forty people with a document each and a page on screen; everybody has been read."""
    place = Hospital(people=PEOPLE)
    for number in range(1, PEOPLE + 1):
        place.waits(f"p{number}", f"{number}00")
        place.worklist.visible(f"p{number}", True)
    await place.passes(4)
    place.oa.calls.clear()
    yield place
    await place.worklist.close()


async def prove(hospital: Hospital, times: int = PROOFS) -> None:
    """Documents come, and the webhook tells of them at once."""
    for number in range(1, times + 1):
        arrives(hospital, f"p{number}")
        hospital.worklist.hint([f"p{number}"])
        await hospital.passes(0.3)


def arrives(hospital: Hospital, person_id: str) -> None:
    rows = [row.request_id for row in hospital.oa.lists[hospital.mapping[person_id], "pending"]]
    hospital.waits(person_id, str(int(rows[0]) + 1), *rows)


def calls_in_a_minute(hospital: Hospital) -> int:
    since = hospital.clock.monotonic() - 60
    return sum(at >= since for at, *_ in hospital.oa.calls)


async def test_a_webhook_that_tells_the_truth_makes_reading_rare(hospital: Hospital) -> None:
    await hospital.passes(60, 0.5)
    before = calls_in_a_minute(hospital)
    await prove(hospital)
    assert hospital.worklist.health().relies_on_hints
    await hospital.passes(60, 0.5)
    hospital.worklist.hint([])
    await hospital.passes(60, 0.5)
    assert calls_in_a_minute(hospital) <= PEOPLE * 2 < before / 10


async def test_everybody_is_still_read_at_the_floor(hospital: Hospital) -> None:
    hospital.budget.reduce_to(0.001)  # one call a second: the floor is what holds
    await prove(hospital)
    for _ in range(int(FLOOR_S * 1.2 / 100)):
        hospital.worklist.hint([])
        await hospital.passes(100, 1.0)
    since = hospital.clock.monotonic() - FLOOR_S * 1.2
    read = {user for at, _, user in hospital.oa.calls if at >= since}
    assert len(read) == PEOPLE


async def test_when_it_falls_silent_the_old_pace_comes_back(hospital: Hospital) -> None:
    await prove(hospital)
    await hospital.passes(HEARD_S + 2, 1.0)
    assert not hospital.worklist.health().relies_on_hints
    arrives(hospital, "p9")
    await hospital.passes(3.2)
    assert hospital.sink.told[-1] == ("p9", ["901"], [], False)


async def test_a_change_it_did_not_tell_ends_the_trust(hospital: Hospital) -> None:
    await prove(hospital)
    arrives(hospital, "p9")
    await hospital.passes(RARELY_S + GRACE_S + 12, 0.5)
    health = hospital.worklist.health()
    assert (health.relies_on_hints, health.changes_not_hinted) == (False, 1)
    await prove(hospital)
    assert not hospital.worklist.health().relies_on_hints, "not at once"
    await hospital.passes(MISTRUST_S, 1.0)
    await prove(hospital)
    assert hospital.worklist.health().relies_on_hints


async def test_a_change_that_was_found_before_it_was_told_is_no_lie(hospital: Hospital) -> None:
    for number in range(1, PROOFS + 1):
        arrives(hospital, f"p{number}")
        await hospital.passes(4, 0.5)
        hospital.worklist.hint([f"p{number}"])
    await hospital.passes(1)
    health = hospital.worklist.health()
    assert (health.relies_on_hints, health.changes_not_hinted) == (True, 0)


async def test_a_hint_that_came_too_early_is_looked_after_once_more(hospital: Hospital) -> None:
    await prove(hospital)
    hospital.worklist.hint(["p9"])
    await hospital.passes(1)
    arrives(hospital, "p9")
    await hospital.passes(3)
    assert hospital.sink.told[-1] == ("p9", ["901"], [], False)


async def test_the_last_document_gone_is_believed_within_seconds_also_while_reading_is_rare(
    hospital: Hospital,
) -> None:
    await prove(hospital)
    hospital.waits("p9")
    hospital.waits("p9", "900", state="done")
    hospital.worklist.hint(["p9"])
    await hospital.passes(5)
    assert hospital.sink.told[-1] == ("p9", [], ["900"], False)


async def test_a_hint_during_an_outage_is_followed_after_it(hospital: Hospital) -> None:
    await prove(hospital)
    hospital.oa.failure = DOWN
    arrives(hospital, "p9")
    hospital.worklist.hint(["p9"])
    await hospital.passes(30)
    hospital.oa.failure = None
    await hospital.passes(10)
    assert hospital.sink.told[-1] == ("p9", ["901"], [], False)


async def test_a_flood_of_hints_stays_within_the_budget_newest_and_visible_first() -> None:
    people, rate = 1_000, 5
    hospital = Hospital(people=people)
    for number in range(1, people + 1):
        hospital.waits(f"p{number}", f"{number}000")
    hospital.worklist.visible("p1", True)
    hospital.worklist.visible("p500", True)
    await hospital.passes(15, 0.5)
    hospital.budget.reduce_to(rate / 1_000)
    hospital.oa.calls.clear()
    for number in range(1, people + 1):
        hospital.worklist.hint([f"p{number}"])
    await hospital.passes(30)
    hints = [user for _, what, user in hospital.oa.calls if what == "list pending"]
    assert len(hospital.oa.calls) <= 30 * rate + rate
    assert set(hints[:2]) == {"1", "500"}
    assert hints[2:6] == ["1000", "999", "998", "997"]
    for _ in range(5_000):
        hospital.worklist.hint(["p7", "p8"])
    assert hospital.worklist.health().hints_waiting <= people
    await hospital.worklist.close()


async def test_pages_on_screen_are_read_beside_a_flood_that_does_not_end() -> None:
    hospital = Hospital(people=200)
    for number in range(1, 201):
        hospital.waits(f"p{number}", f"{number}000")
    hospital.worklist.visible("p1", True)
    await hospital.passes(10, 0.5)
    hospital.budget.reduce_to(0.005)
    for number in range(2, 201):
        hospital.worklist.visible(f"p{number}", True)
    for _ in range(60):
        hospital.worklist.hint([f"p{number}" for number in range(100, 201)])
        await hospital.passes(1)
    in_turn = {user for _, _, user in hospital.oa.calls[-300:]} & {str(n) for n in range(2, 190)}
    assert len(in_turn) > 40
    await hospital.worklist.close()
    assert not asyncio.all_tasks() - {asyncio.current_task()}
