"""Which commands go over the wire, how many, and with which promises: seen by the relay before nx-27017."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.clock import SystemClock
from server.storage import Append, Collection, Doc, Index, Insert, Max, Put, Require, Search, Taken
from server.storage.mongodb import MongoStore
from tests.storage.mongodb import database_for, double
from tests.storage.wire_double import relay

MEMBERS = Collection("members", indexes=(Index("of_person", ("person",)),))
OWED = Collection(
    "owed", indexes=(Index("due", ("due_at",)), Index("open", ("is_open",), sparse=True))
)
TALK = Collection("talk", search=Search("text", "stream"), log=True)
MAJORITY = {"w": "majority", "j": True}

Commands = list[tuple[str, Doc]]


@pytest.fixture
def commands() -> Commands:
    """What was asked since the store was opened and its collections declared."""
    return []


@pytest.fixture
async def store(commands: Commands, tmp_path: Path) -> AsyncIterator[MongoStore]:
    async with relay(double()[1]) as server:

        def note(name: str, command: Doc) -> None:
            commands.append((name, command))

        server.faults.before = note
        store = MongoStore(server.url, database=database_for(tmp_path), clock=SystemClock())
        await store.open()
        for collection in (MEMBERS, OWED, TALK):
            await store.ensure(collection)
        await store.apply(Insert("members", {"_id": "a/p1", "person": "p1", "read": 0}))
        commands.clear()
        yield store
        await store.close()


def send(number: int) -> tuple[Any, ...]:
    """What a message in a conversation makes: its entry, the sender's mark, and what is owed."""
    doc = {"_id": f"m{number}", "text": "会议"}
    return (
        Append("talk", "a", doc, numbered=True, idem=f"i{number}"),
        Require("members", "a/p1"),
        Max("members", "a/p1", "read", Taken("a", "seq")),
        Put("owed", {"_id": "chat:a", "due_at": number}, None),
    )


async def test_many_batches_go_in_one_transaction(store: MongoStore, commands: Commands) -> None:
    await asyncio.gather(*(store.apply(*send(number)) for number in range(100)))

    # The first goes alone; the others gather meanwhile.
    names = [name for name, _ in commands]
    assert names.count("commitTransaction") <= 3
    assert len(names) <= 3 * 12


async def test_a_transaction_asks_for_a_majority_and_its_journal(
    store: MongoStore, commands: Commands
) -> None:
    await store.apply(*send(1))

    within = [(name, command) for name, command in commands if "autocommit" in command]
    first, last = within[0][1], within[-1][1]
    assert [name for name, _ in commands[:4]] == ["find"] * 4
    assert first["startTransaction"] is True
    assert first["readConcern"]["level"] == "snapshot"
    assert [command.get("startTransaction") for _, command in within[1:]] == [None] * (
        len(within) - 1
    )
    assert within[-1][0] == "commitTransaction"
    assert {key: last["writeConcern"][key] for key in MAJORITY} == MAJORITY
    assert len({(command["lsid"]["id"], command["txnNumber"]) for _, command in within}) == 1


async def test_a_change_names_the_version_that_was_read(
    store: MongoStore, commands: Commands
) -> None:
    await store.apply(*send(1))
    commands.clear()

    await store.apply(*send(2))

    changes = {
        command["update"]: command["updates"] for name, command in commands if name == "update"
    }
    assert {name: [change["q"]["_v"] for change in some] for name, some in changes.items()} == {
        "talk.heads": [1],
        "members": [2],
        "owed": [1],
    }
    assert all(change["q"].keys() >= {"_id", "_rank"} for change in changes["owed"])


async def test_what_is_only_relied_on_is_touched(store: MongoStore, commands: Commands) -> None:
    await store.apply(Require("members", "a/p1", 1), Insert("owed", {"_id": "o"}))

    [[touch]] = [command["updates"] for name, command in commands if name == "update"]
    assert touch["u"] == {"$inc": {"_held": 1}}
    assert (touch["q"]["_id"], touch["q"]["_v"]) == ("a/p1", 1)
    assert await store.get("members", "a/p1") == {"_id": "a/p1", "person": "p1", "read": 0, "_v": 1}


async def test_every_read_is_one_command_of_one_state(
    store: MongoStore, commands: Commands
) -> None:
    await store.apply(*send(1))
    commands.clear()

    await store.get("owed", "chat:a")
    await store.get_many("owed", ["chat:a", "chat:b"])
    await store.find("owed", "due", gt=0, limit=500)
    await store.count("owed", "due")
    await store.heads("talk", ["a", "b"])
    await store.positions("talk", ["a", "b"])
    await store.tails("talk", {"a": 0, "b": 0, "c": 0}, 200)
    await store.search("talk", "会议", {"a": 0, "b": 3})
    await store.scan("owed")

    assert [name for name, _ in commands] == (
        "find find find aggregate aggregate find aggregate find find".split()
    )
    assert [command["readConcern"] for _, command in commands] == [{"level": "snapshot"}] * 9


async def test_a_find_names_its_index_and_brings_everything_at_once(
    store: MongoStore, commands: Commands
) -> None:
    await store.find("owed", "due", gt=5, reverse=True, limit=500)
    await store.find("owed", "open", [True])

    [(_, due), (_, is_open)] = commands
    assert (due["hint"], due["limit"]) == ("due", 500)
    assert due["batchSize"] >= 500
    assert due["sort"] == {"due_at": -1, "_rank": -1}
    # A partial index is used only for a question that says what it holds.
    present = {"$type": ["string", "number", "bool"]}
    assert is_open["filter"] == {"is_open": {"$eq": True, **present}}


async def test_indexes_are_made_as_they_are_declared(store: MongoStore, commands: Commands) -> None:
    await store.ensure(
        Collection("later", indexes=(Index("badge", ("badge",), unique=True, sparse=True),))
    )
    await store.ensure(Collection("later"))

    [made] = [command for name, command in commands if name == "createIndexes"]
    assert made["writeConcern"] == {"w": "majority"}
    assert made["indexes"] == [
        {
            "name": "badge",
            "key": {"badge": 1},
            "unique": True,
            "partialFilterExpression": {"badge": {"$type": ["string", "number", "bool"]}},
        }
    ]
