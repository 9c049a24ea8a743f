"""What a batch does: documents, versions, preconditions, and all or nothing."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from server.storage import (
    Append,
    Conflict,
    Delete,
    Duplicate,
    Insert,
    Max,
    Op,
    Patch,
    Put,
    Require,
    StorageError,
    Store,
    StoreUnavailable,
    Taken,
)
from tests.contracts.storage_adapters import NOTES, TALK, OpenStore


async def test_an_inserted_document_is_read_as_it_was_stored(store: Store) -> None:
    doc = {
        "_id": "n1",
        "owner": "王五",
        "at": 2**53,
        "small": -(2**53),
        "ratio": 0.5,
        "none": None,
        "text": 'quote " back \\ nul \x00 line\n 会议 😀',
        "nested": {"list": [1, "two", {"three": False}], "empty": {}},
    }

    [stored] = await store.apply(Insert("notes", doc))

    assert stored == {**doc, "_v": 1}
    assert await store.get("notes", "n1") == stored


async def test_what_was_given_is_not_changed(store: Store) -> None:
    doc = {"_id": "n1", "seq": Taken("a", "seq")}

    await store.apply(Append("talk", "a", {"_id": "m1"}, numbered=True), Insert("notes", doc))

    assert doc == {"_id": "n1", "seq": Taken("a", "seq")}


async def test_a_taken_id_is_a_duplicate_and_changes_nothing(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n1", "owner": "a"}))

    with pytest.raises(Duplicate) as caught:
        await store.apply(Insert("notes", {"_id": "n1", "owner": "b"}))

    assert (caught.value.coll, caught.value.index) == ("notes", "_id")
    assert await store.get("notes", "n1") == {"_id": "n1", "owner": "a", "_v": 1}


@pytest.mark.parametrize(
    "again",
    [
        Insert("notes", {"_id": "n3", "badge": "007"}),
        Put("notes", {"_id": "n2", "badge": "007"}, expect=None),
        Patch("notes", "n2", {"badge": "007"}),
    ],
)
async def test_a_taken_unique_value_is_a_duplicate_with_the_name_of_its_index(
    store: Store, again: Op
) -> None:
    await store.apply(Insert("notes", {"_id": "n1", "badge": "007"}))
    await store.apply(Insert("notes", {"_id": "n2", "badge": "008"}))

    with pytest.raises(Duplicate) as caught:
        await store.apply(again)

    assert (caught.value.coll, caught.value.index) == ("notes", "by_badge")
    assert [doc["badge"] for doc in await store.scan("notes")] == ["007", "008"]


async def test_absent_and_null_are_no_unique_value(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n1"}), Insert("notes", {"_id": "n2"}))
    await store.apply(Insert("notes", {"_id": "n3", "badge": None}))
    await store.apply(Insert("notes", {"_id": "n4", "badge": None}))

    assert len(await store.scan("notes")) == 4


async def test_a_unique_value_is_free_again_when_its_holder_lets_go(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n1", "badge": "007"}))

    await store.apply(
        Patch("notes", "n1", {"badge": None}), Insert("notes", {"_id": "n2", "badge": "007"})
    )
    await store.apply(Delete("notes", "n2"), Insert("notes", {"_id": "n3", "badge": "007"}))

    assert [doc["_id"] for doc in await store.find("notes", "by_badge", ["007"])] == ["n3"]


async def test_within_a_batch_a_value_is_let_go_before_it_is_taken(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n1", "badge": "7"}))
    take = Insert("notes", {"_id": "n2", "badge": "7"})
    let_go = Patch("notes", "n1", {"badge": None})

    with pytest.raises(Duplicate):
        await store.apply(take, let_go)
    await store.apply(let_go, take, Patch("notes", "n1", {"badge": "8"}))

    assert [doc["badge"] for doc in await store.scan("notes")] == ["8", "7"]


async def test_neighbours_let_values_go_and_take_them_in_their_order(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n1", "badge": "7"}))

    results = await asyncio.gather(
        store.apply(Insert("notes", {"_id": "early", "badge": "7"})),
        store.apply(Delete("notes", "n1")),
        store.apply(Insert("notes", {"_id": "late", "badge": "7"})),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [Duplicate, list, list]
    assert [doc["_id"] for doc in await store.scan("notes")] == ["late"]


async def test_put_replaces_the_version_it_read(store: Store) -> None:
    await store.apply(Put("notes", {"_id": "n1", "owner": "a", "old": 1}, expect=0))

    [stored] = await store.apply(Put("notes", {"_id": "n1", "owner": "b"}, expect=1))

    assert stored == {"_id": "n1", "owner": "b", "_v": 2}
    assert await store.get("notes", "n1") == stored


async def test_put_ignores_the_version_inside_the_document(store: Store) -> None:
    [first] = await store.apply(Put("notes", {"_id": "n1"}, expect=None))
    assert first is not None

    [second] = await store.apply(Put("notes", {**first, "_v": 99}, expect=first["_v"]))

    assert second == {"_id": "n1", "_v": 2}


@pytest.mark.parametrize("expect", [0, 2, 3])
async def test_put_over_another_version_is_a_conflict(store: Store, expect: int) -> None:
    await store.apply(Put("notes", {"_id": "n1"}, expect=None))

    with pytest.raises(Conflict) as caught:
        await store.apply(Put("notes", {"_id": "n1", "owner": "b"}, expect=expect))

    assert (caught.value.coll, caught.value.id) == ("notes", "n1")
    assert await store.get("notes", "n1") == {"_id": "n1", "_v": 1}


async def test_put_of_a_version_that_is_gone_is_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict):
        await store.apply(Put("notes", {"_id": "n1"}, expect=1))


async def test_patch_sets_and_removes_fields(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n1", "owner": "a", "at": 1, "keep": [1]}))

    [stored] = await store.apply(
        Patch("notes", "n1", {"owner": "b", "at": None, "new": {"x": 1}}, 1)
    )

    assert stored == {"_id": "n1", "owner": "b", "keep": [1], "new": {"x": 1}, "_v": 2}
    assert await store.get("notes", "n1") == stored
    assert await store.count("notes", "by_owner", ["a"]) == 0
    assert await store.count("notes", "by_owner", ["b"]) == 1


@pytest.mark.parametrize("changes", [{"_id": "n2"}, {"_v": 7}])
async def test_patch_cannot_set_identity_or_version(store: Store, changes: dict[str, Any]) -> None:
    await store.apply(Insert("notes", {"_id": "n1"}))

    with pytest.raises(ValueError, match="patch"):
        await store.apply(Patch("notes", "n1", changes))


@pytest.mark.parametrize(
    "op",
    [
        Patch("notes", "absent", {"owner": "a"}),
        Patch("notes", "n1", {"owner": "a"}, expect=2),
        Max("notes", "absent", "at", 1),
        Delete("notes", "absent", expect=1),
        Delete("notes", "n1", expect=2),
        Require("notes", "absent"),
        Require("notes", "n1", expect=2),
        Require("notes", "absent", holding={"at": 1}),
        Require("notes", "n1", holding={"at": 1}),
    ],
)
async def test_another_version_than_expected_is_a_conflict_and_undoes_the_batch(
    store: Store, op: Op
) -> None:
    await store.apply(Insert("notes", {"_id": "n1"}))
    before = Insert("notes", {"_id": "n2", "owner": "x"})
    message = Append("talk", "a", {"_id": "m1", "text": "会议"}, numbered=True)

    with pytest.raises(Conflict):
        await store.apply(before, message, op)

    assert await store.scan("notes") == [{"_id": "n1", "_v": 1}]
    assert await store.heads("talk", ["a"]) == {}
    assert await store.search("talk", "会议", {"a": -1}) == []


async def test_a_batch_sees_its_own_earlier_operations(store: Store) -> None:
    results = await store.apply(
        Insert("notes", {"_id": "n1", "at": 1}),
        Require("notes", "n1", expect=1, holding={"at": 1}),
        Patch("notes", "n1", {"owner": "a"}, expect=1),
        Max("notes", "n1", "at", 5),
        Delete("notes", "n1", expect=3),
        Put("notes", {"_id": "n1", "owner": "again"}, expect=0),
    )

    assert results == [
        {"_id": "n1", "at": 1, "_v": 1},
        None,
        {"_id": "n1", "at": 1, "owner": "a", "_v": 2},
        {"_id": "n1", "at": 5, "owner": "a", "_v": 3},
        None,
        {"_id": "n1", "owner": "again", "_v": 1},
    ]


async def test_max_only_ever_raises(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n1", "owner": "a"}))

    await store.apply(Max("notes", "n1", "at", 7))
    [lower] = await store.apply(Max("notes", "n1", "at", 3))
    [equal] = await store.apply(Max("notes", "n1", "at", 7))

    assert lower == equal == {"_id": "n1", "owner": "a", "at": 7, "_v": 2}
    assert [doc["at"] for doc in await store.find("notes", "by_owner", ["a"], gt=6)] == [7]


async def test_deleting_what_is_gone_is_no_conflict(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n1", "badge": "1"}))

    assert await store.apply(Delete("notes", "n1"), Delete("notes", "n1")) == [None, None]

    assert await store.get("notes", "n1") is None


@pytest.mark.parametrize(
    ("op", "error"),
    [
        (Insert("notes", {"owner": "a"}), ValueError),
        (Insert("notes", {"_id": 7}), ValueError),
        (Insert("notes", {"_id": "n1", "seq": Taken("a", "seq")}), ValueError),
        (Insert("talk", {"_id": "m1"}), ValueError),
        (Put("talk", {"_id": "m1"}, expect=None), ValueError),
        (Append("notes", "a", {"_id": "m1"}), ValueError),
        (Insert("nowhere", {"_id": "n1"}), StorageError),
        (Append("nowhere", "a", {"_id": "m1"}, idem="i"), StorageError),
        (Insert("notes", {"_id": "n1", "owner": ["a"]}), TypeError),
        (Insert("notes", {"_id": "n1", "any": object()}), TypeError),
    ],
)
async def test_what_is_no_document_is_refused_and_harms_nobody_else(
    store: Store, op: Op, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await store.apply(Insert("notes", {"_id": "n0"}), op)

    assert await store.scan("notes") == []


async def test_a_mistake_in_one_batch_hurts_no_other(store: Store) -> None:
    good = [Insert("notes", {"_id": "n1"}), Append("talk", "a", {"_id": "m1"}, idem="i")]

    results = await asyncio.gather(
        store.apply(*good),
        store.apply(Insert("notes", {"_id": "n2", "at": 2**64})),
        store.apply(Insert("notes", {"_id": "\ud800"})),
        store.apply(Insert("notes", {"_id": "n3", "text": "\ud800"})),
        store.apply(Append("talk", "a", {"_id": "m2"}, idem="\ud800")),
        store.apply(Append("talk", "\ud800", {"_id": "m3"})),
        return_exceptions=True,
    )
    await store.apply(Insert("notes", {"_id": "n4"}))

    assert [isinstance(result, Exception) for result in results] == [False, *[True] * 5]
    assert [doc["_id"] for doc in await store.scan("notes")] == ["n1", "n4"]


async def test_an_empty_batch_is_a_mistake(store: Store) -> None:
    with pytest.raises(ValueError, match="nothing"):
        await store.apply()


async def test_everything_is_there_after_closing_and_opening(
    open_store: OpenStore, tmp_path: Path
) -> None:
    store = await open_store(tmp_path)
    await store.ensure(NOTES)
    await store.ensure(TALK)
    await store.apply(
        Insert("notes", {"_id": "n1", "owner": "a", "at": 3}),
        Append("talk", "a", {"_id": "m1", "text": "会议纪要"}, numbered=True, idem="i1"),
    )
    epoch = store.epoch
    await store.close()

    store = await open_store(tmp_path)
    [found] = await store.find("notes", "by_owner", ["a"])
    [appended] = await store.apply(Append("talk", "a", {"_id": "m2"}, numbered=True))
    [hit] = await store.search("talk", "会议", {"a": 0})
    same_epoch = store.epoch == epoch
    await store.close()

    assert found == {"_id": "n1", "owner": "a", "at": 3, "_v": 1}
    assert appended is not None
    assert (appended["position"], appended["seq"]) == (2, 2)
    assert hit["_id"] == "m1"
    assert same_epoch


async def test_a_closed_store_is_unavailable(open_store: OpenStore, tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.ensure(NOTES)
    await store.close()

    with pytest.raises(StoreUnavailable):
        await store.apply(Insert("notes", {"_id": "n1"}))
    with pytest.raises(StoreUnavailable):
        await store.get("notes", "n1")
    assert not store.health().ready


async def test_health_tells_that_the_store_is_ready_and_counts_its_commits(store: Store) -> None:
    before = store.health()

    await store.apply(Insert("notes", {"_id": "n1"}))

    after = store.health()
    assert before.ready
    assert after.ready
    assert after.waiting == 0
    assert after.commits == before.commits + 1
    assert after.last_batch == 1
