"""What a log promises: positions without gaps, numbers, repeats recognised, keys compacted."""

from pathlib import Path

import msgspec
import pytest

from server.storage import (
    Append,
    Collection,
    Conflict,
    Delete,
    Doc,
    Duplicate,
    Index,
    Insert,
    Max,
    Op,
    Patch,
    Repeated,
    Require,
    Sooner,
    Store,
    Taken,
)
from tests.contracts.storage_adapters import TALK, OpenStore


def numbers(entry: Doc | None) -> tuple[int, int, int | None]:
    assert entry is not None
    return entry["position"], entry["seq"], entry.get("number")


def positions(entries: list[Doc]) -> list[int]:
    return [entry["position"] for entry in entries]


async def test_positions_count_entries_and_seq_counts_numbered_ones(store: Store) -> None:
    results = await store.apply(
        Append("talk", "a", {"_id": "m1"}),
        Append("talk", "a", {"_id": "m2"}, numbered=True),
        Append("talk", "b", {"_id": "m3"}, numbered=True),
        Append("talk", "a", {"_id": "m4"}),
        Append("talk", "a", {"_id": "m5"}, numbered=True),
    )

    assert list(map(numbers, results)) == [
        (1, 0, None),
        (2, 1, 1),
        (1, 1, 1),
        (3, 1, None),
        (4, 2, 2),
    ]
    assert [await store.get("talk", f"m{n}") for n in range(1, 6)] == results


async def test_an_entry_is_stored_with_its_place(store: Store) -> None:
    [entry] = await store.apply(
        Append("talk", "a", {"_id": "m1", "text": "好的"}, numbered=True, idem="p1:c1", key="k")
    )

    assert entry == {
        "_id": "m1",
        "text": "好的",
        "stream": "a",
        "position": 1,
        "seq": 1,
        "number": 1,
        "idem": "p1:c1",
        "key": "k",
        "_v": 1,
    }


async def test_what_is_taken_is_known_to_later_operations_of_the_batch(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n1", "at": 0}), Append("talk", "a", {"_id": "m0"}))

    results = await store.apply(
        Append("talk", "a", {"_id": "m1"}, numbered=True),
        Insert("notes", {"_id": "n2", "at": Taken("a", "position")}),
        Max("notes", "n1", "at", Taken("a", "seq")),
        Append("talk", "a", {"_id": "m2", "about": Taken("a", "position")}, numbered=True),
        Append("talk", "b", {"_id": "m3"}, numbered=True),
        Patch("notes", "n1", {"here": Taken("a", "position"), "there": Taken("b", "position")}),
    )

    assert results[1:3] == [{"_id": "n2", "at": 2, "_v": 1}, {"_id": "n1", "at": 1, "_v": 2}]
    assert results[3] is not None
    assert results[3]["about"] == 2
    assert results[5] == {"_id": "n1", "at": 1, "here": 3, "there": 1, "_v": 3}
    assert await store.get("notes", "n1") == results[5]


async def test_a_number_nobody_took_is_a_mistake(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n1"}))

    with pytest.raises(ValueError, match="before"):
        await store.apply(
            Append("talk", "a", {"_id": "m1"}), Patch("notes", "n1", {"at": Taken("b", "seq")})
        )
    with pytest.raises(ValueError, match="before"):
        await store.apply(Insert("notes", {"_id": "n2", "at": Taken("a", "seq")}))

    assert await store.heads("talk", ["a"]) == {}
    assert await store.scan("notes") == [{"_id": "n1", "_v": 1}]


async def test_a_failed_batch_takes_no_number(store: Store) -> None:
    await store.apply(Append("talk", "a", {"_id": "m1"}, numbered=True))

    with pytest.raises(Conflict):
        await store.apply(
            Append("talk", "a", {"_id": "m2"}, numbered=True), Require("notes", "absent")
        )
    with pytest.raises(Duplicate):
        await store.apply(Append("talk", "a", {"_id": "m1"}, numbered=True))
    [entry] = await store.apply(Append("talk", "a", {"_id": "m3"}, numbered=True))

    assert numbers(entry) == (2, 2, 2)


async def test_a_repeat_does_nothing_and_gives_the_first_entry(store: Store) -> None:
    [first] = await store.apply(
        Append("talk", "a", {"_id": "m1", "text": "一次"}, numbered=True, idem="i")
    )

    with pytest.raises(Repeated) as caught:
        await store.apply(
            Insert("notes", {"_id": "n1"}),
            Append("talk", "b", {"_id": "m2", "text": "两次"}, numbered=True, idem="i"),
        )

    assert caught.value.entry == first
    assert await store.scan("notes") == []
    assert await store.heads("talk", ["b"]) == {}


async def test_a_repeat_is_told_before_any_conflict_it_causes(store: Store) -> None:
    batch: list[Op] = [
        Insert("notes", {"_id": "n1", "badge": "7"}),
        Append("talk", "a", {"_id": "m1"}, idem="i"),
        Patch("notes", "n1", {"owner": "a"}, expect=1),
    ]
    await store.apply(*batch)

    with pytest.raises(Repeated):
        await store.apply(*batch)
    with pytest.raises(Repeated):
        await store.apply(Require("notes", "absent"), batch[1])


async def test_a_repeat_gives_the_entry_as_it_is_now(store: Store) -> None:
    await store.apply(Append("talk", "a", {"_id": "m1", "text": "错话"}, idem="i"))
    await store.apply(Patch("talk", "m1", {"text": None, "recalled_at": 5}))

    with pytest.raises(Repeated) as caught:
        await store.apply(Append("talk", "a", {"_id": "m1", "text": "错话"}, idem="i"))

    assert "text" not in caught.value.entry
    assert caught.value.entry["recalled_at"] == 5


async def test_a_deleted_entry_is_no_longer_recognised(store: Store) -> None:
    await store.apply(Append("talk", "a", {"_id": "m1"}, numbered=True, idem="i"))
    await store.apply(Delete("talk", "m1"))

    [entry] = await store.apply(Append("talk", "a", {"_id": "m2"}, numbered=True, idem="i"))

    assert numbers(entry) == (2, 2, 2)


async def test_the_same_idem_twice_in_one_batch_is_a_duplicate(store: Store) -> None:
    with pytest.raises(Duplicate) as caught:
        await store.apply(
            Append("talk", "a", {"_id": "m1"}, idem="i"),
            Append("talk", "a", {"_id": "m2"}, idem="i"),
        )

    assert caught.value.index == "idem"
    assert await store.heads("talk", ["a"]) == {}


async def test_a_key_keeps_only_its_newest_entry(store: Store) -> None:
    for number, key in enumerate(["x", "y", "x", "x", None, "y"], start=1):
        await store.apply(Append("talk", "a", {"_id": f"m{number}"}, key=key))
    await store.apply(Append("talk", "b", {"_id": "other"}, key="x"))

    tail = (await store.tails("talk", {"a": 0}, 10))["a"]

    assert [(entry["_id"], entry["position"]) for entry in tail] == [
        ("m4", 4),
        ("m5", 5),
        ("m6", 6),
    ]


async def test_positions_rise_when_the_last_entry_is_replaced_or_deleted(
    open_store: OpenStore, tmp_path: Path
) -> None:
    store = await open_store(tmp_path)
    await store.ensure(TALK)
    await store.apply(Append("talk", "a", {"_id": "m1"}, key="k", numbered=True))
    await store.apply(Append("talk", "a", {"_id": "m2"}, key="k", numbered=True))
    await store.apply(Delete("talk", "m2"))
    await store.close()

    store = await open_store(tmp_path)
    [entry] = await store.apply(Append("talk", "a", {"_id": "m3"}, key="k", numbered=True))
    await store.close()

    assert numbers(entry) == (3, 3, 3)


async def test_a_stream_emptied_by_deletes_goes_on_counting(store: Store) -> None:
    for number in range(1, 4):
        await store.apply(Append("talk", "a", {"_id": f"m{number}"}, numbered=number < 3))
    await store.apply(*(Delete("talk", f"m{number}") for number in (3, 1, 2)))

    [entry] = await store.apply(Append("talk", "a", {"_id": "m4"}, numbered=True))

    assert numbers(entry) == (4, 3, 3)


async def test_a_repeat_is_recognised_though_it_would_replace_the_entry_it_repeats(
    store: Store,
) -> None:
    batch = [
        Append("talk", "a", {"_id": "m1"}, idem="i", key="k"),
        Append("talk", "a", {"_id": "m2"}, idem="j", key="k"),
    ]
    await store.apply(*batch)
    await store.apply(Append("talk", "b", {"_id": "m3"}, idem="l", key="k"))

    for again in (batch, [Append("talk", "b", {"_id": "m4"}, idem="l", key="k")]):
        with pytest.raises(Repeated):
            await store.apply(*again)
    with pytest.raises(Repeated):
        await store.apply(Delete("talk", "m2"), Append("talk", "a", {"_id": "m5"}, idem="j"))

    tails = await store.tails("talk", {"a": 0, "b": 0}, 9)
    assert [entry["_id"] for entry in [*tails["a"], *tails["b"]]] == ["m2", "m3"]


async def test_a_failed_replacement_leaves_the_former_entry(store: Store) -> None:
    await store.apply(Append("talk", "a", {"_id": "m1", "text": "会议"}, key="k"))
    await store.apply(Append("talk", "b", {"_id": "m2"}, idem="i"))

    with pytest.raises(Repeated):
        await store.apply(Append("talk", "a", {"_id": "m3"}, key="k", idem="i"))

    assert [doc["_id"] for doc in (await store.tails("talk", {"a": 0}, 9))["a"]] == ["m1"]
    assert [doc["_id"] for doc in await store.search("talk", "会议", {"a": -1})] == ["m1"]


async def test_an_entry_may_be_patched_but_keeps_its_place(store: Store) -> None:
    await store.apply(Append("talk", "a", {"_id": "m1", "text": "旧"}, numbered=True, idem="i"))

    [patched] = await store.apply(Patch("talk", "m1", {"text": "新"}, expect=1))

    assert patched is not None
    assert (patched["text"], *numbers(patched), patched["idem"]) == ("新", 1, 1, 1, "i")
    for field in ("stream", "position", "seq", "number", "idem", "key"):
        with pytest.raises(ValueError, match="patch"):
            await store.apply(Patch("talk", "m1", {field: None}))
    with pytest.raises(ValueError, match="raised"):
        await store.apply(Max("talk", "m1", "position", 9))


async def test_heads_are_the_last_entries_of_the_streams_that_have_one(store: Store) -> None:
    await store.apply(
        Append("talk", "a", {"_id": "m1"}, numbered=True),
        Append("talk", "a", {"_id": "m2"}),
        Append("talk", "b", {"_id": "m3"}),
    )

    last = await store.heads("talk", ["a", "b", "empty", 'odd "name"'])
    last_numbered = await store.heads("talk", ["a", "b"], numbered=True)

    assert {stream: doc["_id"] for stream, doc in last.items()} == {"a": "m2", "b": "m3"}
    assert {stream: doc["_id"] for stream, doc in last_numbered.items()} == {"a": "m1"}


async def test_positions_say_where_the_streams_that_have_entries_end(store: Store) -> None:
    odd = 'odd "name"'
    await store.apply(
        Append("talk", "a", {"_id": "m1"}, numbered=True),
        Append("talk", "a", {"_id": "m2"}, numbered=True),
        Append("talk", "a", {"_id": "m3"}),
        Append("talk", odd, {"_id": "m4"}),
        Append("talk", "gone", {"_id": "m5"}, numbered=True),
    )
    await store.apply(Delete("talk", "m5"))

    asked = ["a", odd, "a", "gone", "never"]

    assert await store.positions("talk", asked) == {"a": (3, 2), odd: (1, 0)}
    assert await store.positions("talk", []) == {}


async def test_positions_follow_what_is_deleted_and_replaced(store: Store) -> None:
    await store.apply(
        Append("talk", "a", {"_id": "m1"}, numbered=True, key="k"),
        Append("talk", "a", {"_id": "m2"}, numbered=True),
        Append("talk", "a", {"_id": "m3"}, numbered=True),
    )

    await store.apply(Delete("talk", "m3"))
    assert await store.positions("talk", ["a"]) == {"a": (2, 2)}
    await store.apply(Append("talk", "a", {"_id": "m4"}, key="k"))
    assert await store.positions("talk", ["a"]) == {"a": (4, 2)}
    await store.apply(Append("talk", "a", {"_id": "m5"}, numbered=True))
    assert await store.positions("talk", ["a"]) == {"a": (5, 4)}


async def test_tails_are_the_first_entries_after_a_position_of_each_stream(store: Store) -> None:
    odd = 'conversation:"42"\\ 会议'
    await store.apply(*(Append("talk", "a", {"_id": f"a{n}"}) for n in range(1, 8)))
    await store.apply(*(Append("talk", odd, {"_id": f"b{n}"}) for n in range(1, 3)))

    tails = await store.tails("talk", {"a": 2, odd: 0, "b": 0}, 3)

    assert {stream: positions(entries) for stream, entries in tails.items()} == {
        "a": [3, 4, 5],
        odd: [1, 2],
        "b": [],
    }


async def test_history_is_found_by_the_built_in_orders(store: Store) -> None:
    await store.apply(
        *(Append("talk", "a", {"_id": f"m{n}"}, numbered=n % 2 == 0) for n in range(1, 9))
    )

    newest = await store.find("talk", "number", ["a"], lt=4, reverse=True, limit=2)
    after = await store.find("talk", "position", ["a"], gt=6)

    assert [doc["number"] for doc in newest] == [3, 2]
    assert positions(after) == [7, 8]
    assert await store.count("talk", "number", ["a"]) == 4


async def test_a_log_may_have_indexes_of_its_own(store: Store) -> None:
    await store.apply(Append("talk", "a", {"_id": "m1", "sender": "p1", "at": 1}))
    await store.apply(Append("talk", "b", {"_id": "m2", "sender": "p1", "at": 2}))

    await store.ensure(
        Collection("talk", log=True, indexes=(Index("by_at", ("at",), unique=True),))
    )

    assert [doc["_id"] for doc in await store.find("talk", "by_sender", ["p1"])] == ["m1", "m2"]
    with pytest.raises(Duplicate) as caught:
        await store.apply(Append("talk", "a", {"_id": "m3", "at": 2}))
    assert caught.value.index == "by_at"


class Line(msgspec.Struct):
    """As much of an entry as is read here."""

    stream: str
    id: str = msgspec.field(name="_id")


async def test_what_was_missed_comes_in_one_read_with_the_ends(store: Store) -> None:
    for stream, number in (("a", 1), ("b", 1), ("a", 2), ("a", 3)):
        await store.apply(Append("talk", stream, {"_id": f"{stream}{number}"}, numbered=True))

    missed = await store.missed(Line, "talk", {"a": 1, "b": 1, "none": 0}, most=9, room=10_000)

    assert missed.ends == {"a": 3, "b": 1}
    assert {s: [e.id for e in found] for s, found in missed.entries.items()} == {"a": ["a2", "a3"]}


async def test_what_was_missed_is_bounded_in_all_and_in_the_order_asked(store: Store) -> None:
    for number in range(1, 6):
        for stream in ("a", "b"):
            await store.apply(
                Append("talk", stream, {"_id": f"{stream}{number}", "text": "字" * 90})
            )

    few = await store.missed(Line, "talk", {"b": 3, "a": 0}, most=4, room=10_000)
    narrow = await store.missed(Line, "talk", {"a": 0, "b": 0}, most=9, room=500)
    least = await store.missed(Line, "talk", {"a": 0}, most=9, room=1)

    found = {stream: [e.id for e in entries] for stream, entries in few.entries.items()}
    assert found == {"b": ["b4", "b5"], "a": ["a1", "a2"]}
    assert [e.id for e in narrow.entries["a"]] == ["a1", "a2"]
    assert [e.id for e in least.entries["a"]] == ["a1"]
    assert few.ends == {"a": 5, "b": 5}


async def test_what_stands_no_later_is_left_as_it_is(store: Store) -> None:
    await store.apply(Sooner("notes", {"_id": "n", "at": 5}, "at"))

    [left] = await store.apply(Sooner("notes", {"_id": "n", "at": 5, "owner": "x"}, "at"))
    [stored] = await store.apply(Sooner("notes", {"_id": "n", "at": 4, "owner": "y"}, "at"))

    assert left is None
    assert stored == await store.get("notes", "n") == {"_id": "n", "at": 4, "owner": "y", "_v": 2}


async def test_a_field_that_is_absent_is_later_than_any(store: Store) -> None:
    await store.apply(Insert("notes", {"_id": "n"}))

    await store.apply(Sooner("notes", {"_id": "n", "at": 9}, "at"))

    assert await store.get("notes", "n") == {"_id": "n", "at": 9, "_v": 2}
