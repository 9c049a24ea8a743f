"""Making a database hold what its collections declare.

What was declared is kept in the collection `yuanxin.collections`, one document each. Several servers may
declare at once: indexes are made first, which may be repeated, and the declaration is written in the
version that was read. Search that is declared later is filled in here; an index fills itself.
"""

from typing import Any, Final

import msgspec
from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError, OperationFailure

from server.storage import Collection, Duplicate
from server.storage.declaring import check_names, merged, without
from server.storage.mongodb.commits import index_named_in
from server.storage.mongodb.connection import Database
from server.storage.mongodb.layout import SEARCH_INDEX, Layout, Layouts

COLLECTIONS: Final = "yuanxin.collections"
_PAGE: Final = 1_000
_DUPLICATE: Final = 11000
_NOT_FOUND: Final = (26, 27)
"""`NamespaceNotFound`, `IndexNotFound`."""


async def load(database: Database) -> Layouts:
    """The collections declared so far."""
    layouts = Layouts()
    async for doc in database[COLLECTIONS].find():
        layouts[doc["_id"]] = _layout(doc)
    return layouts


def _layout(doc: dict[str, Any]) -> Layout:
    return Layout(msgspec.convert(doc["declared"], Collection))


async def ensure(database: Database, layouts: Layouts, wanted: Collection) -> Layout:
    """Make the database hold what is declared."""
    check_names(wanted)
    known = layouts.get(wanted.name)
    if known is not None and merged(known.collection, wanted) == known.collection:
        return known
    while True:
        doc = await database[COLLECTIONS].find_one({"_id": wanted.name})
        old = _layout(doc) if doc else None
        layout = Layout(merged(old.collection, wanted) if old else wanted)
        await _make(database, layout, old)
        if await _remember(database, layout, doc):
            return layout


async def drop_index(database: Database, layouts: Layouts, coll: str, name: str) -> Layout:
    """Drop a declared index."""
    while True:
        doc = await database[COLLECTIONS].find_one({"_id": coll})
        old = _layout(doc) if doc else layouts[coll]
        layout = Layout(without(old.collection, name))
        try:
            await database[coll].drop_index(name)
        except OperationFailure as error:
            if error.code not in _NOT_FOUND:
                raise
        if await _remember(database, layout, doc):
            return layout


async def _make(database: Database, layout: Layout, old: Layout | None) -> None:
    there = [spec["name"] for spec in old.index_specs()] if old else []
    new_search = layout.search is not None and (old is None or old.search != layout.search)
    if old and new_search:
        if old.search:
            await database[layout.name].drop_index(SEARCH_INDEX)
            there.remove(SEARCH_INDEX)
        await _fill_search(database, layout)
    specs = [spec for spec in layout.index_specs() if spec["name"] not in there]
    if old is None:
        await _create(database, layout.name)
        if layout.log:
            await _create(database, layout.heads)
    if specs:
        try:
            await database.command(
                {"createIndexes": layout.name, "indexes": specs},
                writeConcern={"w": "majority"},
            )
        except OperationFailure as error:
            if error.code != _DUPLICATE:
                raise
            raise Duplicate(layout.name, index_named_in(str(error))) from error


async def _create(database: Database, name: str) -> None:
    """So that it is there: a transaction is no good place for making collections."""
    try:
        await database.create_collection(name, check_exists=False)
    except OperationFailure as error:
        if error.code != 48:  # NamespaceExists
            raise


async def _fill_search(database: Database, layout: Layout) -> None:
    """Give every document its pairs; one that somebody changes meanwhile has them already."""
    documents = database[layout.name]
    after = ""
    while page := await (
        documents.find({"_id": {"$gt": after}}, batch_size=_PAGE).sort("_id", 1).limit(_PAGE)
    ).to_list():
        updates = []
        for doc in page:
            grams = layout.grams(doc)
            change = {"$set": {"_grams": grams}} if grams else {"$unset": {"_grams": 1}}
            updates.append(UpdateOne({"_id": doc["_id"], "_v": doc["_v"]}, change))
        await documents.bulk_write(updates, ordered=False)
        after = page[-1]["_id"]


async def _remember(database: Database, layout: Layout, old: dict[str, Any] | None) -> bool:
    """Write the declaration down; False when somebody else did since it was read."""
    declared = msgspec.to_builtins(layout.collection)
    if old is None:
        try:
            await database[COLLECTIONS].insert_one(
                {"_id": layout.name, "_v": 1, "declared": declared}
            )
        except DuplicateKeyError:
            return False
        return True
    result = await database[COLLECTIONS].replace_one(
        {"_id": layout.name, "_v": old["_v"]},
        {"_id": layout.name, "_v": old["_v"] + 1, "declared": declared},
    )
    return result.matched_count == 1
