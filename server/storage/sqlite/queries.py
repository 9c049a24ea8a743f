"""The reads of the port as SQL.

Documents of one read are joined to one JSON array inside SQLite and decoded once: with the event loop
busy, every row fetched by itself would cost the reader's thread another turn at the interpreter.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import apsw
import msgspec

from server.storage import Doc, Index, L, Missed
from server.storage.sqlite.tables import Table, column

K = TypeVar("K")

_decode_doc: Final = msgspec.json.Decoder(Doc).decode
_decode_docs: Final = msgspec.json.Decoder(list[Doc]).decode
_decode_positions: Final = msgspec.json.Decoder(dict[str, tuple[int, int]]).decode
_decode_ends: Final = msgspec.json.Decoder(dict[str, int]).decode
_decode_by_name: Final = msgspec.json.Decoder(dict[str, list[Doc]]).decode

_ARRAY: Final = "'[' || ifnull(group_concat(doc, ','), '') || ']'"


_decoders: Final[dict[Any, Callable[[str], Any]]] = {}


def _decoder(kind: type[K]) -> Callable[[str], list[K]]:
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(list[kind]).decode  # type: ignore[valid-type]
    return _decoders[kind]


def _docs(cursor: apsw.Cursor, select: str, values: Sequence[Any]) -> list[Doc]:
    """The documents a select of the column `doc` gives, in its order."""
    return _read_as(_decode_docs, cursor, select, values)


def _read_as(
    decode: Callable[[str], list[K]], cursor: apsw.Cursor, select: str, values: Sequence[Any]
) -> list[K]:
    for (text,) in cursor.execute(f"SELECT {_ARRAY} FROM ({select})", values):
        return decode(text)
    return []


def get(cursor: apsw.Cursor, table: Table, id: str) -> Doc | None:
    for (text,) in cursor.execute(table.get, (id,)):
        return _decode_doc(text)
    return None


def get_many(cursor: apsw.Cursor, table: Table, ids: Sequence[str]) -> dict[str, Doc]:
    select = f"SELECT doc FROM {table.sql} WHERE id IN (SELECT value FROM json_each(?))"
    wanted = msgspec.json.encode(list(ids)).decode()
    return {doc["_id"]: doc for doc in _docs(cursor, select, (wanted,))}


def scan(cursor: apsw.Cursor, table: Table, after_id: str | None, limit: int) -> list[Doc]:
    select = f"SELECT doc FROM {table.sql} WHERE id > ? ORDER BY id LIMIT ?"
    if after_id is None:
        return _docs(cursor, select.replace("id > ?", "1"), (limit,))
    return _docs(cursor, select, (after_id, limit))


def _where(table: Table, index: Index, bound: int) -> list[str]:
    if bound > len(index.keys):
        raise ValueError(f"{table.name}: index {index.name} has only the keys {index.keys}")
    conditions = [f"{column(key)} = ?" for key in index.keys[:bound]]
    if index.sparse:
        conditions += [f"{column(key)} IS NOT NULL" for key in index.keys[bound:]]
    return conditions


def _find_select(table: Table, index: Index, bound: int, gt: bool, lt: bool, reverse: bool) -> str:
    conditions = _where(table, index, bound)
    if gt or lt:
        if bound == len(index.keys):
            raise ValueError(f"{table.name}: index {index.name} has no key left for a range")
        signs = [sign for sign, given in ((">", gt), ("<", lt)) if given]
        conditions += [f"{column(index.keys[bound])} {sign} ?" for sign in signs]
    direction = " DESC" if reverse else ""
    order = ", ".join(f"{name}{direction}" for name in (*map(column, index.keys[bound:]), "rank"))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f'SELECT doc FROM {table.sql} INDEXED BY "i_{table.name}.{index.name}"{where}'
        f" ORDER BY {order} LIMIT ?"
    )


def find(
    cursor: apsw.Cursor,
    table: Table,
    index_name: str,
    eq: Sequence[str | int | bool],
    gt: str | int | None,
    lt: str | int | None,
    reverse: bool,
    limit: int,
) -> list[Doc]:
    bounds = [bound for bound in (gt, lt) if bound is not None]
    select = _prepared(table, index_name, eq, gt, lt, reverse)
    return _docs(cursor, select, [*eq, *bounds, limit])


def find_as(
    kind: type[K],
    cursor: apsw.Cursor,
    table: Table,
    index_name: str,
    eq: Sequence[str | int | bool],
    limit: int,
) -> list[K]:
    select = _prepared(table, index_name, eq, None, None, reverse=False)
    return _read_as(_decoder(kind), cursor, select, [*eq, limit])


def _prepared(
    table: Table,
    index_name: str,
    eq: Sequence[str | int | bool],
    gt: str | int | None,
    lt: str | int | None,
    reverse: bool,
) -> str:
    shape = (index_name, len(eq), gt is not None, lt is not None, reverse)
    select = table.reads.get(shape)
    if select is None:
        index = table.index(index_name)
        select = _find_select(table, index, len(eq), gt is not None, lt is not None, reverse)
        table.reads[shape] = select
    return select


def count(
    cursor: apsw.Cursor, table: Table, index_name: str, eq: Sequence[str | int | bool], cap: int
) -> int:
    index = table.index(index_name)
    conditions = _where(table, index, len(eq))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    source = f'{table.sql} INDEXED BY "i_{table.name}.{index.name}"{where}'
    for (number,) in cursor.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT ?)", [*eq, cap]
    ):
        return int(number)
    return 0


def heads(
    cursor: apsw.Cursor, table: Table, streams: Sequence[str], numbered: bool
) -> dict[str, Doc]:
    order = "f_number" if numbered else "f_position"
    present = " AND f_number IS NOT NULL" if numbered else ""
    select = (
        f"SELECT c.doc FROM json_each(?) s JOIN {table.sql} c ON c.rank = (SELECT rank FROM {table.sql}"
        f" WHERE f_stream = s.value{present} ORDER BY {order} DESC LIMIT 1)"
    )
    wanted = msgspec.json.encode(list(streams)).decode()
    return {doc["stream"]: doc for doc in _docs(cursor, select, (wanted,))}


def positions(
    cursor: apsw.Cursor, table: Table, streams: Sequence[str]
) -> dict[str, tuple[int, int]]:
    # Both indexes cover their question: no document is touched, however long it is.
    select = (
        f"SELECT value AS stream, (SELECT max(f_position) FROM {table.sql} WHERE f_stream = value)"
        f" AS position, (SELECT max(f_number) FROM {table.sql} WHERE f_stream = value"
        " AND f_number IS NOT NULL) AS number FROM json_each(?)"
    )
    query = (
        "SELECT json_group_object(stream, json_array(position, ifnull(number, 0)))"
        f" FROM ({select}) WHERE position IS NOT NULL"
    )
    wanted = msgspec.json.encode(list(streams)).decode()
    for (text,) in cursor.execute(query, (wanted,)):
        return _decode_positions(text)
    return {}


def tails(
    cursor: apsw.Cursor, table: Table, after: Mapping[str, int], limit: int
) -> dict[str, list[Doc]]:
    newer = (
        f"SELECT doc FROM {table.sql} WHERE f_stream = s.value->>0 AND f_position > s.value->>1"
        " ORDER BY f_position LIMIT ?2"
    )
    entry = f"json_quote(s.value->>0) || ':' || (SELECT {_ARRAY} FROM ({newer}))"
    query = f"SELECT '{{' || ifnull(group_concat({entry}, ','), '') || '}}' FROM json_each(?1) s"
    wanted = msgspec.json.encode(list(after.items())).decode()
    for (text,) in cursor.execute(query, (wanted, limit)):
        return _decode_by_name(text)
    return {}


def missed(
    kind: type[L],
    cursor: apsw.Cursor,
    table: Table,
    after: Mapping[str, int],
    most: int,
    room: int,
) -> Missed[L]:
    # A nested loop, so that the entries come by stream and position, and no more are touched than `most`;
    # what does not fit is not decoded.
    index = f'"i_{table.name}.position"'
    found = (
        f"SELECT c.doc FROM asked CROSS JOIN {table.sql} c INDEXED BY {index}"
        " ON c.f_stream = asked.stream AND c.f_position > asked.after LIMIT ?2"
    )
    sized = (
        f"SELECT doc, sum(octet_length(doc)) OVER (ROWS UNBOUNDED PRECEDING) AS size FROM ({found})"
    )
    end = f"(SELECT max(f_position) FROM {table.sql} WHERE f_stream = stream)"
    query = (
        "WITH asked AS MATERIALIZED"
        " (SELECT value->>0 AS stream, value->>1 AS after FROM json_each(?1))"
        f" SELECT (SELECT json_group_object(stream, end) FROM (SELECT stream, {end} AS end FROM asked)"
        f" WHERE end IS NOT NULL), (SELECT {_ARRAY} FROM ({sized}) WHERE size - octet_length(doc) < ?3)"
    )
    wanted = msgspec.json.encode(list(after.items())).decode()
    entries: dict[str, list[L]] = {}
    for ends, docs in cursor.execute(query, (wanted, most, room)):
        for entry in _decoder(kind)(docs):
            entries.setdefault(entry.stream, []).append(entry)
        return Missed(_decode_ends(ends), entries)
    return Missed({}, entries)
