"""Text search: the FTS5 rows of a collection, and the query over them.

A row holds the bigrams of the text and a token of the scope it lies in, so that the scopes a person may
read are part of the query, and so are their floors, by a join: neither is a filter on its result. Rows
are written at the end of a group of batches (`PendingTexts`): FTS5 flushes at every savepoint, which
would cost each batch a segment.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import apsw
import msgspec

from server.storage import Doc, StorageError
from server.storage.bigrams import SHORTEST, bigrams
from server.storage.sqlite.tables import Table, column

_MOST_TOKENS: Final = 200
"""Above so many scopes, the join alone is quicker than a longer expression."""


@lru_cache(4096)
def _token(scope: str) -> str:
    # In hex, since the tokenizer folds case and splits at punctuation; scopes are exact.
    return scope.encode().hex()


def text_row(table: Table, rank: int, doc: Doc) -> tuple[int, str, str] | None:
    """The search row of a document; None when there is nothing to find in it."""
    assert table.search is not None
    text, scope = doc.get(table.search.text_field), doc.get(table.search.scope_field)
    if not isinstance(text, str) or not isinstance(scope, str) or len(text) < SHORTEST:
        return None
    return rank, _token(scope), " ".join(bigrams(text))


class PendingTexts:
    """Search rows that the open transaction still owes, in order."""

    def __init__(self) -> None:
        self._owed: list[tuple[Table, int, bool, Doc | None]] = []

    def __len__(self) -> int:
        return len(self._owed)

    def stored(self, table: Table, rank: int, doc: Doc, *, replaces: bool) -> None:
        self._owed.append((table, rank, replaces, doc))

    def removed(self, table: Table, rank: int) -> None:
        self._owed.append((table, rank, True, None))

    def forget(self, length: int = 0) -> None:
        """Go back to what was owed at that length."""
        del self._owed[length:]

    def write(self, execute: Callable[..., object]) -> None:
        for table, rank, replaces, doc in self._owed:
            if replaces:
                execute(table.drop_text, (rank,))
            if doc is not None:
                row = text_row(table, rank, doc)
                if row:
                    execute(table.put_text, row)
        self._owed.clear()


def find_text(
    cursor: apsw.Cursor,
    table: Table,
    text: str,
    scopes: Mapping[str, int],
    before: int | None,
    limit: int,
) -> list[Doc]:
    """The newest documents of the scopes, above their floors, that hold the text."""
    if table.search is None:
        raise StorageError(f"{table.name}: declared without search")
    if not table.log and any(scopes.values()):
        raise ValueError(f"{table.name} is not a log: its documents have no floor")
    phrase = f'grams:"{" ".join(bigrams(text))}"'
    if len(scopes) <= _MOST_TOKENS:
        tokens = " OR ".join(f'"{_token(scope)}"' for scope in scopes)
        phrase = f"scope:({tokens}) AND {phrase}"
    # A message's seq is its number, which has a column; only other entries have to be opened for it.
    above = "AND ifnull(c.f_number, c.doc->>'$.seq') > a.floor" if table.log else ""
    upper = "" if before is None else "AND s.rowid < ?"
    bounds: list[Any] = [] if before is None else [before]
    rows = cursor.execute(
        "WITH asked(scope, floor) AS MATERIALIZED"
        " (SELECT value->>0, value->>1 FROM json_each(?))"
        f" SELECT c.rank, c.doc FROM {table.search_sql} s"
        f" CROSS JOIN {table.sql} c ON c.rank = s.rowid"
        f" CROSS JOIN asked a ON a.scope = c.{column(table.search.scope_field)} {above}"
        f" WHERE {table.search_sql} MATCH ? {upper} ORDER BY s.rowid DESC LIMIT ?",
        [msgspec.json.encode(list(scopes.items())).decode(), phrase, *bounds, limit],
    )
    return [{**msgspec.json.decode(doc), "_rank": rank} for rank, doc in rows]
