"""Rows that end by their age, on every store: in portions, the oldest first, never one that changed."""

import pytest

from server import retention
from server.retention import drop, drop_old
from server.storage import Insert, Patch, Store
from server.storage.document import Document
from tests.contracts.storage_adapters import NOTES


class Note(Document, frozen=True):
    """As the contract's collection has them."""

    collection = NOTES

    owner: str
    at: int


async def left(store: Store) -> list[str]:
    return [doc["_id"] for doc in await store.scan("notes")]


@pytest.fixture(autouse=True)
async def notes(store: Store) -> None:
    docs = [{"_id": f"n{at}", "owner": "ann", "at": at} for at in range(6)]
    await store.apply(*(Insert("notes", doc) for doc in docs))


async def test_what_is_older_goes_portion_by_portion(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    dropped = [await drop_old(store, Note, "by_owner", 3, eq=("ann",)) for _ in range(3)]

    assert dropped == [2, 1, 0]
    assert await left(store) == ["n3", "n4", "n5"]


async def test_a_row_that_changed_meanwhile_stays_until_it_is_read_again(store: Store) -> None:
    read = await store.find("notes", "by_owner", ("ann",), lt=2)
    await store.apply(Patch("notes", "n1", {"at": 9}))

    assert await drop(store, Note, read) == 0
    assert await drop_old(store, Note, "by_owner", 3, eq=("ann",)) == 2
    assert await left(store) == ["n1", "n3", "n4", "n5"]
