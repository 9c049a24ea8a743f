"""The reads of the port as MongoDB's commands, each of them one question."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from pymongo.asynchronous.command_cursor import AsyncCommandCursor

from server.storage import Doc, L, Missed
from server.storage.bigrams import bigrams, holds
from server.storage.mongodb.connection import Database
from server.storage.mongodb.layout import (
    SEARCH_INDEX,
    WITHOUT_OURS,
    Layout,
    Spec,
    matching,
    ordering,
)

K = TypeVar("K")

_STREAMS_A_READ: Final = 200
"""Streams whose tails are asked for by one command; each is a stage, and stages are limited."""

_A_BATCH: Final = 100
"""Entries that come at once where not all of them may be wanted."""

_MOST_GRAMS: Final = 64
"""Pairs of a long text that are asked for; the whole of it is compared afterwards."""

_SPARE_HITS: Final = 20


async def get(database: Database, layout: Layout, id: str) -> Doc | None:
    return await database[layout.name].find_one({"_id": id}, WITHOUT_OURS)


async def get_many(database: Database, layout: Layout, ids: Sequence[str]) -> dict[str, Doc]:
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    cursor = database[layout.name].find(
        {"_id": {"$in": wanted}}, WITHOUT_OURS, batch_size=len(wanted)
    )
    return {doc["_id"]: doc async for doc in cursor}


async def find(
    database: Database,
    layout: Layout,
    index_name: str,
    eq: Sequence[str | int | bool],
    gt: str | int | None,
    lt: str | int | None,
    reverse: bool,
    limit: int,
) -> list[Doc]:
    index = layout.index(index_name)
    conditions = matching(layout, index, eq)
    bounds = {sign: value for sign, value in (("$gt", gt), ("$lt", lt)) if value is not None}
    if bounds:
        if len(eq) == len(index.keys):
            raise ValueError(f"{layout.name}: index {index.name} has no key left for a range")
        key = index.keys[len(eq)]
        conditions[key] = {**conditions.get(key, {}), **bounds}
    if limit <= 0:
        return []
    cursor = database[layout.name].find(
        conditions, WITHOUT_OURS, hint=index.name, limit=limit, batch_size=limit
    )
    order = ordering(index, len(eq), reverse)
    return await (cursor.sort(order) if order else cursor).to_list()


async def count(
    database: Database, layout: Layout, index_name: str, eq: Sequence[str | int | bool], cap: int
) -> int:
    index = layout.index(index_name)
    conditions = matching(layout, index, eq)
    if cap <= 0:
        return 0
    return await database[layout.name].count_documents(conditions, hint=index.name, limit=cap)


async def scan(database: Database, layout: Layout, after_id: str | None, limit: int) -> list[Doc]:
    if limit <= 0:
        return []
    conditions: Spec = {} if after_id is None else {"_id": {"$gt": after_id}}
    cursor = database[layout.name].find(conditions, WITHOUT_OURS, limit=limit, batch_size=limit)
    return await cursor.sort("_id", 1).to_list()


# Logs


async def heads(
    database: Database, layout: Layout, streams: Sequence[str], numbered: bool
) -> dict[str, Doc]:
    wanted = list(dict.fromkeys(streams))
    if not wanted:
        return {}
    last = "last_numbered" if numbered else "last"
    pipeline: list[Spec] = [
        {"$match": {"_id": {"$in": wanted}, last: {"$ne": None}}},
        {
            "$lookup": {
                "from": layout.name,
                "localField": last,
                "foreignField": "_id",
                "pipeline": [{"$project": WITHOUT_OURS}],
                "as": "entry",
            }
        },
        {"$project": {"entry": 1}},
    ]
    cursor = await database[layout.heads].aggregate(pipeline, batchSize=len(wanted))
    return {head["_id"]: head["entry"][0] async for head in cursor}


async def positions(
    database: Database, layout: Layout, streams: Sequence[str]
) -> dict[str, tuple[int, int]]:
    wanted = list(dict.fromkeys(streams))
    if not wanted:
        return {}
    cursor = database[layout.heads].find(
        {"_id": {"$in": wanted}}, {"last_position": 1, "number": 1}, batch_size=len(wanted)
    )
    ends = {head["_id"]: (head["last_position"], head["number"]) async for head in cursor}
    return {stream: end for stream, end in ends.items() if end[0]}


async def tails(
    database: Database, layout: Layout, after: Mapping[str, int], limit: int
) -> dict[str, list[Doc]]:
    found: dict[str, list[Doc]] = {stream: [] for stream in after}
    if limit <= 0:
        return found
    wanted = list(after.items())
    for start in range(0, len(wanted), _STREAMS_A_READ):
        some = wanted[start : start + _STREAMS_A_READ]
        async for doc in await _following(database, layout, some, limit, limit * len(some)):
            found[doc["stream"]].append(doc)
    return found


def read_as(kind: type[K], doc: Doc) -> K:
    """Through JSON, in which some classes leave a part of it."""
    return msgspec.json.decode(msgspec.json.encode(doc), type=kind)


async def missed(
    kind: type[L],
    database: Database,
    layout: Layout,
    after: Mapping[str, int],
    most: int,
    room: int,
) -> Missed[L]:
    """The ends first: an entry that comes in between may be here, none up to an end can be absent."""
    standing = await positions(database, layout, list(after))
    ends = {stream: position for stream, (position, _) in standing.items()}
    behind = [(s, position) for s, position in after.items() if ends.get(s, 0) > position]
    entries: dict[str, list[L]] = {}
    for start in range(0, len(behind), _STREAMS_A_READ):
        some = behind[start : start + _STREAMS_A_READ]
        async for doc in await _following(database, layout, some, most, min(most, _A_BATCH)):
            text = msgspec.json.encode(doc)
            entries.setdefault(doc["stream"], []).append(msgspec.json.decode(text, type=kind))
            most, room = most - 1, room - len(text)
            if most <= 0 or room <= 0:
                return Missed(ends, entries)
    return Missed(ends, entries)


async def _following(
    database: Database,
    layout: Layout,
    after: Sequence[tuple[str, int]],
    limit: int,
    batch: int,
) -> AsyncCommandCursor[Doc]:
    """The first entries of each stream after a position, one stream after the other."""
    first, *others = [_tail(each, limit) for each in after]
    union = [{"$unionWith": {"coll": layout.name, "pipeline": tail}} for tail in others]
    return await database[layout.name].aggregate([*first, *union], batchSize=batch)


def _tail(after: tuple[str, int], limit: int) -> list[Spec]:
    stream, position = after
    return [
        {"$match": {"stream": stream, "position": {"$gt": position}}},
        {"$sort": {"position": 1}},
        {"$limit": limit},
        {"$project": WITHOUT_OURS},
    ]


# Text


async def search(
    database: Database,
    layout: Layout,
    text: str,
    scopes: Mapping[str, int],
    before: int | None,
    limit: int,
) -> list[Doc]:
    """Newest first. The pairs find the candidates, as stored; that they stand in a row is seen here."""
    assert layout.search is not None
    text_field = layout.search.text_field
    conditions = _search_conditions(layout, text, scopes)
    found: list[Doc] = []
    while len(found) < limit:
        if before is not None:
            conditions["_rank"] = {"$lt": before}
        room = limit - len(found) + _SPARE_HITS
        page = await (
            database[layout.name]
            .find(conditions, {"_grams": 0, "_held": 0}, hint=SEARCH_INDEX, batch_size=room)
            .sort("_rank", -1)
            .limit(room)
            .to_list()
        )
        found += [doc for doc in page if holds(doc[text_field], text)]
        if len(page) < room:
            break
        before = page[-1]["_rank"]
    return found[:limit]


def _search_conditions(layout: Layout, text: str, scopes: Mapping[str, int]) -> dict[str, Any]:
    assert layout.search is not None
    scope_field = layout.search.scope_field
    grams = list(dict.fromkeys(bigrams(text)))[:_MOST_GRAMS]
    conditions: dict[str, Any] = {
        scope_field: {"$in": list(scopes)},
        "_grams": {"$all": grams, "$exists": True},
    }
    if layout.log:
        by_floor: dict[int, list[str]] = {}
        for scope, floor in scopes.items():
            by_floor.setdefault(floor, []).append(scope)
        conditions["$or"] = [
            {scope_field: {"$in": some}, "seq": {"$gt": floor}} for floor, some in by_floor.items()
        ]
    return conditions
