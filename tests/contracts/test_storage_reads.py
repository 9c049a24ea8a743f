"""How documents are found: by id, by declared index, in pages, and indexes added later."""

from pathlib import Path

import msgspec
import pytest

from server.storage import (
    Collection,
    Duplicate,
    Index,
    Insert,
    Op,
    Patch,
    Search,
    StorageError,
    Store,
)
from tests.contracts.storage_adapters import OpenStore


def ids(docs: list[dict[str, object]]) -> list[object]:
    return [doc["_id"] for doc in docs]


@pytest.fixture
async def filled(store: Store) -> Store:
    rooms: list[Op] = [
        Insert(
            "notes",
            {
                "_id": f"n{number}",
                "owner": "a" if number % 2 else "b",
                "at": number * 10,
                "building": "东楼" if number < 6 else "西楼",
                "floor": number % 3,
                "room": f"{number:02}",
            },
        )
        for number in range(10)
    ]
    await store.apply(*rooms)
    return store


async def test_an_absent_document_is_none(store: Store) -> None:
    assert await store.get("notes", "n1") is None


async def test_many_documents_are_read_by_id(filled: Store) -> None:
    found = await filled.get_many("notes", ["n3", "absent", "n1", "n3"])

    assert {id: doc["at"] for id, doc in found.items()} == {"n1": 10, "n3": 30}
    assert await filled.get_many("notes", []) == {}


async def test_find_gives_equal_documents_in_index_order(filled: Store) -> None:
    assert ids(await filled.find("notes", "by_owner", ["a"])) == ["n1", "n3", "n5", "n7", "n9"]
    assert ids(await filled.find("notes", "by_owner", ["a"], reverse=True, limit=2)) == ["n9", "n7"]
    assert await filled.find("notes", "by_owner", ["nobody"]) == []


async def test_find_takes_a_range_of_the_next_key_without_its_ends(filled: Store) -> None:
    assert ids(await filled.find("notes", "by_owner", ["a"], gt=10, lt=90)) == ["n3", "n5", "n7"]
    assert ids(await filled.find("notes", "by_owner", ["a"], gt=50)) == ["n7", "n9"]
    assert ids(await filled.find("notes", "by_owner", ["a"], lt=50, reverse=True)) == ["n3", "n1"]
    assert ids(await filled.find("notes", "by_owner", gt="a", limit=2)) == ["n0", "n2"]


class Place(msgspec.Struct):
    """A document read for its place only, part of which stays as it is kept."""

    building: str
    floor: msgspec.Raw
    id: str = msgspec.field(name="_id")


async def test_documents_are_found_as_a_class_that_names_less_than_they_hold(filled: Store) -> None:
    found = await filled.find_as(Place, "notes", "by_place", ["东楼"], limit=2)
    whole = await filled.find("notes", "by_place", ["东楼"], limit=2)

    assert [(one.id, one.building) for one in found] == [("n0", "东楼"), ("n3", "东楼")]
    assert [msgspec.json.decode(one.floor) for one in found] == [doc["floor"] for doc in whole]


async def test_find_orders_by_all_keys_after_the_equal_ones(filled: Store) -> None:
    everywhere = await filled.find("notes", "by_place")
    east = await filled.find("notes", "by_place", ["东楼"])
    floor = await filled.find("notes", "by_place", ["东楼", 1], gt="01")

    order = [(doc["building"], doc["floor"], doc["room"]) for doc in everywhere]
    assert order == sorted(order)
    assert ids(east) == ["n0", "n3", "n1", "n4", "n2", "n5"]
    assert ids(floor) == ["n4"]


async def test_find_pages_through_an_index(filled: Store) -> None:
    seen: list[int] = []
    while page := await filled.find(
        "notes", "by_owner", ["b"], gt=seen[-1] if seen else -1, limit=2
    ):
        seen += [doc["at"] for doc in page]

    assert seen == [0, 20, 40, 60, 80]


async def test_equal_index_entries_come_in_the_order_of_storing(store: Store) -> None:
    for id in ("z", "m", "a"):
        await store.apply(Insert("notes", {"_id": id, "owner": "a", "at": 1}))

    assert ids(await store.find("notes", "by_owner", ["a"])) == ["z", "m", "a"]
    assert ids(await store.find("notes", "by_owner", ["a"], reverse=True)) == ["a", "m", "z"]


async def test_strings_are_ordered_by_code_point(store: Store) -> None:
    for owner in ("一", "b", "😀", "B", "a", "王"):
        await store.apply(Insert("notes", {"_id": owner, "owner": owner, "at": 1}))

    assert ids(await store.find("notes", "by_owner")) == sorted(["一", "b", "😀", "B", "a", "王"])


async def test_a_sparse_index_holds_only_documents_with_all_its_fields(store: Store) -> None:
    await store.apply(
        Insert("notes", {"_id": "n1", "is_open": True, "at": 1}),
        Insert("notes", {"_id": "n2", "is_open": False, "at": 2}),
        Insert("notes", {"_id": "n3", "is_open": None, "at": 3}),
        Insert("notes", {"_id": "n4", "at": 4}),
        Insert("notes", {"_id": "n5", "is_open": True}),
    )

    assert ids(await store.find("notes", "by_open", [True])) == ["n1"]
    assert ids(await store.find("notes", "by_open")) == ["n2", "n1"]
    assert await store.count("notes", "by_open", [True]) == 1


async def test_an_index_follows_what_is_patched(filled: Store) -> None:
    await filled.apply(Patch("notes", "n1", {"owner": "c"}), Patch("notes", "n3", {"at": 1000}))

    assert ids(await filled.find("notes", "by_owner", ["c"])) == ["n1"]
    assert ids(await filled.find("notes", "by_owner", ["a"])) == ["n5", "n7", "n9", "n3"]


async def test_count_stops_at_its_cap(filled: Store) -> None:
    assert await filled.count("notes", "by_owner") == 10
    assert await filled.count("notes", "by_owner", ["a"]) == 5
    assert await filled.count("notes", "by_owner", ["a"], cap=3) == 3
    assert await filled.count("notes", "by_place", ["东楼", 0]) == 2


async def test_an_undeclared_question_is_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="no index"):
        await store.find("notes", "by_mood")
    with pytest.raises(StorageError, match="no such collection"):
        await store.get("nowhere", "n1")
    with pytest.raises(ValueError, match="only the keys"):
        await store.find("notes", "by_owner", ["a", 1, 2])
    with pytest.raises(ValueError, match="no key left"):
        await store.find("notes", "by_badge", ["a"], gt="b")


async def test_scan_pages_in_order_of_id(filled: Store) -> None:
    first = await filled.scan("notes", limit=4)
    second = await filled.scan("notes", first[-1]["_id"], limit=4)
    third = await filled.scan("notes", second[-1]["_id"], limit=4)

    assert ids(first + second + third) == [f"n{number}" for number in range(10)]


async def test_an_index_declared_later_holds_what_was_there_before(filled: Store) -> None:
    grown = Collection("notes", indexes=(Index("by_room", ("room", "is_open"), unique=True),))

    await filled.ensure(grown)
    await filled.apply(Insert("notes", {"_id": "n10", "room": "10"}))

    assert ids(await filled.find("notes", "by_room", gt="07")) == ["n8", "n9", "n10"]
    assert ids(await filled.find("notes", "by_owner", ["a"], lt=20)) == ["n1"]


async def test_an_index_declared_later_knows_booleans_numbers_and_strings(store: Store) -> None:
    await store.apply(
        Insert("notes", {"_id": "t", "mood": True}),
        Insert("notes", {"_id": "f", "mood": False}),
        Insert("notes", {"_id": "s", "mood": "好"}),
        Insert("notes", {"_id": "i", "mood": 2**53}),
    )

    await store.ensure(Collection("notes", indexes=(Index("by_mood", ("mood",)),)))

    assert ids(await store.find("notes", "by_mood", [True])) == ["t"]
    assert ids(await store.find("notes", "by_mood", [False])) == ["f"]
    assert ids(await store.find("notes", "by_mood", ["好"])) == ["s"]
    assert ids(await store.find("notes", "by_mood", [2**53])) == ["i"]


async def test_a_unique_index_over_what_is_not_unique_is_a_duplicate(filled: Store) -> None:
    with pytest.raises(Duplicate) as caught:
        await filled.ensure(
            Collection("notes", indexes=(Index("one_owner", ("owner",), unique=True),))
        )

    assert caught.value.index == "one_owner"
    await filled.apply(Insert("notes", {"_id": "n10", "owner": "a", "at": 100}))
    with pytest.raises(StorageError, match="no index"):
        await filled.find("notes", "one_owner")


async def test_a_declaration_may_be_repeated_but_not_contradicted(store: Store) -> None:
    await store.ensure(Collection("notes", indexes=(Index("by_owner", ("owner", "at")),)))

    with pytest.raises(StorageError, match="declared otherwise"):
        await store.ensure(Collection("notes", indexes=(Index("by_owner", ("owner",)),)))
    with pytest.raises(StorageError, match="log"):
        await store.ensure(Collection("notes", log=True))


async def test_a_dropped_index_is_gone_and_may_come_back_different(filled: Store) -> None:
    await filled.drop_index("notes", "by_owner")
    with pytest.raises(StorageError, match="no index"):
        await filled.find("notes", "by_owner", ["a"])
    await filled.apply(Insert("notes", {"_id": "n10", "owner": "a", "at": -1}))

    await filled.ensure(Collection("notes", indexes=(Index("by_owner", ("owner",)),)))

    assert len(await filled.find("notes", "by_owner", ["a"])) == 6
    with pytest.raises(StorageError, match="to drop"):
        await filled.drop_index("notes", "by_mood")


async def test_declarations_outlive_the_code_that_made_them(
    open_store: OpenStore, tmp_path: Path
) -> None:
    store = await open_store(tmp_path)
    await store.ensure(Collection("notes", indexes=(Index("by_badge", ("badge",), unique=True),)))
    await store.close()

    store = await open_store(tmp_path)
    await store.ensure(Collection("notes"))
    await store.apply(Insert("notes", {"_id": "n1", "badge": "7"}))
    with pytest.raises(Duplicate):
        await store.apply(Insert("notes", {"_id": "n2", "badge": "7"}))
    await store.close()


@pytest.mark.parametrize("name", ["", "a b", "a-b", 'a"b', "7a", "员工"])
async def test_a_name_is_a_word(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        await store.ensure(Collection(name))
    with pytest.raises(ValueError, match="not a name"):
        await store.ensure(Collection("fine", indexes=(Index("fine", (name,)),)))
    with pytest.raises(ValueError, match="not a name"):
        await store.ensure(Collection("fine", search=Search(name, "stream")))
