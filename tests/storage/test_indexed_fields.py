"""What an index orders by has to be stored: a field that holds its default is left out."""

from collections.abc import Iterator

import msgspec
import pytest

from server.app import ALL
from server.schema import collections
from server.storage import Collection, Index
from server.storage.document import Document

NONE = Collection("none")
GIVEN_AT_THE_COMMIT = {("Post", "number")}


def kinds(parent: type[Document] = Document) -> Iterator[type[Document]]:
    for kind in parent.__subclasses__():
        yield kind
        yield from kinds(kind)


def may_miss(kind: type[Document], index: Index) -> list[str]:
    """Fields of an index that may be missing in a document it should hold."""
    fields = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    return [
        key
        for key in index.keys
        if not index.sparse
        and not fields[key].required
        and (kind.__name__, key) not in GIVEN_AT_THE_COMMIT
    ]


KEPT = {collection.name for collection in collections(ALL)}


@pytest.mark.parametrize(
    "kind",
    [kind for kind in kinds() if getattr(kind, "collection", NONE).name in KEPT],
    ids=lambda kind: kind.__name__,
)
def test_what_an_index_holds_is_always_stored(kind: type[Document]) -> None:
    assert not [index.name for index in kind.collection.indexes if may_miss(kind, index)]
