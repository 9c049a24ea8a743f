"""What comes of a batch when the connection breaks, the primary goes, or somebody else was quicker.

Every test has a relay of its own before nx-27017 and breaks it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pymongo import InsertOne
from pymongo.errors import PyMongoError

from server.clock import SystemClock
from server.storage import (
    Append,
    Collection,
    Doc,
    Index,
    Insert,
    Op,
    Put,
    StorageError,
    StoreUnavailable,
)
from server.storage.mongodb import MongoStore, commits
from server.storage.mongodb.commits import Write
from tests.storage.mongodb import database_for, double
from tests.storage.wire_double import Double, relay

NOTES = Collection("notes", indexes=(Index("by_badge", ("badge",), unique=True, sparse=True),))
TALK = Collection("talk", log=True)
Fault = Callable[[str, Doc], bool]


@pytest.fixture
async def server() -> AsyncIterator[Double]:
    async with relay(double()[1]) as between:
        yield between


@pytest.fixture
async def store(server: Double, tmp_path: Path) -> AsyncIterator[MongoStore]:
    store = MongoStore(server.url, database=database_for(tmp_path), clock=SystemClock())
    await store.open()
    await store.ensure(NOTES)
    await store.ensure(TALK)
    yield store
    await store.close()


def times(count: int, *names: str, within: bool = True) -> Fault:
    """True of the first so many commands of these names that belong to a transaction."""
    left = [count]

    def fault(name: str, command: Doc) -> bool:
        if name in names and "autocommit" in command and left[0]:
            left[0] -= 1
            return True
        return False

    return fault


def append(id: str) -> list[Op]:
    doc = {"_id": id, "at": 1}
    return [Append("talk", "a", doc, numbered=True, idem=id), Insert("notes", {"_id": id})]


async def stored(store: MongoStore) -> list[tuple[str, int]]:
    entries = (await store.tails("talk", {"a": 0}, 100))["a"]
    assert [doc["_id"] for doc in await store.scan("notes")] == [doc["_id"] for doc in entries]
    return [(entry["_id"], entry["position"]) for entry in entries]


async def test_a_commit_whose_answer_is_lost_is_not_done_twice(
    store: MongoStore, server: Double
) -> None:
    told: list[Sequence[Doc | None]] = []
    server.faults.lose_answer = times(1, "commitTransaction")

    results = await store.apply(*append("m1"), then=told.append)
    await store.apply(*append("m2"))

    assert told == [results]
    assert await stored(store) == [("m1", 1), ("m2", 2)]


async def test_a_commit_that_never_arrived_is_done_once(store: MongoStore, server: Double) -> None:
    told: list[Sequence[Doc | None]] = []
    server.faults.lose_command = times(1, "commitTransaction")

    results = await store.apply(*append("m1"), then=told.append)

    assert told == [results]
    assert await stored(store) == [("m1", 1)]


@pytest.mark.parametrize("name", ["insert", "update"])
@pytest.mark.parametrize("fault", ["lose_answer", "lose_command"])
async def test_a_connection_lost_within_a_transaction_leaves_nothing_half_done(
    store: MongoStore, server: Double, name: str, fault: str
) -> None:
    await store.apply(*append("m1"))
    setattr(server.faults, fault, times(1, name))

    results = await store.apply(*append("m2"), Put("notes", {"_id": "m1", "at": 2}, expect=1))

    assert results[0] is not None
    assert await stored(store) == [("m1", 1), ("m2", 2)]


async def test_who_is_in_the_way_is_waited_for(store: MongoStore, server: Double) -> None:
    conflict = {
        "ok": 0.0,
        "code": 112,
        "codeName": "WriteConflict",
        "errmsg": "WriteConflict error: this operation conflicted with another operation",
        "errorLabels": ["TransientTransactionError"],
    }
    fault = times(3, "insert", "update")
    server.faults.before = lambda name, command: conflict if fault(name, command) else None

    await asyncio.gather(*(store.apply(*append(f"m{n}")) for n in range(5)))

    assert await stored(store) == [(f"m{n}", n + 1) for n in range(5)]


async def test_without_a_primary_everybody_is_told_and_nothing_is_kept(
    server: Double, tmp_path: Path
) -> None:
    name = database_for(tmp_path)
    store = MongoStore(server.url, database=name, clock=SystemClock(), patience_s=0.3)
    await store.open()
    await store.ensure(NOTES)
    await store.ensure(TALK)
    server.faults.has_primary = False

    results = await asyncio.gather(
        *(store.apply(*append(f"m{n}")) for n in range(3)), return_exceptions=True
    )
    state = store.health()
    server.faults.has_primary = True
    await eventually(lambda: store.health().ready)
    await store.apply(*append("m9"))
    kept = await stored(store)
    await store.close()

    assert [type(result) for result in results] == [StoreUnavailable] * 3
    assert not state.ready
    assert state.detail
    assert kept == [("m9", 1)]


async def test_while_nobody_knows_what_became_of_a_commit_it_is_neither_told_nor_repeated(
    server: Double, tmp_path: Path
) -> None:
    name = database_for(tmp_path)
    store = MongoStore(server.url, database=name, clock=SystemClock(), patience_s=0.3)
    await store.open()
    await store.ensure(NOTES)
    await store.ensure(TALK)
    told: list[Sequence[Doc | None]] = []
    server.faults.lose_answer = times(1_000, "commitTransaction")

    with pytest.raises(StoreUnavailable, match="not known"):
        await store.apply(*append("m1"), then=told.append)
    told_meanwhile = list(told)
    server.faults.lose_answer = lambda name, command: False
    await store.apply(*append("m2"))
    kept = await stored(store)
    await store.close()

    assert told_meanwhile == []
    assert len(told) == 1
    assert kept == [("m1", 1), ("m2", 2)]


async def test_one_that_cannot_be_stored_leaves_the_others_of_its_group_alone(
    store: MongoStore, server: Double
) -> None:
    def refuse(name: str, command: Doc) -> Doc | None:
        documents: list[Any] = command.get("documents", [])
        if any(doc["_id"] == "odd" for doc in documents):
            return {"ok": 0.0, "code": 17280, "errmsg": "nested too deeply"}
        return None

    server.faults.before = refuse

    results = await asyncio.gather(
        store.apply(*append("m1")),
        store.apply(Insert("notes", {"_id": "odd"})),
        store.apply(*append("m2")),
        return_exceptions=True,
    )

    assert [isinstance(result, StoreUnavailable) for result in results] == [False, True, False]
    assert await stored(store) == [("m1", 1), ("m2", 2)]


async def test_a_server_that_stands_alone_is_refused_with_the_remedy(tmp_path: Path) -> None:
    async with relay(double()[1]) as server:
        server.set_name = ""
        store = MongoStore(server.url.partition("?")[0], clock=SystemClock())

        with pytest.raises(StorageError, match="--replSet"):
            await store.open()


async def test_a_server_of_long_ago_is_refused(server: Double) -> None:
    server.wire_version = 9
    store = MongoStore(server.url, clock=SystemClock())

    with pytest.raises(StorageError, match=r"5\.0"):
        await store.open()


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://admin:geheim@127.0.0.1:notaport/yuanxin",
        "mongodb://admin:ge@heim@127.0.0.1/yuanxin",
        "mongodb://admin:geheim@{server}/yuanxin",
        "mongodb://",
    ],
)
async def test_no_fault_names_the_password(server: Double, url: str) -> None:
    store = MongoStore(url.format(server=f"127.0.0.1:{server.port}"), clock=SystemClock())

    with pytest.raises(StorageError) as caught:
        await store.open()

    assert "heim" not in str(caught.value)
    assert "heim" not in repr(store)


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


class Frozen(dict[str, list[Write]]):
    """Writes of two collections, between which the process stands still for longer than it may take."""

    def items(self) -> Any:
        first, second = super().items()
        yield first
        time.sleep(0.5)
        yield second


async def test_a_transaction_that_ran_out_of_time_is_ended_all_the_same(
    store: MongoStore, server: Double
) -> None:
    writes = Frozen(
        {coll: [Write(InsertOne({"_id": "n1", "_v": 1}), {})] for coll in ("notes", "talk.heads")}
    )
    async with store._client.start_session() as session:
        with pytest.raises(PyMongoError):
            await commits.write(session, store._database, writes, 0.4)
        async with asyncio.timeout(5):
            await store.apply(Insert("notes", {"_id": "n1"}))
