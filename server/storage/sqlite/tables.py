"""How a collection lies in SQLite: one table, one column per indexed field, the document as JSON.

Columns are filled by this adapter from the document. What was declared is kept in the table
`collections`: an index stays until it is dropped, also when the code that declared it is gone. Text
search is an FTS5 table without content, whose rowid is the document's rank.

A `Table` is immutable towards readers; `heads` and `rows` belong to the writer's thread.
"""

from typing import Final

import apsw
import msgspec

from server.storage import Collection, Doc, Duplicate, Index, StorageError
from server.storage.declaring import indexes_of

_TEXT: Final = "CAST(? AS TEXT)"
"""Takes JSON as the bytes it was encoded to: making a string of them would encode it twice more."""
_OWN_COLUMNS: Final = {"_id": "id", "_v": "v"}


def column(field: str) -> str:
    """The column an indexed field is kept in, quoted."""
    return f'"{_OWN_COLUMNS.get(field) or "f_" + field}"'


class Table:
    """A declared collection and the statements made for it."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.name = collection.name
        self.log = collection.log
        self.search = collection.search
        self.indexes = indexes_of(collection)
        keys = {key for index in self.indexes.values() for key in index.keys}
        if collection.search:
            keys.add(collection.search.scope_field)
        self.fields = tuple(sorted(keys - _OWN_COLUMNS.keys()))
        self.field_set = frozenset(self.fields)
        self.heads: dict[str, tuple[int, int]] = {}
        self.rows: dict[str, tuple[int, Doc]] = {}

        self.sql = f'"c_{self.name}"'
        self.search_sql = f'"search_{self.name}"'
        columns = [column(field) for field in self.fields]
        marks = ",".join(("?", "?", _TEXT, *("?" for _ in columns)))
        sets = "".join(f",{name}=?" for name in columns)
        self.insert = (
            f"INSERT INTO {self.sql}({','.join(['id', 'v', 'doc', *columns])}) VALUES({marks})"
        )
        self.update = f"UPDATE {self.sql} SET v=?,doc={_TEXT} WHERE rank=?"
        self.update_indexed = f"UPDATE {self.sql} SET v=?,doc={_TEXT}{sets} WHERE rank=?"
        self.delete = f"DELETE FROM {self.sql} WHERE rank=?"
        self.get = f"SELECT doc FROM {self.sql} WHERE id=?"
        self.get_row = f"SELECT rank,v,doc FROM {self.sql} WHERE id=?"
        self.get_version = f"SELECT v FROM {self.sql} WHERE id=?"
        self.by_idem = f"SELECT doc FROM {self.sql} WHERE f_idem=?"
        self.by_key = f"SELECT rank,f_idem FROM {self.sql} WHERE f_stream=? AND f_key=?"
        self.last = (
            f"SELECT f_position, doc->>'$.seq' FROM {self.sql} WHERE f_stream=? "
            "ORDER BY f_position DESC LIMIT 1"
        )
        self.drop_text = f"DELETE FROM {self.search_sql} WHERE rowid=?"
        self.put_text = f"INSERT INTO {self.search_sql}(rowid,scope,grams) VALUES(?,?,?)"
        self.reads: dict[tuple[object, ...], str] = {}
        self._unique = {
            self._columns_of(index): name for name, index in self.indexes.items() if index.unique
        }

    def _columns_of(self, index: Index) -> str:
        return ", ".join(f"c_{self.name}.{column(key)[1:-1]}" for key in index.keys)

    def duplicate(self, error: apsw.ConstraintError) -> Duplicate:
        """Which unique index SQLite's message (it lists the columns) speaks of."""
        columns = str(error).rpartition("failed: ")[2]
        return Duplicate(self.name, self._unique.get(columns, "_id"))

    def index(self, name: str) -> Index:
        try:
            return self.indexes[name]
        except KeyError:
            raise StorageError(f"{self.name}: no index {name}") from None


class Tables(dict[str, Table]):
    """The collections of a database by name."""

    def __missing__(self, name: str) -> Table:
        raise StorageError(f"{name}: no such collection; declare it with ensure")


def load(db: apsw.Connection) -> Tables:
    """The collections declared so far."""
    list(
        db.execute(
            "CREATE TABLE IF NOT EXISTS collections (name TEXT PRIMARY KEY, declared TEXT NOT NULL)"
            " WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS log_heads (coll TEXT, stream TEXT, position INTEGER, seq INTEGER,"
            " PRIMARY KEY (coll, stream)) WITHOUT ROWID"
        )
    )
    rows = db.execute("SELECT declared FROM collections")
    declared = [msgspec.json.decode(text, type=Collection) for (text,) in rows]
    return Tables({collection.name: Table(collection) for collection in declared})
