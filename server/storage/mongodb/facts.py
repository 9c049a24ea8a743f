"""What is known of the database while a group of batches is worked out.

A fact is something an operation depends on: a document, who holds an idem or a key, which entry comes
before another. Facts are asked for by name; whatever is not known yet is loaded, all of a collection at
once, and the group is worked out again.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import bson
from bson.raw_bson import RawBSONDocument

from server.storage import Append, Doc, Insert, Op, Put, Sooner
from server.storage.mongodb.layout import Layout, Layouts


class DocFact(NamedTuple):
    """The document under an id: a `Record`, or None."""

    coll: str
    id: str


class HolderFact(NamedTuple):
    """The id of the entry that holds an idem, or the key of a stream, or None."""

    coll: str
    stream: str | None
    value: str


class BeforeFact(NamedTuple):
    """The id of the last entry (or numbered entry) of a stream below a position (number), or None."""

    coll: str
    stream: str
    field: str
    below: int


Fact = DocFact | HolderFact | BeforeFact


class Record:
    """A document as it is stored, and its place in the order of storing."""

    __slots__ = ("doc", "rank", "stored")

    def __init__(self, doc: Doc, rank: int, stored: RawBSONDocument | None = None) -> None:
        self.doc = doc
        self.rank = rank
        self.stored = stored

    @property
    def version(self) -> int:
        return int(self.doc["_v"])


_LARGEST: Final = 16 * 1024 * 1024 - 16 * 1024
"""Bytes of a document; MongoDB takes 16 MiB and needs a little for itself."""


def record(layout: Layout, doc: Doc, rank: int) -> Record:
    """A record to be written. Raises ValueError or TypeError when it is no document."""
    for field in doc:
        if field.startswith("$"):
            raise ValueError(f"{layout.name}/{doc['_id']}: a field cannot be called {field}")
    for field in layout.key_fields:
        if not isinstance(value := doc.get(field), str | int | None):
            raise TypeError(f"{layout.name}/{doc['_id']}: {field} is indexed, {value!r} cannot be")
    stored = {**doc, "_rank": rank}
    grams = layout.grams(doc)
    if grams:
        stored["_grams"] = grams
    return Record(doc, rank, _encoded(layout.name, stored))


def head_record(doc: Doc) -> Record:
    """The record of a stream's end, to be written."""
    return Record(doc, 0, RawBSONDocument(bson.encode(doc)))


def _encoded(coll: str, doc: Doc) -> RawBSONDocument:
    try:
        encoded = bson.encode(doc)
    except bson.errors.InvalidDocument as error:
        raise TypeError(f"{coll}/{doc['_id']}: not a document of JSON values: {error}") from None
    except OverflowError as error:
        raise ValueError(f"{coll}/{doc['_id']}: {error}") from None
    if len(encoded) > _LARGEST:
        raise ValueError(f"{coll}/{doc['_id']}: a document of {len(encoded)} bytes is too large")
    return RawBSONDocument(encoded)


def check(ops: Iterable[Op]) -> None:
    """What names documents and entries has to be text. Raises TypeError or ValueError."""
    for op in ops:
        names: list[Any] = [op.doc.get("_id", "")] if isinstance(op, Insert | Put | Sooner) else []
        if isinstance(op, Append):
            names = [op.doc.get("_id", ""), op.stream, op.idem or "", op.key or ""]
        elif not isinstance(op, Insert | Put | Sooner):
            names = [op.id]
        for name in names:
            if not isinstance(name, str):
                raise ValueError(f"{op.coll}: {name!r} names nothing; names are strings")
            name.encode()


def needed(layouts: Layouts, ops: Iterable[Op]) -> Iterator[Fact]:
    """The facts that operations are known to depend on; a few more may turn up on the way."""
    for op in ops:
        layout = layouts.get(op.coll)
        if layout is None:
            continue
        id = op.doc.get("_id") if isinstance(op, Insert | Put | Sooner | Append) else op.id
        if id is not None:
            yield DocFact(op.coll, id)
        if isinstance(op, Append) and layout.log:
            yield DocFact(layout.heads, op.stream)
            if op.idem is not None:
                yield HolderFact(op.coll, None, op.idem)
            if op.key is not None:
                yield HolderFact(op.coll, op.stream, op.key)
