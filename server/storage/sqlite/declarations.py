"""Making a table hold what its collection declares.

Adding an index is adding its columns, filling them from the JSON, and creating it; all inside the
transaction of the writer, so that a declaration is there whole or not at all.
"""

from collections.abc import Iterable
from typing import Final

import apsw
import msgspec

from server.storage import Collection, Duplicate, Index
from server.storage.declaring import check_names, merged, without
from server.storage.sqlite.tables import Table, Tables, column
from server.storage.sqlite.texts import text_row

_PAGE: Final = 1000


def ensure(db: apsw.Connection, tables: Tables, wanted: Collection) -> Table:
    """Make the table hold what is declared, inside the caller's transaction."""
    check_names(wanted)
    old = tables.get(wanted.name)
    collection = wanted if old is None else merged(old.collection, wanted)
    if old is not None and collection == old.collection:
        return old
    table = Table(collection)
    if old is None:
        db.execute(
            f"CREATE TABLE {table.sql} (rank INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
            " v INTEGER NOT NULL, doc TEXT NOT NULL)"
        )
    _add_columns(db, table, set(table.fields) - set(old.fields if old else ()))
    for name, index in table.indexes.items():
        if old is None or name not in old.indexes:
            _create_index(db, table, index)
    if table.search and (old is None or old.search != table.search):
        _fill_search(db, table, rebuild=old is not None and old.search is not None)
    _remember(db, table)
    return table


def drop_index(db: apsw.Connection, tables: Tables, coll: str, name: str) -> Table:
    """Drop an index and the columns nothing else needs, inside the caller's transaction."""
    old = tables[coll]
    table = Table(without(old.collection, name))
    db.execute(f'DROP INDEX "i_{coll}.{name}"')
    for field in set(old.fields) - set(table.fields):
        db.execute(f"ALTER TABLE {table.sql} DROP COLUMN {column(field)}")
    _remember(db, table)
    return table


def _add_columns(db: apsw.Connection, table: Table, fields: Iterable[str]) -> None:
    sets = []
    for field in sorted(fields):
        db.execute(f"ALTER TABLE {table.sql} ADD COLUMN {column(field)}")
        sets.append(f"{column(field)} = doc->>'$.{field}'")
    if sets:
        db.execute(f"UPDATE {table.sql} SET {', '.join(sets)}")


def _create_index(db: apsw.Connection, table: Table, index: Index) -> None:
    unique = "UNIQUE " if index.unique else ""
    columns = ", ".join(column(key) for key in index.keys)
    present = " AND ".join(f"{column(key)} IS NOT NULL" for key in index.keys)
    where = f" WHERE {present}" if index.sparse else ""
    try:
        db.execute(
            f'CREATE {unique}INDEX "i_{table.name}.{index.name}" ON {table.sql}({columns}){where}'
        )
    except apsw.ConstraintError as error:
        raise Duplicate(table.name, index.name) from error


def _fill_search(db: apsw.Connection, table: Table, *, rebuild: bool) -> None:
    if rebuild:
        db.execute(f"DROP TABLE {table.search_sql}")
    db.execute(
        f"CREATE VIRTUAL TABLE {table.search_sql} USING fts5(scope, grams, content='',"
        " contentless_delete=1, tokenize='ascii')"
    )
    after = 0
    query = f"SELECT rank, doc FROM {table.sql} WHERE rank > ? ORDER BY rank LIMIT {_PAGE}"
    while rows := list(db.execute(query, (after,))):
        for rank, text in rows:
            row = text_row(table, rank, msgspec.json.decode(text))
            if row:
                db.execute(table.put_text, row)
        after = rows[-1][0]


def _remember(db: apsw.Connection, table: Table) -> None:
    declared = msgspec.json.encode(table.collection).decode()
    db.execute("INSERT OR REPLACE INTO collections VALUES (?, ?)", (table.name, declared))
