"""When a batch is told: in commit order, once, even to nobody, and never after Busy."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from server.storage import Append, Conflict, Doc, Insert, Max, Op, Require, Store, StoreBusy
from tests.contracts.storage_adapters import NOTES, TALK, OpenStore


def append(number: int) -> Append:
    return Append("talk", "a", {"_id": f"m{number}"}, numbered=True)


async def test_completions_are_called_in_commit_order_before_apply_returns(store: Store) -> None:
    told: list[int] = []
    returned_early: list[int] = []

    async def send(number: int) -> None:
        def then(results: Sequence[Doc | None]) -> None:
            assert results[0] is not None
            told.append(results[0]["position"])

        [entry] = await store.apply(append(number), then=then)
        assert entry is not None
        if entry["position"] not in told:
            returned_early.append(entry["position"])

    await asyncio.gather(*(send(number) for number in range(100)))

    assert told == list(range(1, 101))
    assert returned_early == []


async def test_a_completion_is_called_on_the_event_loop_with_what_apply_returns(
    store: Store,
) -> None:
    calls: list[tuple[object, Sequence[Doc | None]]] = []

    def then(results: Sequence[Doc | None]) -> None:
        calls.append((asyncio.get_running_loop(), results))

    results = await store.apply(append(1), Require("talk", "m1"), then=then)

    assert calls == [(asyncio.get_running_loop(), results)]


async def test_what_is_told_is_already_stored(store: Store) -> None:
    reads: list[asyncio.Task[Doc | None]] = []

    await store.apply(
        append(1), then=lambda _: reads.append(asyncio.create_task(store.get("talk", "m1")))
    )

    assert await reads[0] is not None


async def test_a_caller_that_leaves_does_not_lose_its_completion(store: Store) -> None:
    told = asyncio.Event()
    caller = asyncio.create_task(store.apply(append(1), then=lambda _: told.set()))
    await asyncio.sleep(0)

    caller.cancel()

    await asyncio.wait_for(told.wait(), 10)
    assert caller.cancelled() or caller.cancelling()
    assert await store.get("talk", "m1") is not None


async def test_a_failed_batch_has_no_completion(store: Store) -> None:
    told: list[object] = []

    with pytest.raises(Conflict):
        await store.apply(append(1), Require("notes", "absent"), then=told.append)

    assert told == []


async def test_a_completion_that_fails_is_logged_and_stops_nobody(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[int] = []

    def fail(results: Sequence[Doc | None]) -> None:
        raise RuntimeError("no such page")

    with caplog.at_level(logging.ERROR):
        results = await asyncio.gather(
            store.apply(append(1), then=fail),
            store.apply(append(2), then=lambda _: told.append(2)),
        )

    assert told == [2]
    assert [entry["position"] for [entry] in results if entry] == [1, 2]
    assert "no such page" in caplog.text


async def test_a_batch_that_fails_leaves_its_neighbours_alone(store: Store) -> None:
    good: list[list[Op]] = [
        [append(number), Insert("notes", {"_id": f"n{number}"})] for number in range(20)
    ]
    bad: list[list[Op]] = [
        [append(100 + number), Require("notes", "absent")] for number in range(20)
    ]
    batches = [batch for pair in zip(good, bad, strict=True) for batch in pair]

    results = await asyncio.gather(
        *(store.apply(*batch) for batch in batches), return_exceptions=True
    )

    assert [isinstance(result, Conflict) for result in results] == [False, True] * 20
    [tail] = (await store.tails("talk", {"a": 0}, 100)).values()
    assert [entry["_id"] for entry in tail] == [f"m{number}" for number in range(20)]
    assert [entry["seq"] for entry in tail] == list(range(1, 21))


async def test_too_much_work_is_refused_at_once_and_leaves_no_trace(
    open_store: OpenStore, tmp_path: Path
) -> None:
    store = await open_store(tmp_path, queue_limit=10)
    await store.ensure(TALK)
    await store.ensure(NOTES)

    results = await asyncio.gather(
        *(store.apply(append(number)) for number in range(30)), return_exceptions=True
    )
    [later] = await store.apply(append(99))
    [large] = [await store.apply(*(Insert("notes", {"_id": f"n{n}"}) for n in range(20)))]
    waiting = store.health().waiting
    await store.close()

    assert [isinstance(result, StoreBusy) for result in results] == [False] * 10 + [True] * 20
    assert later is not None
    assert later["position"] == 11
    assert len(large) == 20
    assert waiting == 0


async def test_too_many_reads_are_refused_at_once(open_store: OpenStore, tmp_path: Path) -> None:
    store = await open_store(tmp_path, queue_limit=10)
    await store.ensure(NOTES)

    results = await asyncio.gather(
        *(store.get("notes", "n1") for _ in range(30)), return_exceptions=True
    )
    await store.close()

    assert [isinstance(result, StoreBusy) for result in results] == [False] * 10 + [True] * 20


async def test_closing_finishes_what_was_accepted(open_store: OpenStore, tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.ensure(TALK)
    told: list[object] = []
    accepted = [
        asyncio.create_task(store.apply(append(number), then=told.append)) for number in range(50)
    ]
    await asyncio.sleep(0)

    await store.close()

    assert len(told) == 50
    assert [entry["position"] for [entry] in await asyncio.gather(*accepted) if entry] == list(
        range(1, 51)
    )


async def test_who_submits_is_told_of_either_end_in_the_order_of_the_commits(store: Store) -> None:
    told: list[object] = []
    submit = partial(store.submit, failed=lambda fault: told.append(type(fault)))

    submit(append(1), then=lambda results: told.append(results[0] and results[0]["position"]))
    submit(Require("talk", "nobody"), then=told.append)
    submit(append(2), then=lambda results: told.append(results[0] and results[0]["position"]))
    await store.apply(append(3))

    assert told == [1, Conflict, 2]


async def test_a_batch_that_fails_half_done_leaves_its_neighbours_and_nothing_of_itself(
    store: Store,
) -> None:
    first, failed, last = await asyncio.gather(
        store.apply(append(1), Insert("notes", {"_id": "1", "at": 1})),
        store.apply(append(2), Max("notes", "1", "at", 7), Require("notes", "nobody")),
        store.apply(append(3), Max("notes", "1", "at", 3)),
        return_exceptions=True,
    )

    assert isinstance(failed, Conflict)
    assert isinstance(first, list)
    assert isinstance(last, list)
    assert [entry and entry["position"] for entry in (first[0], last[0])] == [1, 2]
    assert await store.get("notes", "1") == {"_id": "1", "at": 3, "_v": 2}
    [again] = await store.apply(Max("notes", "1", "at", 2))
    assert again == {"_id": "1", "at": 3, "_v": 2}


async def test_a_batch_of_one_that_fails_after_a_change_leaves_the_row_as_it_was(
    store: Store,
) -> None:
    await store.apply(Insert("notes", {"_id": "1", "at": 1}))
    with pytest.raises(Conflict):
        await store.apply(Max("notes", "1", "at", 7), Require("notes", "nobody"))
    assert await store.get("notes", "1") == {"_id": "1", "at": 1, "_v": 1}
