"""What the storage port promises, as questions to a running database.

An operator asks them of a database server before going live (`python -m server check`), the contract suite
asks them of every adapter. Each question gets two stores open on one empty database, as two servers have
it (an embedded store is given twice), and raises `Broken` with what was seen. They are about what depends
on the database: whether batches are whole, order, uniqueness, and what one server sees of the other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

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
    Put,
    Repeated,
    Require,
    Search,
    Sooner,
    StorageError,
    Store,
    Taken,
)

NOTES: Final = Collection(
    "notes",
    indexes=(
        Index("by_owner", ("owner", "at")),
        Index("by_badge", ("badge",), unique=True, sparse=True),
        Index("by_open", ("is_open", "at"), sparse=True),
    ),
)
TALK: Final = Collection("talk", search=Search("text", "stream"), log=True)

_ROUNDS: Final = 20


class Broken(Exception):
    """A promise is not kept; the sentence says what was seen."""


@dataclass(frozen=True, slots=True)
class Question:
    """One promise, and how it is put to the test. Every question finds the collections empty."""

    promise: str
    ask: Callable[[Store, Store], Awaitable[None]]


def _expect(seen: object, wanted: object, what: str) -> None:
    if seen != wanted:
        raise Broken(f"{what}: {seen!r} instead of {wanted!r}")


async def _fails(store: Store, *ops: Op) -> type[Exception] | None:
    try:
        await store.apply(*ops)
    except StorageError as error:
        return type(error)
    return None


def _ids(docs: list[Doc]) -> list[str]:
    return [doc["_id"] for doc in docs]


async def documents_come_back(first: Store, second: Store) -> None:
    nested: dict[str, Any] = {"a.b": [1, 0.5, None, {"$c": True}], "": "", "nul\x01": {}}
    doc = {"_id": "n1", "owner": "王五 😀", "at": 2**53, "least": -(2**53), "nested": nested}
    await first.apply(Insert("notes", doc))
    _expect(await second.get("notes", "n1"), {**doc, "_v": 1}, "a document")
    await second.apply(Patch("notes", "n1", {"at": None, "new": {"x": 1}}, expect=1))
    changed = {"_id": "n1", "owner": "王五 😀", "least": -(2**53), "nested": nested, "_v": 2}
    _expect(await first.get("notes", "n1"), {**changed, "new": {"x": 1}}, "a patched document")


async def batches_are_whole(first: Store, second: Store) -> None:
    batch: list[Op] = [
        Insert("notes", {"_id": "n1", "badge": "7"}),
        Append("talk", "a", {"_id": "m1", "text": "会议"}, numbered=True, idem="i"),
        Insert("notes", {"_id": "n2", "at": Taken("a", "seq")}),
    ]
    _expect(await _fails(first, *batch, Require("notes", "absent")), Conflict, "a broken condition")
    _expect(await second.scan("notes"), [], "what a batch that failed left")
    _expect(await second.positions("talk", ["a"]), {}, "what a batch that failed left")
    await first.apply(*batch)
    _expect([doc.get("at") for doc in await second.scan("notes")], [None, 1], "a batch")
    late = [Insert("notes", {"_id": "n3"}), Insert("notes", {"_id": "n4", "badge": "7"})]
    _expect(await _fails(second, *late), Duplicate, "a taken value")
    _expect(await first.get("notes", "n3"), None, "what a batch that failed left")


async def failures_undo_only_themselves(first: Store, second: Store) -> None:
    await first.apply(Insert("notes", {"_id": "taken", "badge": "7"}))

    async def fail(number: int) -> None:
        ops = [
            Insert("notes", {"_id": f"bad{number}"}),
            Insert("notes", {"_id": "x", "badge": "7"}),
        ]
        _expect(await _fails(first, *ops), Duplicate, "a taken value")

    async def succeed(number: int) -> None:
        await second.apply(Insert("notes", {"_id": f"good{number}"}))

    each = (task for n in range(_ROUNDS) for task in (fail(n), succeed(n)))
    await asyncio.gather(*each)
    wanted = sorted(["taken", *(f"good{n}" for n in range(_ROUNDS))])
    _expect(_ids(await first.scan("notes")), wanted, "acknowledged documents")


async def versions_are_guarded(first: Store, second: Store) -> None:
    await first.apply(Insert("notes", {"_id": "n1"}))
    for version in range(1, _ROUNDS):
        rivals = (store.apply(Put("notes", {"_id": "n1"}, version)) for store in (first, second))
        results = await asyncio.gather(*rivals, return_exceptions=True)
        losers = [type(result) for result in results if isinstance(result, Exception)]
        _expect(losers, [Conflict], f"two changes of version {version} at once")


async def conditions_hold_at_the_commit(first: Store, second: Store) -> None:
    """Each of two batches relies on what the other one changes: only one may happen."""
    for number in range(_ROUNDS):
        left, right = f"left{number}", f"right{number}"
        await first.apply(Insert("notes", {"_id": left}), Insert("notes", {"_id": right}))
        results = await asyncio.gather(
            _fails(first, Require("notes", left, 1), Patch("notes", right, {"by": "first"})),
            _fails(second, Require("notes", right, 1), Patch("notes", left, {"by": "second"})),
        )
        _expect(set(results), {None, Conflict}, "two batches that rely on each other")


async def values_are_unique(first: Store, second: Store) -> None:
    for number in range(_ROUNDS):
        doc = {"badge": f"{number}"}
        results = await asyncio.gather(
            _fails(first, Insert("notes", {**doc, "_id": f"a{number}"})),
            _fails(second, Insert("notes", {**doc, "_id": f"b{number}"})),
        )
        _expect(set(results), {None, Duplicate}, "one value taken by two at once")
    await first.apply(*(Insert("notes", {"_id": f"none{n}", "badge": None}) for n in range(2)))
    await first.apply(Insert("notes", {"_id": "absent"}))
    [holder] = await second.find("notes", "by_badge", ["7"])
    await second.apply(
        Patch("notes", holder["_id"], {"badge": None}), Insert("notes", {"_id": "h", "badge": "7"})
    )
    _expect(_ids(await first.find("notes", "by_badge", ["7"])), ["h"], "who holds a value let go")


async def indexes_give_order(first: Store, second: Store) -> None:
    for id, owner, at in (
        ("z", "一", 1),
        ("m", "一", 1),
        ("a", "一", 0),
        ("b", "B", 5),
        ("c", "😀", 5),
    ):
        await first.apply(Insert("notes", {"_id": id, "owner": owner, "at": at}))
    await first.apply(
        Insert("notes", {"_id": "o1", "is_open": True, "at": 2}),
        Insert("notes", {"_id": "o2", "is_open": None, "at": 1}),
        Insert("notes", {"_id": "o3", "is_open": True, "at": 1}),
        Insert("notes", {"_id": "o4", "is_open": True}),
    )
    find = second.find
    _expect(_ids(await find("notes", "by_owner", ["一"])), ["a", "z", "m"], "order of an index")
    backwards = await find("notes", "by_owner", ["一"], gt=-1, lt=1, reverse=True)
    _expect(_ids(backwards), ["a"], "a range of an index")
    owners = [doc["_id"] for doc in await find("notes", "by_owner") if "owner" in doc]
    _expect(owners, ["b", "a", "z", "m", "c"], "strings by code point")
    _expect(_ids(await find("notes", "by_open", [True])), ["o3", "o1"], "a sparse index")
    _expect(await second.count("notes", "by_owner", ["一"], cap=2), 2, "a count with a cap")


async def logs_have_no_gaps(first: Store, second: Store) -> None:
    """Both servers are sent every message, into one stream, and a third party follows."""

    async def send(store: Store, number: int, id: str) -> int:
        append = Append("talk", "a", {"_id": id}, numbered=True, idem=f"i{number}")
        try:
            [entry] = await store.apply(append)
        except Repeated as repeated:
            entry = repeated.entry
        return int(entry["seq"]) if entry else 0

    async def follow() -> list[int]:
        seen: list[int] = []
        while len(seen) < _ROUNDS:
            tail = await second.tails("talk", {"a": seen[-1] if seen else 0}, 7)
            seen += [entry["position"] for entry in tail["a"]]
        return seen

    async with asyncio.timeout(60):
        seen, by_first, by_second = await asyncio.gather(
            follow(),
            asyncio.gather(*(send(first, n, f"a{n}") for n in range(_ROUNDS))),
            asyncio.gather(*(send(second, n, f"b{n}") for n in range(_ROUNDS))),
        )
    _expect(seen, list(range(1, _ROUNDS + 1)), "the positions a reader saw")
    _expect(sorted(by_first), list(range(1, _ROUNDS + 1)), "the numbers given")
    _expect(by_second, by_first, "the numbers the other server gave")


async def repeats_are_recognised(first: Store, second: Store) -> None:
    batch: list[Op] = [
        Insert("notes", {"_id": "n1", "badge": "7"}),
        Append("talk", "a", {"_id": "m1", "text": "错话"}, idem="i", numbered=True),
    ]
    results = await asyncio.gather(_fails(first, *batch), _fails(second, *batch))
    _expect(set(results), {None, Repeated}, "one batch from two servers")
    await first.apply(Patch("talk", "m1", {"text": None}))
    try:
        await second.apply(Require("notes", "absent"), *batch)
    except Repeated as repeated:
        _expect("text" in repeated.entry, False, "the first entry, as it is now")
    else:
        raise Broken("a repeat with a broken condition was stored")


async def streams_end_where_they_end(first: Store, second: Store) -> None:
    await first.apply(
        *(
            Append("talk", "a", {"_id": f"m{n}"}, numbered=n < 3, key=f"k{n % 2}")
            for n in range(1, 5)
        )
    )
    await second.apply(Append("talk", "b", {"_id": "m5"}, numbered=True))
    _expect(await first.positions("talk", ["a", "b", "c"]), {"a": (4, 0), "b": (1, 1)}, "the ends")
    await first.apply(Delete("talk", "m4"), Delete("talk", "m5"))
    _expect(await second.positions("talk", ["a", "b"]), {"a": (3, 0)}, "the ends")
    heads = await first.heads("talk", ["a", "b"])
    _expect({stream: doc["_id"] for stream, doc in heads.items()}, {"a": "m3"}, "the last entries")
    [entry] = await second.apply(Append("talk", "b", {"_id": "m6"}, numbered=True))
    _expect(entry and (entry["position"], entry["seq"]), (2, 2), "a number that was used before")


async def maxima_only_rise(first: Store, second: Store) -> None:
    await first.apply(Insert("notes", {"_id": "n1"}))
    stores = (first, second)
    raising = (stores[n % 2].apply(Max("notes", "n1", "at", n)) for n in range(_ROUNDS))
    await asyncio.gather(*raising)
    doc = await second.get("notes", "n1")
    _expect(doc and doc["at"], _ROUNDS - 1, "the highest of many")


async def what_is_left_alone_stands(first: Store, second: Store) -> None:
    """Who takes a document in hand sees what relied on it, or finds that it has changed since."""
    for number in range(_ROUNDS):
        id = f"n{number}"
        await first.apply(Insert("notes", {"_id": id, "at": 5}))
        relying = asyncio.create_task(
            first.apply(
                Append("talk", id, {"_id": f"m{number}"}),
                Sooner("notes", {"_id": id, "at": 6}, "at"),
            )
        )
        [taken] = await second.apply(Patch("notes", id, {"at": 9}))
        seen = await second.positions("talk", [id])
        await relying
        if not seen and taken == await first.get("notes", id):
            raise Broken("a batch relied on what another one had taken away before it was stored")


async def what_was_acked_is_seen(first: Store, second: Store) -> None:
    for number in range(_ROUNDS):
        writer, reader = (first, second) if number % 2 else (second, first)
        await writer.apply(Insert("notes", {"_id": f"n{number}"}))
        seen = await reader.get("notes", f"n{number}")
        _expect(seen is not None, True, "another server sees what was acked")


async def text_is_found(first: Store, second: Store) -> None:
    texts = ["明天下午开会议", "会议室在东楼", "议会不是会 议", "CT 报告 Straße"]
    for number, text in enumerate(texts):
        stream = "a" if number < 3 else "b"
        doc = {"_id": f"m{number}", "text": text}
        await first.apply(Append("talk", stream, doc, numbered=True))
    everywhere = {"a": 0, "b": 0, "c": 0}
    for asked, scopes, wanted in (
        ("会议", everywhere, ["m1", "m0"]),
        ("会议", {"a": 1}, ["m1"]),
        ("会议", {"b": 0}, []),
        ("ct 报", everywhere, ["m3"]),
        ("STRASSE", everywhere, ["m3"]),
    ):
        found = await second.search("talk", asked, scopes)
        _expect(_ids(found), wanted, f"what is found of {asked!r}")
    await first.apply(Patch("talk", "m1", {"text": None}))
    _expect(_ids(await second.search("talk", "会议", everywhere)), ["m0"], "after a recall")


async def indexes_may_come_later(first: Store, second: Store) -> None:
    await first.apply(*(Insert("later", {"_id": f"n{n}", "room": f"{n % 3}"}) for n in range(9)))
    await first.ensure(Collection("later", indexes=(Index("by_room", ("room",)),)))
    found = await first.find("later", "by_room", ["1"])
    _expect(_ids(found), ["n1", "n4", "n7"], "an index that was declared later")
    try:
        await first.ensure(Collection("later", indexes=(Index("one", ("room",), unique=True),)))
    except Duplicate as duplicate:
        _expect(duplicate.index, "one", "the index that cannot be unique")
    else:
        raise Broken("a unique index was made over values that are not")


QUESTIONS: Final = (
    Question("documents come back as they were stored", documents_come_back),
    Question("a batch is stored whole or not at all", batches_are_whole),
    Question("a failed batch undoes nobody else's", failures_undo_only_themselves),
    Question("of two changes to one version one is refused", versions_are_guarded),
    Question("what a batch relies on holds when it is stored", conditions_hold_at_the_commit),
    Question("unique values are unique, absent ones are free", values_are_unique),
    Question("indexes give documents in order", indexes_give_order),
    Question("two servers leave no gap in a log", logs_have_no_gaps),
    Question("a repeat is recognised by either server", repeats_are_recognised),
    Question("a stream's end is known, and no number comes twice", streams_end_where_they_end),
    Question("a maximum only rises", maxima_only_rise),
    Question("what a batch leaves alone stands when it is stored", what_is_left_alone_stands),
    Question("what one server acked the other one sees", what_was_acked_is_seen),
    Question("text is found, within its scopes", text_is_found),
    Question("an index may be declared later", indexes_may_come_later),
)
COLLECTIONS: Final = (NOTES, TALK, Collection("later"))
