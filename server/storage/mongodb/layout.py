"""How a collection lies in MongoDB: its documents as they are, beside a few fields of ours.

A stored document has `_rank` (its place in the order of storing), of a searched collection `_grams` (the
pairs of its text), and once somebody relied on it without changing it `_held` (see `commits`). Reads leave
them out. An index that is not unique ends with `_rank`, so that equal documents come in the order of
storing. A sparse index is a partial one over documents whose keys all have a value: asking for the same
types in a query is what lets MongoDB use it.

The ends of a log's streams are documents of a second collection, `<name>.heads` (a name declared by
somebody has no dot). They are read instead of searching for last entries, and written with every entry,
so that two servers appending to one stream meet there.
"""

from collections.abc import Sequence
from typing import Any, Final

from server.storage import Collection, Doc, Index, StorageError
from server.storage.bigrams import SHORTEST, bigrams
from server.storage.declaring import indexes_of

LOG_FIELDS: Final = frozenset({"stream", "position", "seq", "number", "idem", "key"})
OURS: Final = ("_rank", "_grams", "_held")
WITHOUT_OURS: Final = dict.fromkeys(OURS, 0)
SEARCH_INDEX: Final = "-search"
"""No declared index is called so: their names are words."""

PRESENT: Final = {"$type": ["string", "number", "bool"]}
"""A value that counts in an index: there, and not null."""

Spec = dict[str, Any]


class Layout:
    """A declared collection and what follows from the declaration."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.name = collection.name
        self.heads = f"{collection.name}.heads"
        self.log = collection.log
        self.search = collection.search
        self.indexes = indexes_of(collection)
        own = [index for index in collection.indexes if index.unique]
        self.unique = {index.name: index for index in own}
        keys = {key for index in self.indexes.values() for key in index.keys}
        self.key_fields = frozenset(keys - {"_id", "_v"})
        self.unique_fields = frozenset(key for index in own for key in index.keys)

    def index(self, name: str) -> Index:
        try:
            return self.indexes[name]
        except KeyError:
            raise StorageError(f"{self.name}: no index {name}") from None

    def index_specs(self) -> list[Spec]:
        """What `createIndexes` is told: every index of the collection, text search among them."""
        specs = [_index_spec(index) for index in self.indexes.values()]
        if self.search:
            keys = {self.search.scope_field: 1, "_grams": 1, "_rank": -1}
            partial = {"_grams": {"$exists": True}}
            specs.append({"name": SEARCH_INDEX, "key": keys, "partialFilterExpression": partial})
        return specs

    def grams(self, doc: Doc) -> list[str] | None:
        """The pairs by which a document's text is found; None when there is nothing to find."""
        if self.search is None:
            return None
        text, scope = doc.get(self.search.text_field), doc.get(self.search.scope_field)
        if not isinstance(text, str) or not isinstance(scope, str) or len(text) < SHORTEST:
            return None
        return list(dict.fromkeys(bigrams(text)))


class Layouts(dict[str, Layout]):
    """The collections of a database by name."""

    def __missing__(self, name: str) -> Layout:
        raise StorageError(f"{name}: no such collection; declare it with ensure")


def _index_spec(index: Index) -> Spec:
    keys = dict.fromkeys(index.keys, 1)
    spec: Spec = {"name": index.name, "key": keys if index.unique else {**keys, "_rank": 1}}
    if index.unique:
        spec["unique"] = True
    if index.sparse:
        spec["partialFilterExpression"] = dict.fromkeys(index.keys, PRESENT)
    return spec


def matching(layout: Layout, index: Index, eq: Sequence[Any]) -> Spec:
    """The documents of an index whose first keys have these values."""
    if len(eq) > len(index.keys):
        raise ValueError(f"{layout.name}: index {index.name} has only the keys {index.keys}")
    present = PRESENT if index.sparse else {}
    conditions = {key: {"$eq": value, **present} for key, value in zip(index.keys, eq)}  # noqa: B905
    if index.sparse:
        conditions |= dict.fromkeys(index.keys[len(eq) :], PRESENT)
    return conditions


def ordering(index: Index, bound: int, reverse: bool) -> dict[str, int]:
    """The order of an index once its first `bound` keys are equal."""
    keys = index.keys[bound:] if index.unique else (*index.keys[bound:], "_rank")
    return dict.fromkeys(keys, -1 if reverse else 1)
