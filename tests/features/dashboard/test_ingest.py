"""What the HIS sends is counted once, whatever order it comes in and however often."""

import asyncio
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.errors import Unavailable
from server.features.dashboard.documents import Fact, TakenEvent
from server.features.dashboard.keeping import KEPT_DAYS, Keeping
from server.integrations.his import Receipt
from tests.clocks import ManualClock
from tests.features.dashboard.board import DAY_MS, MINUTE_MS, Board, Event, Frozen, open_board
from tests.features.dashboard.recount import day_of, recount, stored
from tests.memory import MEMORY


async def test_what_is_taken_is_counted_and_a_repeat_is_not(board: Board) -> None:
    events = [
        board.event("a"),
        board.event("b", type="expert", count=3),
        board.event("c", "operations", department_id="surgery"),
        board.event("d", "inpatients", value=31),
    ]

    first = await board.send(*events)
    second = await board.send(*events)

    assert (first.accepted, first.repeated, first.refused) == (4, 0, [])
    assert (second.accepted, second.repeated, second.refused) == (0, 4, [])
    assert stored(await board.sums()) == recount(events)


async def test_a_repeat_within_one_batch_counts_once(board: Board) -> None:
    receipt = await board.send(board.event("a"), board.event("a"))

    assert (receipt.accepted, receipt.repeated) == (1, 1)
    assert stored(await board.sums()) == recount([board.event("a")])


async def test_an_id_names_one_event_for_good(board: Board) -> None:
    await board.send(board.event("a"))

    receipt = await board.send(board.event("a", count=9), board.event("b"))

    assert receipt.accepted == 1
    assert [(r.event_id, r.reason) for r in receipt.refused] == [
        ("a", "this event_id names another event")
    ]
    assert stored(await board.sums()) == recount([board.event("a"), board.event("b")])


async def test_a_bad_event_is_refused_by_name_and_the_others_are_taken(board: Board) -> None:
    receipt = await board.send(
        board.event("nowhere", department_id="moon"),
        board.event("clash", department_id="hospital"),
        board.event("future", at=board.now + 6 * MINUTE_MS),
        board.event("past", at=board.now - 36 * DAY_MS),
        board.event("good"),
    )

    assert receipt.accepted == 1
    assert {r.event_id: r.reason.split(";")[0] for r in receipt.refused} == {
        "nowhere": "there is no such department",
        "clash": "there is no such department",
        "future": "it lies in the future",
        "past": "its day is closed: it was more than 35 days ago",
    }


async def test_a_correction_of_a_correction_is_refused_and_counts_in_no_order(
    board: Board,
) -> None:
    original = board.event("a")
    correction = board.event("b", corrects="a", count=2)
    wrong = board.event("c", corrects="b", count=50)

    early = await board.send(board.event("x", corrects="b", count=70))
    await board.send(original, correction)
    late = await board.send(wrong)

    assert early.accepted == 1, "nobody knew yet that b is a correction"
    assert [r.reason for r in late.refused] == [
        "it names a correction or cancellation; name the original event"
    ]
    assert stored(await board.sums()) == recount([original, correction])


async def test_the_latest_correction_counts_whichever_came_last(board: Board) -> None:
    original = board.event("a")
    latest = board.event("b", corrects="a", count=5, at=board.now + 2)
    earlier = board.event("c", corrects="a", count=7, at=board.now + 1)
    tied = board.event("a0", corrects="a", count=9, at=board.now + 2)

    for event in (original, latest, earlier, tied):
        await board.send(event)

    [sums] = await board.sums()
    assert sum(sums["counts"]["registered:general"]) == 5
    assert stored([sums]) == recount([original, latest, earlier, tied])


async def test_a_correction_may_move_a_fact_to_another_department_and_kind(board: Board) -> None:
    events = [
        board.event("a", "inpatients", value=30),
        board.event("b", "inpatients", value=31, at=board.now + 1),
        board.event("c", "inpatients", value=12, department_id="surgery", corrects="b"),
        board.event("d", "called"),
        board.event("e", "seen", type="special", count=2, corrects="d"),
    ]

    for event in events:
        await board.send(event)

    assert stored(await board.sums()) == recount(events)


async def test_a_reading_another_node_takes_while_the_last_one_is_cancelled_counts(
    board: Board,
) -> None:
    first, between, last = (
        board.event(f"r{n}", "inpatients", value=n, at=board.now + n) for n in range(3)
    )
    cancelled = board.event("c", cancels="r2")
    await board.send(first, last)
    frozen = Frozen(board.office.store)
    cancelling = asyncio.create_task(
        board.send(cancelled, to=board.intake_over(frozen.system(board.office)))
    )
    await frozen.stops.wait()
    await board.send(between, signed_s=0)
    frozen.goes_on.set()
    await cancelling

    assert stored(await board.sums()) == recount([first, between, last, cancelled])


async def test_nothing_is_taken_while_the_store_cannot_write(board: Board) -> None:
    await board.office.store.close()
    with pytest.raises(Unavailable):
        await board.send(board.event("a"))
    assert board.ticker.heard_at is None

    await board.office.store.open()
    receipt = await board.send(board.event("a"))

    assert receipt.accepted == 1
    assert board.ticker.heard_at == board.now


async def test_batches_that_come_together_are_all_counted(board: Board) -> None:
    events = [board.event(f"e{n}", count=n + 1) for n in range(20)]

    receipts = await asyncio.gather(*(board.send(event, board.event("same")) for event in events))

    assert sum(r.accepted for r in receipts) == 21
    assert sum(r.repeated for r in receipts) == 19
    assert stored(await board.sums()) == recount([*events, board.event("same")])


async def test_a_captured_batch_does_not_make_a_silent_his_look_alive(board: Board) -> None:
    signed_s = board.now // 1000
    await board.send(signed_s=signed_s)
    before = board.now
    board.office.clock.advance(120)

    replayed = await board.send(signed_s=signed_s)
    alive = await board.send(signed_s=signed_s + 1)

    assert replayed.as_of == before
    assert alive.as_of == board.now


async def test_closed_days_are_dropped_but_for_their_sums(board: Board) -> None:
    await board.send(board.event("old"))
    board.office.clock.advance((KEPT_DAYS + 1) * DAY_MS / 1000)
    await board.send(board.event("new"))

    dropped = await Keeping(board.office.store, board.office.clock).drop_old()

    store = board.office.store
    kept = [
        doc["_id"] for kind in (TakenEvent, Fact) for doc in await store.scan(kind.collection.name)
    ]
    assert dropped == 2
    assert kept == ["new", "new"]
    assert len(await board.sums()) == 2


# Any course of events

START = ManualClock().now()
MOMENTS = st.integers(START - 30 * 3_600_000, START)
IDS = [f"e{n}" for n in range(10)]
ORIGINALS = IDS[:3]
NAMED = st.sampled_from([*ORIGINALS * 3, *IDS])
"""Mostly the few that are always originals, so that several events name one."""
DEPARTMENTS = st.sampled_from(["ward", "cardiology", "surgery"])
TYPES = st.sampled_from(["general", "expert", "emergency"])
KINDS = st.sampled_from(["registered", "seen", "called", "operations", "inpatients"])


@st.composite
def event_sets(draw: st.DrawFn) -> list[Event]:
    """Events that name one another, rightly and wrongly."""
    events = []
    for id in draw(st.lists(st.sampled_from(IDS), unique=True, min_size=1)):
        kind = draw(KINDS)
        event: Event = {
            "event_id": id,
            "kind": kind,
            "at": draw(MOMENTS),
            "department_id": draw(DEPARTMENTS),
        }
        if kind in ("registered", "seen", "called"):
            event["type"] = draw(TYPES)
        if kind == "inpatients":
            event["value"] = draw(st.integers(0, 50))
        else:
            event["count"] = draw(st.integers(1, 5))
        what = draw(st.sampled_from(["original", "corrects", "corrects", "cancels"]))
        if id not in ORIGINALS and what != "original":
            event[what] = draw(NAMED.filter(lambda named, id=id: named != id))
        events.append(event)
    return events


@st.composite
def courses(draw: st.DrawFn) -> tuple[list[Event], list[list[Event]]]:
    """A set of events, and batches in which each comes at least once, in any order."""
    events = draw(event_sets())
    again = draw(st.lists(st.sampled_from(events), max_size=6))
    order = draw(st.permutations([*events, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=4)))
    edges = [0, *cuts, len(order)]
    return events, [order[a:b] for a, b in pairwise(edges)]


@settings(max_examples=60)
@given(courses())
def test_any_order_and_any_repeats_count_what_the_set_says(
    course: tuple[list[Event], list[list[Event]]],
) -> None:
    events, batches = course

    async def send() -> None:
        with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
            async with open_board(Path(folder)) as board:
                for batch in batches:
                    await board.send(*batch)
                assert stored(await board.sums()) == recount(events)

    asyncio.run(send())


def test_the_recount_knows_midnight_in_china() -> None:
    assert (day_of(1_767_628_799_999), day_of(1_767_628_800_000)) == ("2026-01-05", "2026-01-06")


async def test_whoever_leaves_while_batches_are_taken_takes_nothing_away(board: Board) -> None:
    events = [board.event(f"e{n}") for n in range(6)]
    sending = [asyncio.create_task(board.send(event)) for event in events]
    await asyncio.sleep(0)
    sending[0].cancel()
    results = await asyncio.gather(*sending, return_exceptions=True)

    assert isinstance(results[0], asyncio.CancelledError)
    assert [r.accepted for r in results[1:] if isinstance(r, Receipt)] == [1] * 5
    assert stored(await board.sums()) == recount(events)
