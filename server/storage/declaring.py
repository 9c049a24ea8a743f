"""What a declaration may say, and how it joins what was declared before; the same for every adapter."""

import re
from dataclasses import replace
from typing import Final

from server.storage import LOG_INDEXES, Collection, Index, StorageError

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def check_names(collection: Collection) -> None:
    """Every name is a word, and no index name is used twice. Raises ValueError."""
    names = [collection.name]
    for index in collection.indexes:
        names += [index.name, *index.keys]
    if collection.search:
        names += [collection.search.text_field, collection.search.scope_field]
    for name in names:
        if not _NAME.match(name):
            raise ValueError(f"{name!r} is not a name for a collection, index or field")
    declared = [index.name for index in collection.indexes]
    if collection.log:
        declared += [index.name for index in LOG_INDEXES]
    if len(set(declared)) < len(declared) or "_id" in declared:
        raise ValueError(f"{collection.name}: an index name is used twice or reserved")


def indexes_of(collection: Collection) -> dict[str, Index]:
    """Its own indexes and, of a log, the built-in ones, by name."""
    built_in = LOG_INDEXES if collection.log else ()
    return {index.name: index for index in (*collection.indexes, *built_in)}


def merged(old: Collection, wanted: Collection) -> Collection:
    """What is there, with what is wanted besides; indexes are dropped by `drop_index` alone."""
    if old.log != wanted.log:
        raise StorageError(f"{wanted.name}: a collection cannot become a log or cease to be one")
    there = indexes_of(old)
    added: list[Index] = []
    for index in wanted.indexes:
        present = there.get(index.name)
        if present is None:
            added.append(index)
        elif present != index:
            raise StorageError(
                f"{wanted.name}: index {index.name} is there, declared otherwise; drop it first"
            )
    search = wanted.search or old.search
    return replace(old, indexes=(*old.indexes, *added), search=search)


def without(old: Collection, name: str) -> Collection:
    """What is there but for one declared index. Raises StorageError when there is none of that name."""
    kept = tuple(index for index in old.indexes if index.name != name)
    if len(kept) == len(old.indexes):
        raise StorageError(f"{old.name}: no index {name} to drop")
    return replace(old, indexes=kept)
