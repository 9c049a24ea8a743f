"""What each operation of a batch does to the tables.

Runs on the writer's connection inside a transaction that the writer opens and ends; it knows nothing of
threads. This is the hot path: statements are made once per table, the head of a stream and rows that are
raised again and again are remembered instead of read (nobody else writes), uniqueness is left to the
indexes, and search rows are owed until the end.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import apsw
import msgspec

from server.storage import (
    Append,
    Conflict,
    Delete,
    Doc,
    Duplicate,
    Insert,
    Max,
    Op,
    Patch,
    Put,
    Repeated,
    Require,
    Sooner,
    Taken,
)
from server.storage.sqlite.tables import Table, Tables
from server.storage.sqlite.texts import PendingTexts
from server.storage.taken import Numbers

_MOST_HEADS: Final = 50_000
_MOST_ROWS: Final = 20_000
_LOG_FIELDS: Final = frozenset({"stream", "position", "seq", "number", "idem", "key"})
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Doc).decode


class Operations:
    """Carries out operations on one connection."""

    def __init__(self, db: apsw.Connection, tables: Tables) -> None:
        self.tables = tables
        self.texts = PendingTexts()
        self._db = db
        self.execute = db.cursor().execute
        self.writes = 0
        """Counts what was written: whoever fails and has not moved it has nothing to undo."""
        self._taken = Numbers()
        self._removed: set[tuple[str, str | None]] = set()
        self._by_type: dict[type[Op], Callable[[Any], Doc | None]] = {
            Insert: self._insert,
            Put: self._put,
            Patch: self._patch,
            Delete: self._delete,
            Max: self._max,
            Require: self._require,
            Append: self._append,
            Sooner: self._sooner,
        }

    def run(self, ops: Sequence[Op]) -> list[Doc | None]:
        """Do the operations in order; an exception leaves the undoing to the caller."""
        self._taken.clear()
        self._removed.clear()
        by_type = self._by_type
        return [by_type[type(op)](op) for op in ops]

    def undone(self, ops: Sequence[Op]) -> None:
        """The operations were rolled back: remember nothing that came from them."""
        for op in ops:
            table = self.tables.get(op.coll)
            if table is None:
                continue
            if isinstance(op, Append):
                table.heads.pop(op.stream, None)
            elif isinstance(op, Insert | Put | Sooner):
                table.rows.pop(op.doc.get("_id", ""), None)
            else:
                table.rows.pop(op.id, None)

    def all_undone(self) -> None:
        self.texts.forget()
        for table in self.tables.values():
            table.heads.clear()
            table.rows.clear()

    def repeated(self, ops: Sequence[Op]) -> Repeated | None:
        """Whether the operations failed because they had been done before."""
        for op in ops:
            if type(op) is Append and op.idem is not None and op.coll in self.tables:
                for (text,) in self.execute(self.tables[op.coll].by_idem, (op.idem,)):
                    return Repeated(_decode(text))
        return None

    # Documents

    def _insert(self, op: Insert) -> Doc:
        table = self._open_table(op.coll)
        doc = self._taken.fill(op.doc)
        doc["_v"] = 1
        self._add(table, doc)
        return doc

    def _put(self, op: Put) -> Doc:
        table = self._open_table(op.coll)
        doc = self._taken.fill(op.doc)
        row = self._row(table, doc["_id"])
        if op.expect is not None and op.expect != (row[1] if row else 0):
            raise Conflict(op.coll, doc["_id"])
        if row is None:
            doc["_v"] = 1
            self._add(table, doc)
        else:
            doc["_v"] = row[1] + 1
            self._replace(table, row[0], doc, indexed=True)
        return doc

    def _sooner(self, op: Sooner) -> Doc | None:
        table = self._open_table(op.coll)
        known = self._known(table, op.doc["_id"])
        if known is not None and known[1].get(op.field, op.doc[op.field] + 1) <= op.doc[op.field]:
            return None
        return self._put(Put(op.coll, op.doc, None))

    def _patch(self, op: Patch) -> Doc:
        table = self.tables[op.coll]
        changes = op.set
        if (
            "_id" in changes
            or "_v" in changes
            or (table.log and not _LOG_FIELDS.isdisjoint(changes))
        ):
            raise ValueError(f"{op.coll}/{op.id}: a patch cannot set {sorted(changes)}")
        row = self._row(table, op.id)
        if row is None or (op.expect is not None and op.expect != row[1]):
            raise Conflict(op.coll, op.id)
        doc = _decode(row[2])
        for field, value in changes.items():
            if value is None:
                doc.pop(field, None)
            else:
                doc[field] = self._taken.of(value) if type(value) is Taken else value
        doc["_v"] += 1
        self._replace(table, row[0], doc, indexed=not table.field_set.isdisjoint(changes))
        return doc

    def _max(self, op: Max) -> Doc:
        table = self.tables[op.coll]
        if op.field in ("_id", "_v") or (table.log and op.field in _LOG_FIELDS):
            raise ValueError(f"{op.coll}/{op.id}: {op.field} cannot be raised")
        value = self._taken.of(op.value) if type(op.value) is Taken else op.value
        known = self._known(table, op.id)
        if known is None:
            raise Conflict(op.coll, op.id)
        rank, doc = known
        present = doc.get(op.field)
        if present is None or present < value:
            doc = {**doc, op.field: value, "_v": doc["_v"] + 1}
            self._replace(table, rank, doc, indexed=op.field in table.field_set)
        return doc

    def _delete(self, op: Delete) -> None:
        table = self.tables[op.coll]
        row = self._row(table, op.id)
        if row is None or (op.expect is not None and op.expect != row[1]):
            if op.expect is not None:
                raise Conflict(op.coll, op.id)
            return
        if table.log:
            entry = _decode(row[2])
            self._keep_head(table, entry)
            self._removed.add((op.coll, entry.get("idem")))
        table.rows.pop(op.id, None)
        self._remove(table, row[0])

    def _require(self, op: Require) -> None:
        if op.holding:
            self._require_values(op)
        for (version,) in self.execute(self.tables[op.coll].get_version, (op.id,)):
            if op.expect is None or op.expect == version:
                return
        raise Conflict(op.coll, op.id)

    def _require_values(self, op: Require) -> None:
        known = self._known(self.tables[op.coll], op.id)
        if known is None or not op.holding.items() <= known[1].items():
            raise Conflict(op.coll, op.id)

    # Logs

    def _append(self, op: Append) -> Doc:
        table = self.tables[op.coll]
        if not table.log:
            raise ValueError(f"{op.coll} is not a log")
        stream = op.stream
        heads = table.heads
        position, seq = heads.get(stream) or self._head(table, stream)
        position += 1
        doc = self._taken.fill(op.doc)
        doc["_v"] = 1
        doc["stream"] = stream
        doc["position"] = position
        if op.numbered:
            seq += 1
            doc["number"] = seq
        doc["seq"] = seq
        if op.idem is not None:
            doc["idem"] = op.idem
        if op.key is not None:
            doc["key"] = op.key
            for rank, idem in list(self.execute(table.by_key, (stream, op.key))):
                self._remove(table, rank)
                self._removed.add((op.coll, idem))
        # The index would no longer see it: this batch itself removed the entry that it repeats.
        if op.idem is not None and self._removed and (op.coll, op.idem) in self._removed:
            raise Duplicate(op.coll, "idem")
        self._add(table, doc)
        if len(heads) >= _MOST_HEADS:
            heads.clear()
        heads[stream] = self._taken[stream] = (position, seq)
        return doc

    def _head(self, table: Table, stream: str) -> tuple[int, int]:
        """Position and seq of the last entry there ever was in the stream."""
        known = [(0, 0)]
        known += self.execute(table.last, (stream,))
        known += self.execute(
            "SELECT position, seq FROM log_heads WHERE coll=? AND stream=?", (table.name, stream)
        )
        return max(known)

    def _keep_head(self, table: Table, entry: Doc) -> None:
        """Before an entry goes: if it is its stream's last, its numbers must not come again."""
        stream = entry["stream"]
        head = table.heads.get(stream) or self._head(table, stream)
        if head[0] == entry["position"]:
            self.writes += 1
            self.execute(
                "INSERT OR REPLACE INTO log_heads VALUES (?,?,?,?)", (table.name, stream, *head)
            )

    # Rows

    def _open_table(self, coll: str) -> Table:
        table = self.tables[coll]
        if table.log:
            raise ValueError(f"{coll} is a log: entries are made by Append")
        return table

    def _row(self, table: Table, id: str) -> tuple[int, int, str] | None:
        for rank, version, text in self.execute(table.get_row, (id,)):
            return rank, version, text
        return None

    def _known(self, table: Table, id: str) -> tuple[int, Doc] | None:
        """Rank and document of a row that is likely to be asked for again."""
        known = table.rows.get(id)
        if known is None and (row := self._row(table, id)) is not None:
            known = (row[0], _decode(row[2]))
            if not table.log:
                if len(table.rows) >= _MOST_ROWS:
                    table.rows.clear()
                table.rows[id] = known
        return known

    def _add(self, table: Table, doc: Doc) -> None:
        get = doc.get
        values = [doc["_id"], 1, _encode(doc), *map(get, table.fields)]
        try:
            self.execute(table.insert, values)
        except apsw.ConstraintError as error:
            raise table.duplicate(error) from None
        self.writes += 1
        if table.search:
            self.texts.stored(table, self._db.last_insert_rowid(), doc, replaces=False)

    def _replace(self, table: Table, rank: int, doc: Doc, *, indexed: bool) -> None:
        text = _encode(doc)
        if not indexed:
            self.execute(table.update, (doc["_v"], text, rank))
        else:
            values = [doc["_v"], text, *map(doc.get, table.fields), rank]
            try:
                self.execute(table.update_indexed, values)
            except apsw.ConstraintError as error:
                raise table.duplicate(error) from None
        self.writes += 1
        if doc["_id"] in table.rows:
            table.rows[doc["_id"]] = (rank, doc)
        if table.search:
            self.texts.stored(table, rank, doc, replaces=True)

    def _remove(self, table: Table, rank: int) -> None:
        self.execute(table.delete, (rank,))
        self.writes += 1
        if table.search:
            self.texts.removed(table, rank)
