"""What a group of batches will leave, worked out on the facts that were loaded.

The operations of a batch are done here one after the other, as SQLite would do them, on a layer of changes
over the group's changes over the facts. A batch that fails leaves no trace, so its neighbours go on. What
comes out is which documents to write; `commits` writes them if the facts still hold. Only the unique
indexes somebody declared are left to the database.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
    StorageError,
    Taken,
)
from server.storage.mongodb.facts import (
    BeforeFact,
    DocFact,
    Fact,
    HolderFact,
    Record,
    head_record,
    record,
)
from server.storage.mongodb.layout import LOG_FIELDS, OURS, Layout, Layouts
from server.storage.taken import Numbers

Known = dict[Fact, Any]
Step = tuple[DocFact, Record | None, Record | None]
"""One change of a document: which, as it was, as it becomes."""


class Unknown(Exception):
    """A fact has to be loaded first."""

    def __init__(self, fact: Fact) -> None:
        super().__init__(fact)
        self.fact = fact


class Draft:
    """The changes of a group. `next_rank` gives places in the order of storing, above the one given."""

    def __init__(self, layouts: Layouts, known: Known, next_rank: Callable[[int], int]) -> None:
        self.steps: list[Step] = []
        self.relied_on: dict[DocFact, Record] = {}
        self.missing: set[Fact] = set()
        self._layouts = layouts
        self._known = known
        self._next_rank = next_rank
        self._group: Known = {}
        self._batch: Known = {}
        self._batch_steps: list[Step] = []
        self._batch_relied_on: dict[DocFact, Record] = {}
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
        """Do a batch. Raises what it fails with; facts that were missing make it give nothing."""
        self._batch, self._batch_steps, self._batch_relied_on = {}, [], {}
        self._taken, self._removed = Numbers(), set()
        try:
            results = [self._by_type[type(op)](op) for op in ops]
        except Unknown as unknown:
            self.missing.add(unknown.fact)
            return []
        except StorageError as error:
            self._batch = {}
            raise self._repeated(ops) or error from None
        self._group |= self._batch
        self.steps += self._batch_steps
        self.relied_on |= self._batch_relied_on
        return results

    def _repeated(self, ops: Sequence[Op]) -> Repeated | None:
        """Whether a batch failed because it had been done before."""
        for op in ops:
            if type(op) is Append and op.idem is not None and op.coll in self._layouts:
                entry = self._holder(op.coll, None, op.idem)
                if entry is not None:
                    return Repeated(entry.doc)
        return None

    # Facts

    def _look(self, fact: Fact) -> Any:
        for layer in (self._batch, self._group, self._known):
            if fact in layer:
                return layer[fact]
        raise Unknown(fact)

    def _record(self, coll: str, id: str) -> Record | None:
        found: Record | None = self._look(DocFact(coll, id))
        return found

    def _holder(self, coll: str, stream: str | None, value: str) -> Record | None:
        id = self._look(HolderFact(coll, stream, value))
        return None if id is None else self._record(coll, id)

    def _change(self, coll: str, before: Record | None, after: Record | None) -> None:
        changed = after or before
        assert changed is not None
        fact = DocFact(coll, changed.doc["_id"])
        self._batch[fact] = after
        self._batch_steps.append((fact, before, after))

    # Documents

    def _insert(self, op: Insert) -> Doc:
        layout = self._open_layout(op.coll)
        doc = self._filled(op.doc)
        if self._record(op.coll, doc["_id"]) is not None:
            raise Duplicate(op.coll, "_id")
        return self._store(layout, doc, None)

    def _put(self, op: Put) -> Doc:
        layout = self._open_layout(op.coll)
        doc = self._filled(op.doc)
        present = self._record(op.coll, doc["_id"])
        if op.expect is not None and op.expect != (present.version if present else 0):
            raise Conflict(op.coll, doc["_id"])
        return self._store(layout, doc, present)

    def _sooner(self, op: Sooner) -> Doc | None:
        layout = self._open_layout(op.coll)
        doc = self._filled(op.doc)
        present = self._record(op.coll, doc["_id"])
        if present is not None and present.doc.get(op.field, doc[op.field] + 1) <= doc[op.field]:
            # It says what this batch would have said: nobody may take it away meanwhile.
            self._batch_relied_on[DocFact(op.coll, doc["_id"])] = present
            return None
        return self._store(layout, doc, present)

    def _patch(self, op: Patch) -> Doc:
        layout, changes = self._layouts[op.coll], op.set
        if (
            "_id" in changes
            or "_v" in changes
            or (layout.log and not LOG_FIELDS.isdisjoint(changes))
        ):
            raise ValueError(f"{op.coll}/{op.id}: a patch cannot set {sorted(changes)}")
        present = self._present(op.coll, op.id, op.expect)
        doc = dict(present.doc)
        for field, value in changes.items():
            if value is None:
                doc.pop(field, None)
            else:
                doc[field] = self._taken.of(value) if type(value) is Taken else value
        return self._store(layout, doc, present)

    def _max(self, op: Max) -> Doc:
        layout = self._layouts[op.coll]
        if op.field in ("_id", "_v") or (layout.log and op.field in LOG_FIELDS):
            raise ValueError(f"{op.coll}/{op.id}: {op.field} cannot be raised")
        value = self._taken.of(op.value) if type(op.value) is Taken else op.value
        present = self._present(op.coll, op.id, None)
        held = present.doc.get(op.field)
        if held is not None and held >= value:
            return present.doc
        return self._store(layout, {**present.doc, op.field: value}, present)

    def _delete(self, op: Delete) -> None:
        layout = self._layouts[op.coll]
        present = self._record(op.coll, op.id)
        if present is None or (op.expect is not None and op.expect != present.version):
            if op.expect is not None:
                raise Conflict(op.coll, op.id)
            return
        if layout.log:
            self._forget_entry(layout, present)
        self._change(op.coll, present, None)

    def _require(self, op: Require) -> None:
        self._layouts[op.coll]
        present = self._present(op.coll, op.id, op.expect)
        if not op.holding.items() <= present.doc.items():
            raise Conflict(op.coll, op.id)
        self._batch_relied_on[DocFact(op.coll, op.id)] = present

    # Logs

    def _append(self, op: Append) -> Doc:
        layout = self._layouts[op.coll]
        if not layout.log:
            raise ValueError(f"{op.coll} is not a log")
        head = self._record(layout.heads, op.stream)
        position, seq = (head.doc["position"], head.doc["seq"]) if head else (0, 0)
        place: Doc = {"_v": 1, "stream": op.stream, "position": position + 1}
        if op.numbered:
            seq += 1
            place["number"] = seq
        place["seq"] = seq
        doc = {**self._filled(op.doc), **place}
        if op.key is not None:
            doc["key"] = op.key
            former = self._holder(op.coll, op.stream, op.key)
            if former is not None:
                self._forget_entry(layout, former)
                self._change(op.coll, former, None)
            self._batch[HolderFact(op.coll, op.stream, op.key)] = doc["_id"]
        if op.idem is not None:
            doc["idem"] = op.idem
            # That this batch itself removed the entry which it repeats does not make it new.
            taken = self._look(HolderFact(op.coll, None, op.idem))
            if taken is not None or (op.coll, op.idem) in self._removed:
                raise Duplicate(op.coll, "idem")
            self._batch[HolderFact(op.coll, None, op.idem)] = doc["_id"]
        if self._record(op.coll, doc["_id"]) is not None:
            raise Duplicate(op.coll, "_id")
        rank = self._next_rank(head.doc["rank"] if head else 0)
        self._change(op.coll, None, record(layout, doc, rank))
        self._taken[op.stream] = (position + 1, seq)
        # The end may have moved back when the former entry was removed.
        self._move_head(
            layout,
            op.stream,
            position=position + 1,
            seq=seq,
            rank=rank,
            last=doc["_id"],
            last_position=position + 1,
            **({"last_numbered": doc["_id"], "number": seq} if op.numbered else {}),
        )
        return doc

    def _forget_entry(self, layout: Layout, entry: Record) -> None:
        """An entry goes: it holds its idem and key no more, and may have been its stream's end."""
        doc = entry.doc
        coll, stream, id = layout.name, doc["stream"], doc["_id"]
        self._removed.add((coll, doc.get("idem")))
        if doc.get("idem") is not None:
            self._batch[HolderFact(coll, None, doc["idem"])] = None
        if doc.get("key") is not None:
            self._batch[HolderFact(coll, stream, doc["key"])] = None
        head = self._record(layout.heads, stream)
        assert head is not None, "a stream with entries has its end written down"
        moved: Doc = {}
        if head.doc["last"] == id:
            before = self._before(coll, stream, "position", doc["position"])
            moved |= {"last": before and before["_id"]}
            moved |= {"last_position": before["position"] if before else 0}
        if head.doc["last_numbered"] == id:
            before = self._before(coll, stream, "number", doc["number"])
            moved |= {"last_numbered": before and before["_id"]}
            moved |= {"number": before["number"] if before else 0}
        if moved:
            self._move_head(layout, stream, **moved)

    def _before(self, coll: str, stream: str, field: str, below: int) -> Doc | None:
        """The last entry of a stream whose position (number) is lower, as the batch sees it."""
        drafted = self._drafted(coll, stream, field, below)
        while (id := self._look(BeforeFact(coll, stream, field, below))) is not None:
            stored, now = self._known[DocFact(coll, id)], self._record(coll, id)
            if now is not None and now.rank == stored.rank:
                known: Doc = stored.doc
                return max(known, drafted or known, key=lambda doc: int(doc[field]))
            # That one is removed by this very group: look before it.
            below = stored.doc[field]
        return drafted

    def _drafted(self, coll: str, stream: str, field: str, below: int) -> Doc | None:
        """The last such entry among those that this group appends."""
        layers = {**self._group, **self._batch}
        found = [
            entry.doc
            for fact, entry in layers.items()
            if isinstance(fact, DocFact) and fact.coll == coll and isinstance(entry, Record)
            if entry.doc["stream"] == stream and entry.doc.get(field, below) < below
        ]
        return max(found, key=lambda doc: int(doc[field]), default=None)

    def _move_head(self, layout: Layout, stream: str, **changes: Any) -> None:
        head = self._record(layout.heads, stream)
        doc: Doc = dict(head.doc) if head else {"_id": stream, "last_numbered": None, "number": 0}
        doc |= {"_v": doc.get("_v", 0) + 1, **changes}
        self._change(layout.heads, head, head_record(doc))

    # Records

    def _open_layout(self, coll: str) -> Layout:
        layout = self._layouts[coll]
        if layout.log:
            raise ValueError(f"{coll} is a log: entries are made by Append")
        return layout

    def _present(self, coll: str, id: str, expect: int | None) -> Record:
        present = self._record(coll, id)
        if present is None or (expect is not None and expect != present.version):
            raise Conflict(coll, id)
        return present

    def _store(self, layout: Layout, doc: Doc, present: Record | None) -> Doc:
        doc["_v"] = present.version + 1 if present else 1
        rank = present.rank if present else self._next_rank(0)
        self._change(layout.name, present, record(layout, doc, rank))
        return doc

    def _filled(self, given: Mapping[str, Any]) -> Doc:
        return self._taken.fill({f: v for f, v in given.items() if f not in OURS})
