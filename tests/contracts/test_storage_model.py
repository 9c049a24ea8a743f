"""Any sequence of batches leaves a store that a few plain dicts predict."""

import asyncio
import copy
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

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
    Store,
)
from tests.contracts.storage_adapters import ADAPTERS, NOTES, TALK, OpenStore

IDS = st.sampled_from(["1", "2", "3"])
STREAMS = st.sampled_from(["a", "b"])
VERSIONS = st.one_of(st.none(), st.integers(0, 3))
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "owner": st.sampled_from(["x", "y"]),
        "at": st.integers(0, 9),
        "badge": st.sampled_from(["p", "q", None]),
    },
)
NOTE_OPS = st.one_of(
    st.builds(lambda id, doc: Insert("notes", {**doc, "_id": id}), IDS, FIELDS),
    st.builds(
        lambda id, doc, expect: Put("notes", {**doc, "_id": id}, expect), IDS, FIELDS, VERSIONS
    ),
    st.builds(lambda id, doc, expect: Patch("notes", id, doc, expect), IDS, FIELDS, VERSIONS),
    st.builds(lambda id, expect: Delete("notes", id, expect), IDS, VERSIONS),
    st.builds(lambda id, value: Max("notes", id, "at", value), IDS, st.integers(0, 9)),
    st.builds(
        lambda id, expect, held: Require("notes", id, expect, held),
        IDS,
        VERSIONS,
        st.one_of(st.just({}), st.fixed_dictionaries({"owner": st.sampled_from(["x", "y"])})),
    ),
    st.builds(
        lambda id, doc, at: Sooner("notes", {**doc, "_id": id, "at": at}, "at"),
        IDS,
        FIELDS,
        st.integers(0, 9),
    ),
)
APPENDS = st.tuples(
    STREAMS, st.booleans(), st.sampled_from([None, "i", "j"]), st.sampled_from([None, "k"])
)


class Model:
    """The promises, kept by dicts."""

    def __init__(self) -> None:
        self.notes: dict[str, Doc] = {}
        self.entries: dict[str, Doc] = {}
        self.heads: dict[str, tuple[int, int]] = {}
        self.minds_badges = True

    def apply(self, ops: list[Op]) -> list[Doc | None] | type[Exception]:
        """What the batch gives or raises; a batch that raises leaves the model as it was."""
        before = copy.deepcopy((self.notes, self.entries, self.heads))
        idems = {op.idem for op in ops if isinstance(op, Append) and op.idem}
        if any(entry.get("idem") in idems for entry in self.entries.values()):
            return Repeated
        try:
            return [copy.deepcopy(self._do(op)) for op in ops]
        except (Conflict, Duplicate) as error:
            self.notes, self.entries, self.heads = before
            return type(error)

    def _do(self, op: Op) -> Doc | None:
        if isinstance(op, Append):
            return self._append(op)
        if isinstance(op, Sooner):
            there = self.notes.get(op.doc["_id"], {}).get("at")
            if there is not None and there <= op.doc["at"]:
                return None
            op = Put("notes", op.doc, None)
        if isinstance(op, Insert | Put):
            id, expect = op.doc["_id"], (0 if isinstance(op, Insert) else op.expect)
        else:
            id, expect = op.id, (op.expect if not isinstance(op, Max) else None)
        docs = self.notes if op.coll == "notes" else self.entries
        present = docs.get(id)
        version = present["_v"] if present else 0
        if isinstance(op, Insert) and present:
            raise Duplicate("notes", "_id")
        if isinstance(op, Delete) and expect is None:
            docs.pop(id, None)
            return None
        if expect is not None and expect != version:
            raise Conflict("notes", id)
        if present is None and not isinstance(op, Insert | Put):
            raise Conflict("notes", id)
        if isinstance(op, Require) and present and not op.holding.items() <= present.items():
            raise Conflict("notes", id)
        return self._change(op, docs, id, present or {"_id": id, "_v": 0})

    def _change(self, op: Op, docs: dict[str, Doc], id: str, present: Doc) -> Doc | None:
        if isinstance(op, Require):
            return None
        if isinstance(op, Delete):
            del docs[id]
            return None
        if isinstance(op, Max):
            if present.get("at", -1) >= op.value:
                return present
            stored = {**present, "at": op.value}
        elif isinstance(op, Patch):
            kept = {field: value for field, value in present.items() if field not in op.set}
            stored = kept | {field: value for field, value in op.set.items() if value is not None}
        else:
            assert isinstance(op, Insert | Put)
            stored = dict(op.doc)
        stored["_v"] = present["_v"] + 1
        others = {doc.get("badge") for other, doc in docs.items() if other != id}
        if self.minds_badges and stored.get("badge") is not None and stored["badge"] in others:
            raise Duplicate("notes", "by_badge")
        docs[id] = stored
        return stored

    def _append(self, op: Append) -> Doc:
        if op.idem and any(entry.get("idem") == op.idem for entry in self.entries.values()):
            raise Duplicate("talk", "idem")
        position, seq = self.heads.get(op.stream, (0, 0))
        position, seq = position + 1, seq + op.numbered
        entry: dict[str, Any] = {
            **op.doc,
            "stream": op.stream,
            "position": position,
            "seq": seq,
            "_v": 1,
        }
        entry |= {"number": seq} if op.numbered else {}
        entry |= {"idem": op.idem} if op.idem else {}
        entry |= {"key": op.key} if op.key else {}
        for id, other in list(self.entries.items()):
            if op.key and (other["stream"], other.get("key")) == (op.stream, op.key):
                del self.entries[id]
        self.heads[op.stream] = (position, seq)
        self.entries[entry["_id"]] = entry
        return entry


class Batches(RuleBasedStateMachine):
    """Applies the same batches to a store and to the model."""

    open_store: OpenStore

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.Runner()
        self.model = Model()
        self.made = 0
        self.store: Store = self.loop.run(self._open())

    async def _open(self) -> Store:
        store = await type(self).open_store(Path(self.folder.name))
        await store.ensure(NOTES)
        await store.ensure(TALK)
        return store

    def _apply(self, ops: list[Op]) -> None:
        expected = self.model.apply(ops)
        try:
            got: object = self.loop.run(self.store.apply(*ops))
        except (Conflict, Duplicate, Repeated) as error:
            got = type(error)
        if (expected, got) == (Duplicate, Conflict):
            # A shared database knows what is taken only when all is written: of two faults of a batch
            # it may be told of the other one, if there is one.
            self.model.minds_badges = False
            expected = self.model.apply(ops)
            self.model.minds_badges = True
        assert got == expected

    @rule(
        ops=st.lists(NOTE_OPS, min_size=1, max_size=3),
        appends=st.lists(APPENDS, max_size=2),
        data=st.data(),
    )
    def apply_batch(
        self,
        ops: list[Op],
        appends: list[tuple[str, bool, str | None, str | None]],
        data: st.DataObject,
    ) -> None:
        for stream, numbered, idem, key in appends:
            self.made += 1
            ops.append(Append("talk", stream, {"_id": f"m{self.made}"}, numbered, idem, key))
        self._apply(data.draw(st.permutations(ops)))

    @rule(append=APPENDS)
    def append(self, append: tuple[str, bool, str | None, str | None]) -> None:
        self.made += 1
        stream, numbered, idem, key = append
        self._apply([Append("talk", stream, {"_id": f"m{self.made}"}, numbered, idem, key)])

    @rule(op=NOTE_OPS)
    def apply_one(self, op: Op) -> None:
        self._apply([op])

    @rule(pick=st.integers(0, 99))
    def delete_entry(self, pick: int) -> None:
        if self.model.entries:
            entries = sorted(self.model.entries)
            self._apply([Delete("talk", entries[pick % len(entries)])])

    @rule()
    def open_again(self) -> None:
        self.loop.run(self.store.close())
        self.store = self.loop.run(self._open())

    @invariant()
    def the_store_holds_what_the_model_holds(self) -> None:
        if hasattr(self, "store"):
            self.loop.run(self._compare())

    async def _compare(self) -> None:
        model, store = self.model, self.store
        assert await store.scan("notes") == [model.notes[id] for id in sorted(model.notes)]
        for owner in ("x", "y"):
            found = await store.find("notes", "by_owner", [owner])
            assert {doc["_id"] for doc in found} == {
                id for id, doc in model.notes.items() if doc.get("owner") == owner
            }
        tails = await store.tails("talk", {"a": 0, "b": 0}, 1000)
        for stream, tail in tails.items():
            entries = [entry for entry in model.entries.values() if entry["stream"] == stream]
            assert tail == sorted(entries, key=lambda entry: int(entry["position"]))
        ends = {
            stream: (tail[-1]["position"], max(entry.get("number", 0) for entry in tail))
            for stream, tail in tails.items()
            if tail
        }
        assert await store.positions("talk", ["a", "b"]) == ends

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.loop.run(self.store.close())
            self.loop.close()
            self.folder.cleanup()


def run(adapter: str, examples: int) -> None:
    machine = type("BatchesOnAdapter", (Batches,), {"open_store": staticmethod(ADAPTERS[adapter])})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            suppress_health_check=list(HealthCheck),
            # Shrinking opens a store for every try, for minutes.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_any_batches_leave_what_plain_dicts_predict(adapter: str) -> None:
    run(adapter, examples=15 if adapter == "sqlite" else 8)


@pytest.mark.nightly
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_hundreds_of_batches_leave_what_plain_dicts_predict(adapter: str) -> None:
    run(adapter, examples=200)
