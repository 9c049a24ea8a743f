"""Loading facts: one question per collection, all collections at once."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from server.storage import Doc
from server.storage.mongodb.connection import Database
from server.storage.mongodb.draft import Known
from server.storage.mongodb.facts import BeforeFact, DocFact, Fact, HolderFact, Record
from server.storage.mongodb.layout import OURS, PRESENT

_WITHOUT: Any = {"_grams": 0, "_held": 0}


async def load(database: Database, wanted: Iterable[Fact]) -> Known:
    """What the database says about these facts."""
    by_collection: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in wanted:
        by_collection[fact.coll].append(fact)
    parts = await asyncio.gather(
        *(_load(database, coll, facts) for coll, facts in by_collection.items())
    )
    known: Known = {}
    for part in parts:
        known |= part
    return known


async def _load(database: Database, coll: str, facts: list[Fact]) -> Known:
    known: Known = dict.fromkeys(facts)
    sought = [fact for fact in facts if not isinstance(fact, BeforeFact)]
    if sought:
        cursor = database[coll].find(_any_of(sought), _WITHOUT, batch_size=len(sought) * 2)
        async for doc in cursor:
            known |= _told_by(coll, doc)
    for fact in facts:
        if isinstance(fact, BeforeFact):
            known |= await _load_before(database, fact)
    return known


def _any_of(facts: list[DocFact | HolderFact]) -> Doc:
    ids: list[str] = []
    by_stream: defaultdict[str | None, list[str]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact, DocFact):
            ids.append(fact.id)
        else:
            by_stream[fact.stream].append(fact.value)
    clauses: list[Doc] = [{"_id": {"$in": ids}}] if ids else []
    for stream, values in by_stream.items():
        held = {"$in": values, **PRESENT}
        clauses.append({"idem": held} if stream is None else {"stream": stream, "key": held})
    return clauses[0] if len(clauses) == 1 else {"$or": clauses}


def _told_by(coll: str, doc: Doc) -> Known:
    """The facts that a document which was found states."""
    rank = doc.get("_rank", 0)
    visible = {field: value for field, value in doc.items() if field not in OURS}
    known: Known = {DocFact(coll, doc["_id"]): Record(visible, rank)}
    if "stream" in doc:
        if doc.get("idem") is not None:
            known[HolderFact(coll, None, doc["idem"])] = doc["_id"]
        if doc.get("key") is not None:
            known[HolderFact(coll, doc["stream"], doc["key"])] = doc["_id"]
    return known


async def _load_before(database: Database, fact: BeforeFact) -> Known:
    present = PRESENT if fact.field == "number" else {}
    found = await (
        database[fact.coll]
        .find({"stream": fact.stream, fact.field: {"$lt": fact.below, **present}}, _WITHOUT)
        .sort(fact.field, -1)
        .limit(1)
        .to_list()
    )
    if not found:
        return {fact: None}
    return {**_told_by(fact.coll, found[0]), fact: found[0]["_id"]}
