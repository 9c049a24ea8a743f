"""Writing a draft: one transaction, and what came of it.

The documents were read outside of the transaction, so every write names the version that was read, and a
document that was only relied on is touched as well (`_held`): whoever changed one of them meanwhile makes
the transaction fail, and nothing is written. That is `Stale`: the group is worked out again on new facts.

A commit whose answer is lost is asked for again in the same transaction until the servers say what became
of it; they remember it across a change of the primary. So it is never done twice.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import pymongo
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.read_concern import ReadConcern

from server.storage import Doc
from server.storage.mongodb.connection import MAJORITY, Database
from server.storage.mongodb.draft import Draft, Known, Step
from server.storage.mongodb.facts import DocFact, Record
from server.storage.mongodb.layout import Layout, Layouts

_DUPLICATE: Final = 11000
_WRITE_CONFLICT: Final = 112


class Write(NamedTuple):
    """One write, and the document it is about."""

    op: InsertOne[Any] | ReplaceOne[Any] | UpdateOne | DeleteOne
    doc: Doc


class Stale(Exception):
    """The facts changed while the draft was made; nothing was written."""


class Taken(Exception):
    """A value is taken in a unique index; nothing was written. `doc` is what wanted it."""

    def __init__(self, coll: str, index: str, doc: Doc) -> None:
        super().__init__(f"{coll}.{index}")
        self.coll, self.index, self.doc = coll, index, doc


def plan(draft: Draft, known: Known, layouts: Layouts) -> dict[str, list[Write]]:
    """What has to be written, by collection: heads first, where two servers meet most likely."""
    steps: defaultdict[str, list[Step]] = defaultdict(list)
    for step in draft.steps:
        steps[step[0].coll].append(step)
    writes = {
        coll: _one_by_one(part) if _order_matters(layouts.get(coll), part) else _net(part, known)
        for coll, part in steps.items()
    }
    changed = {step[0] for step in draft.steps}
    for fact, record in draft.relied_on.items():
        if fact not in changed:
            held = UpdateOne(_as_read(record), {"$inc": {"_held": 1}})
            writes.setdefault(fact.coll, []).append(Write(held, record.doc))
    order = sorted(writes, key=lambda coll: not coll.endswith(".heads"))
    return {coll: writes[coll] for coll in order if writes[coll]}


def _order_matters(layout: Layout | None, steps: Sequence[Step]) -> bool:
    """Whether a declared unique value may be let go and taken in these steps."""
    if layout is None or not layout.unique:
        return False
    let_go = taken = False
    for _, before, after in steps:
        if before and after:
            moved = any(before.doc.get(f) != after.doc.get(f) for f in layout.unique_fields)
            let_go, taken = let_go or moved, taken or moved
        let_go, taken = let_go or after is None, taken or before is None
    return let_go and taken


def _one_by_one(steps: Sequence[Step]) -> list[Write]:
    return [_write(before, after) for _, before, after in steps]


def _net(steps: Sequence[Step], known: Known) -> list[Write]:
    """From what was to what will be, each document once: first what goes, last what comes."""
    ends: dict[DocFact, Record | None] = {fact: after for fact, _, after in steps}
    pairs = [(known[fact], after) for fact, after in ends.items()]
    writes = [_write(before, after) for before, after in pairs if before or after]
    return sorted(
        writes, key=lambda write: (DeleteOne, ReplaceOne, InsertOne).index(type(write.op))
    )


def _write(before: Record | None, after: Record | None) -> Write:
    if after is None:
        assert before is not None
        return Write(DeleteOne(_as_read(before)), before.doc)
    assert after.stored is not None
    if before is None:
        return Write(InsertOne(after.stored), after.doc)
    return Write(ReplaceOne(_as_read(before), after.stored), after.doc)


def _as_read(record: Record) -> Doc:
    """The document in the version that was read, and not another one that came under its id since."""
    rank = {"_rank": record.rank} if record.rank else {}
    return {"_id": record.doc["_id"], "_v": record.version, **rank}


async def write(
    session: AsyncClientSession,
    database: Database,
    writes: Mapping[str, Sequence[Write]],
    within_s: float,
) -> None:
    """Begin a transaction and write. Raises Stale, Taken or what the driver says; then it is aborted."""
    await session.start_transaction(ReadConcern("snapshot"), MAJORITY)
    try:
        with pymongo.timeout(within_s):
            for coll, part in writes.items():
                await _write_part(session, database, coll, part)
    except BaseException:
        # In a time of its own: with none left nothing would be sent, and everybody else be kept out.
        with pymongo.timeout(within_s):
            await session.abort_transaction()
        raise


async def _write_part(
    session: AsyncClientSession, database: Database, coll: str, part: Sequence[Write]
) -> None:
    try:
        result = await database[coll].bulk_write([write.op for write in part], session=session)
    except BulkWriteError as error:
        raise _refused(coll, part, error) from error
    wanted = sum(not isinstance(write.op, InsertOne) for write in part)
    if result.deleted_count + result.matched_count < wanted:
        raise Stale(coll)


def _refused(coll: str, part: Sequence[Write], error: BulkWriteError) -> Exception:
    refusal = error.details["writeErrors"][0]
    if refusal.get("code") == _WRITE_CONFLICT:
        return Stale(coll)
    if refusal.get("code") != _DUPLICATE:
        return error
    index = index_named_in(refusal.get("errmsg", ""))
    return Taken(coll, index, part[refusal["index"]].doc)


def index_named_in(message: str) -> str:
    """The index of `E11000 duplicate key error collection: d.c index: NAME dup key: …`."""
    return message.partition(" index: ")[2].partition(" dup key")[0]


def is_unknown(error: PyMongoError) -> bool:
    """Whether a commit may have happened all the same."""
    return error.has_error_label("UnknownTransactionCommitResult")
