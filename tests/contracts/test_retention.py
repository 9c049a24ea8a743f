"""Rows that end by their age, on every store: in portions, the oldest first, never one that changed."""

from typing import Any

import pytest

from server import retention
from server.acting.documents import Act, act_id
from server.acting.keeping import DAY_MS, KEPT_MS, WITHOUT_END_MS, Keeping
from server.clock import Millis
from server.retention import drop, drop_old
from server.storage import Insert, Patch, Store
from server.storage.document import Document, to_doc
from tests.clocks import ManualClock
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


def act(number: int, state: Any, ended_at: int | None, request_id: str = "7") -> Insert:
    made = Act(
        id=act_id("ann", request_id, number),
        person_id="ann",
        request_id=request_id,
        number=number,
        client_id=f"{request_id}c{number}",
        action="approve",
        via="page",
        title="排班",
        node_id="20",
        asked_at=Millis(0),
        state=state,
        ended_at=None if ended_at is None else Millis(ended_at),
    )
    return Insert("acts", to_doc(made))


async def test_acts_go_after_their_end_with_what_came_before_on_the_document(store: Store) -> None:
    await store.ensure(Act.collection)
    await store.apply(
        act(1, "unknown", None),
        act(2, "refused", 5),
        act(3, "done", 10),
        act(1, "unknown", None, "8"),
        act(2, "done", DAY_MS, "8"),
        act(1, "asked", None, "9"),
    )
    clock = ManualClock(KEPT_MS + 11)

    assert await Keeping(store, clock).drop_old() == 3
    assert [doc["_id"] for doc in await store.scan("acts")] == ["ann:8:1", "ann:8:2", "ann:9:1"]
    clock.advance(DAY_MS / 1000)
    assert await Keeping(store, clock).drop_old() == 2
    clock.advance((WITHOUT_END_MS - KEPT_MS) / 1000)
    assert await Keeping(store, clock).drop_old() == 1
    assert await store.scan("acts") == []
