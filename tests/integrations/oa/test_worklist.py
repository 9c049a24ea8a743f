"""The mirror of the OA: what is told of changes, and what failures leave alone."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from server.integrations.oa.mirror import Seen
from tests.integrations.oa.fake_oa import DOWN, REFUSED, Hospital, item


@pytest.fixture
async def hospital() -> AsyncIterator[Hospital]:
    """Two people with an OA account; p1 is on screen, p2 has something waiting all along."""
    place = Hospital()
    place.worklist.visible("p1", True)
    place.waits("p2", "900")
    yield place
    await place.worklist.close()


async def test_the_first_reading_is_a_baseline_and_told_once(hospital: Hospital) -> None:
    hospital.waits("p1", "11", "10")
    await hospital.passes(20)
    assert [told for told in hospital.sink.told if told[0] == "p1"] == [
        ("p1", ["11", "10"], [], True)
    ]


async def test_an_arrival_is_told_once_and_within_the_period(hospital: Hospital) -> None:
    hospital.waits("p1", "10")
    await hospital.passes(5)
    hospital.waits("p1", "11", "10")
    await hospital.passes(3.2)
    assert hospital.sink.told[-1] == ("p1", ["11"], [], False)
    told = len(hospital.sink.told)
    await hospital.passes(20)
    assert len(hospital.sink.told) == told


async def test_one_done_and_one_arrived_is_a_change_although_the_count_stays(
    hospital: Hospital,
) -> None:
    hospital.waits("p1", "11", "10")
    await hospital.passes(5)
    hospital.waits("p1", "12", "11")
    await hospital.passes(3.2)
    assert hospital.sink.told[-1] == ("p1", ["12"], ["10"], False)


async def test_a_baseline_of_nothing_makes_the_first_document_news(hospital: Hospital) -> None:
    await hospital.passes(5)
    assert ("p1", [], [], True) in hospital.sink.told
    hospital.waits("p1", "10")
    await hospital.passes(3.2)
    assert hospital.sink.told[-1] == ("p1", ["10"], [], False)


async def test_one_zero_reading_is_not_believed(hospital: Hospital) -> None:
    hospital.waits("p1", "10")
    await hospital.passes(4)
    hospital.waits("p1")
    hospital.worklist.hint(["p1"])
    await hospital.passes(0.2)
    assert (await hospital.worklist.counts("p1", 60)).pending == 1
    hospital.waits("p1", "10")
    await hospital.passes(10)
    assert [told for told in hospital.sink.told if told[0] == "p1"] == [("p1", ["10"], [], True)]


async def test_finishing_the_last_document_clears_the_badge_within_five_seconds(
    hospital: Hospital,
) -> None:
    hospital.waits("p1", "10")
    await hospital.passes(4)
    hospital.waits("p1")
    hospital.waits("p1", "10", state="done")
    await hospital.passes(5)
    assert hospital.sink.told[-1] == ("p1", [], ["10"], False)


async def test_an_oa_that_swallows_its_errors_never_clears_a_badge(hospital: Hospital) -> None:
    hospital.waits("p1", "10")
    await hospital.passes(4)
    told = len(hospital.sink.told)
    hospital.oa.swallows = True
    await hospital.passes(120)
    assert (await hospital.worklist.counts("p1")).pending == 1
    assert (await hospital.worklist.counts("p1")).stale
    hospital.oa.swallows = False
    await hospital.passes(20)
    assert len(hospital.sink.told) == told
    assert not (await hospital.worklist.counts("p1")).stale


async def test_a_false_zero_at_the_start_makes_no_news_of_old_documents() -> None:
    hospital = Hospital()
    hospital.waits("p1", "10")
    hospital.oa.swallows = True
    await hospital.passes(3)
    hospital.oa.swallows = False
    await hospital.passes(30)
    assert ("p1", ["10"], [], True) in hospital.sink.told
    await hospital.worklist.close()


async def test_an_outage_keeps_the_badge_and_says_from_when_it_is(hospital: Hospital) -> None:
    hospital.waits("p1", "10")
    await hospital.passes(4)
    before = hospital.clock.now()
    hospital.oa.failure = DOWN
    await hospital.passes(60)
    waiting = await hospital.worklist.counts("p1")
    reading = await hospital.worklist.read("p1", "pending")
    assert (waiting.pending, waiting.stale) == (1, True)
    assert waiting.as_of is not None
    assert waiting.as_of <= before
    assert [one.request_id for one in reading.items] == ["10"]
    assert reading.stale
    assert not hospital.worklist.health().reachable


async def test_after_an_outage_the_first_change_is_seen_within_ten_seconds(
    hospital: Hospital,
) -> None:
    hospital.waits("p1", "10")
    await hospital.passes(4)
    hospital.oa.failure = DOWN
    await hospital.passes(120)
    hospital.oa.failure = None
    hospital.waits("p1", "11", "10")
    await hospital.passes(10)
    assert hospital.sink.told[-1] == ("p1", ["11"], [], False)
    assert hospital.worklist.health().reachable


async def test_while_the_oa_is_down_it_is_hardly_called(hospital: Hospital) -> None:
    hospital.oa.failure = DOWN
    await hospital.passes(10)
    calls = len(hospital.oa.calls)
    await hospital.passes(60)
    assert len(hospital.oa.calls) - calls <= 60 / 2.5


async def test_trouble_with_one_person_backs_off_that_person_only() -> None:
    hospital = Hospital(people=10)
    for person_id in hospital.mapping:
        hospital.waits(person_id, "10")
    hospital.oa.failing["1"] = REFUSED
    await hospital.passes(300)
    assert len(hospital.calls_to("p1")) < 10
    assert len(hospital.calls_to("p2")) > 25
    assert not hospital.breaker.is_open
    await hospital.worklist.close()


async def test_the_budget_is_never_exceeded() -> None:
    hospital = Hospital(people=300, calls_per_second=20)
    for number in range(1, 301):
        hospital.waits(f"p{number}", "10")
    for number in range(1, 60):
        hospital.worklist.visible(f"p{number}", True)
    await hospital.passes(40)
    moments = [at for at, _, _ in hospital.oa.calls]
    assert len(moments) <= 40 * 20 + 5
    for start in range(39):
        within = [at for at in moments if 1_000 + start <= at < 1_001 + start]
        assert len(within) <= 20 + 5
    assert len(moments) >= 40 * 20 * 0.9
    await hospital.worklist.close()


async def test_visible_people_are_read_in_their_period_while_hundreds_wait() -> None:
    hospital = Hospital(people=400, calls_per_second=20)
    for number in range(1, 401):
        hospital.waits(f"p{number}", "10")
    for number in range(1, 11):
        hospital.worklist.visible(f"p{number}", True)
    await hospital.passes(30)
    for number in range(1, 11):
        counts = [at for at, what in hospital.calls_to(f"p{number}") if what == "counts"]
        assert max(later - sooner for sooner, later in pairwise(counts)) <= 3.7
    assert len({whose for _, _, whose in hospital.oa.calls}) > 100
    await hospital.worklist.close()


async def test_nobody_is_forgotten_when_visible_people_need_every_call() -> None:
    hospital = Hospital(people=110, calls_per_second=20)
    for number in range(1, 111):
        hospital.waits(f"p{number}", "10")
    for number in range(1, 101):
        hospital.worklist.visible(f"p{number}", True)
    await hospital.passes(40)
    assert hospital.calls_to("p110")
    await hospital.worklist.close()


@pytest.mark.parametrize("by", ["appearing", "hint"])
async def test_whoever_waits_in_the_last_lane_leaves_it_when_needed_sooner(by: str) -> None:
    """There one call a second is left, and everybody was read anew after a start."""
    hospital = Hospital(people=300, calls_per_second=20)
    for number in range(1, 301):
        hospital.waits(f"p{number}", "10")
    for number in range(1, 81):
        hospital.worklist.visible(f"p{number}", True)
    await hospital.passes(60)
    hidden = sorted(f"p{number}" for number in range(81, 301))  # in the order they are begun
    late = [one for one in hidden if len(hospital.calls_to(one)) < 2][:20]
    for person_id in late:
        if by == "hint":
            hospital.worklist.hint([person_id])
        else:
            hospital.worklist.visible(person_id, True)
    await hospital.passes(8)
    assert [one for one in late if len(hospital.calls_to(one)) < 2] == []
    await hospital.worklist.close()


async def test_a_change_that_could_not_be_stored_is_told_again(hospital: Hospital) -> None:
    hospital.waits("p1", "10")
    await hospital.passes(4)
    hospital.sink.is_full = True
    hospital.waits("p1", "11", "10")
    await hospital.passes(10)
    assert (await hospital.worklist.counts("p1", 60)).pending == 1
    hospital.sink.is_full = False
    await hospital.passes(6)
    assert hospital.sink.told[-1] == ("p1", ["11"], [], False)


async def test_a_restart_has_no_second_baseline_and_tells_what_came_meanwhile(
    hospital: Hospital,
) -> None:
    hospital.waits("p1", "10")
    await hospital.passes(4)
    await hospital.worklist.close()
    hospital.waits("p1", "11", "10")
    hospital.worklist = hospital.another_worklist()
    assert (await hospital.worklist.seen("p1") or Seen((), 0, hospital.clock.now())).pending == 1
    await hospital.passes(5)
    assert hospital.sink.told[-1] == ("p1", ["11"], [], False)


async def test_a_hint_is_followed_at_once_also_for_somebody_who_is_away() -> None:
    hospital = Hospital(people=3)
    hospital.waits("p3", "10")
    await hospital.passes(5)
    hospital.waits("p3", "11", "10")
    hospital.worklist.hint(["p3", "nobody"])
    await hospital.passes(0.2)
    assert hospital.sink.told[-1] == ("p3", ["11"], [], False)
    await hospital.worklist.close()


async def test_a_long_list_is_followed_to_its_end(hospital: Hospital) -> None:
    ids = [str(number) for number in range(145, 100, -1)]
    hospital.waits("p1", *ids)
    await hospital.passes(4)
    hospital.waits("p1", *(one for one in ids if one != "103"))
    await hospital.passes(3.2)
    assert hospital.sink.told[-1] == ("p1", [], ["103"], False)
    last = await hospital.worklist.read("p1", "pending", 3)
    assert [one.request_id for one in last.items] == ["105", "104", "102", "101"]
    assert last.total == 44


async def test_a_document_that_waits_twice_counts_once(hospital: Hospital) -> None:
    hospital.waits("p1", "11", "11", "10")
    await hospital.passes(4)
    assert (await hospital.worklist.counts("p1")).pending == 2
    told = len(hospital.sink.told)
    await hospital.passes(20)
    assert len(hospital.sink.told) == told


async def test_a_count_whose_list_is_empty_is_not_believed(hospital: Hospital) -> None:
    hospital.waits("p1", "10")
    await hospital.passes(4)
    counts = hospital.oa.counts

    async def one_more(*args: object, **more: object) -> object:
        answer = await counts(*args, **more)  # type: ignore[arg-type]
        return type(answer)(answer.pending + 1)

    hospital.oa.counts = one_more  # type: ignore[method-assign, assignment]
    hospital.waits("p1")
    await hospital.passes(10)
    assert hospital.sink.told[-1][1] != []
    assert (await hospital.worklist.counts("p1", 60)).pending == 1


async def test_reading_through_asks_once_for_all_who_ask_the_same(hospital: Hospital) -> None:
    hospital.waits("p2", "12", "10", state="done")
    await hospital.passes(1)
    calls = len(hospital.calls_to("p2"))
    readings = await asyncio.gather(*(hospital.worklist.read("p2", "done") for _ in range(50)))
    assert {reading.total for reading in readings} == {2}
    assert len(hospital.calls_to("p2")) == calls + 1
    await hospital.worklist.read("p2", "done")
    assert len(hospital.calls_to("p2")) == calls + 1


async def test_reading_a_list_while_the_oa_is_down_gives_the_last_known_page(
    hospital: Hospital,
) -> None:
    hospital.waits("p2", "12", state="started")
    await hospital.passes(1)
    first = await hospital.worklist.read("p2", "started")
    hospital.oa.failure = DOWN
    hospital.clock.advance(6)
    again = await hospital.worklist.read("p2", "started")
    never = await hospital.worklist.read("p2", "read")
    assert (again.items, again.as_of, again.stale) == (first.items, first.as_of, True)
    assert (never.items, never.total, never.as_of, never.stale) == ((), None, None, True)


async def test_an_empty_page_of_a_list_said_to_be_longer_is_not_shown(
    hospital: Hospital,
) -> None:
    """Its count was true and its list was swallowed: as when the OA fails between the two."""
    hospital.waits("p2", "12", state="done")
    await hospital.passes(1)
    list_items = hospital.oa.list_items

    async def swallowed(*args: object, **more: object) -> object:
        page = await list_items(*args, **more)  # type: ignore[arg-type]
        return type(page)((), page.total)

    hospital.oa.list_items = swallowed  # type: ignore[method-assign, assignment]
    reading = await hospital.worklist.read("p2", "done")
    assert (reading.total, reading.stale) == (None, True)


async def test_opening_the_list_shows_what_arrived_a_moment_ago(hospital: Hospital) -> None:
    await hospital.passes(12)
    hospital.waits("p2", "901", "900")
    hospital.clock.advance(6)
    reading = await hospital.worklist.read("p2", "pending")
    assert [one.request_id for one in reading.items] == ["901", "900"]
    assert hospital.sink.told[-1] == ("p2", ["901"], [], False)
    assert (await hospital.worklist.counts("p2")).pending == 2


async def test_somebody_without_an_oa_account_has_empty_lists(hospital: Hospital) -> None:
    reading = await hospital.worklist.read("stranger", "pending")
    assert (reading.items, reading.total, reading.stale) == ((), 0, False)
    assert (await hospital.worklist.counts("stranger")).pending == 0


async def test_who_gets_another_oa_user_is_shown_nothing_of_the_former_ones(
    hospital: Hospital,
) -> None:
    hospital.oa.lists["1", "done"] = [item("700")]
    assert (await hospital.worklist.read("p1", "done")).total == 1
    hospital.mapping["p1"] = "9"
    hospital.worklist.staff_changed()
    await hospital.passes(1)
    hospital.oa.failing["9"] = DOWN
    reading = await hospital.worklist.read("p1", "done")
    assert (reading.items, reading.stale) == ((), True)


async def test_the_task_reads_by_itself_and_ends_at_close() -> None:
    hospital = Hospital()
    hospital.waits("p1", "10")
    hospital.worklist.start()
    async with asyncio.timeout(5):
        await hospital.sink.was_told.wait()
    await hospital.worklist.close()
    assert [task for task in asyncio.all_tasks() if task.get_name() == "oa-poller"] == []


async def test_what_somebody_is_done_with_goes_at_once_and_a_last_one_leaves_zero(
    hospital: Hospital,
) -> None:
    hospital.waits("p1", "10")
    await hospital.passes(5)
    await hospital.worklist.acted("p1", "10")
    assert hospital.sink.told[-1] == ("p1", [], ["10"], False)

    hospital.waits("p1")
    told = len(hospital.sink.told)
    await hospital.worklist.acted("p1", "10")
    await hospital.passes(20)
    assert len(hospital.sink.told) == told
    assert (await hospital.worklist.counts("p1")).pending == 0


async def test_a_document_that_comes_back_after_acting_is_told_again(hospital: Hospital) -> None:
    hospital.waits("p1", "11", "10")
    await hospital.passes(5)
    await hospital.worklist.acted("p1", "10")
    await hospital.passes(5)
    assert hospital.sink.told[-1] == ("p1", ["10"], [], False)


async def test_a_full_disk_is_said_once_and_not_for_everybody_who_is_read(
    hospital: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    await hospital.passes(5)
    hospital.worklist.visible("p2", True)
    hospital.sink.is_full = True
    hospital.waits("p1", "10")
    hospital.waits("p2", "20")
    await hospital.passes(60)
    assert len(caplog.records) == 1

    hospital.sink.is_full = False
    await hospital.passes(300)
    hospital.sink.is_full = True
    hospital.waits("p1", "11", "10")
    await hospital.passes(60)
    assert len(caplog.records) == 2
