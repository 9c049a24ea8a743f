"""Removing what was kept long enough: the one way in which rows end by their age.

Whoever owns a collection says how long its rows are kept, and has the node that leads ask for a portion
every so often. A row goes in the version read: one that somebody changes meanwhile stays, and so does the
rest of its portion, until the next time.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from server.storage import Conflict, Delete, Doc, Store
from server.storage.document import Document

AT_ONCE: Final = 500


async def drop_old(
    store: Store,
    kind: type[Document],
    index: str,
    before: int,
    *,
    eq: Sequence[str | int | bool] = (),
) -> int:
    """Remove at most `AT_ONCE` documents whose next key of an index (`eq` gives the first ones) lies before
    a moment; how many it were."""
    name = kind.collection.name
    return await drop(store, kind, await store.find(name, index, eq, lt=before, limit=AT_ONCE))


async def drop(store: Store, kind: type[Document], docs: Iterable[Doc]) -> int:
    """Remove documents as they were read; how many it were."""
    ops = [Delete(kind.collection.name, doc["_id"], doc["_v"]) for doc in docs]
    try:
        if ops:
            await store.apply(*ops)
    except Conflict:
        return 0
    return len(ops)
