"""Text search: the FTS5 rows of a collection, and the query over them.

A row holds the bigrams of the text and a token of the scope it lies in, so that the scopes a person may
read are part of the query, and so are their floors, by a join: neither is a filter on its result. Rows
are written at the end of a group of batches (`PendingTexts`): FTS5 flushes at every savepoint, which
would cost each batch a segment.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Final

import apsw
import msgspec

from server.storage import Doc, StorageError
from server.storage.bigrams import SHORTEST, bigrams
from server.storage.sqlite.tables import Table, column

_MOST_TOKENS: Final = 200
"""Scopes in one question; a longer expression takes no less time for each of them."""
_NO_BOUND: Final = 2**63 - 1
_A_SCOPE: Final = 25
"""Matches of whatever scope that are looked at for each scope asked for; its question takes as long as 50."""


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
    search = _Search(cursor, table, text)
    below = _NO_BOUND if before is None else before
    ask = search.ask if len(scopes) <= _MOST_TOKENS else search.walk_and_ask
    return ask(scopes, below, limit)


class _Search:
    """One text, looked for among the matches with a rank below a bound, the newest first."""

    def __init__(self, cursor: apsw.Cursor, table: Table, text: str) -> None:
        assert table.search is not None
        self._connection, self._execute = cursor.connection, cursor.execute
        self._table = table
        self._scope = column(table.search.scope_field)
        self._grams = f'grams:"{" ".join(bigrams(text))}"'

    def walk_and_ask(self, scopes: Mapping[str, int], below: int, limit: int) -> list[Doc]:
        """Many scopes: the newest matches are looked at, whatever their scope, which mostly fills a page;
        for as long as asking for each scope takes. Then that is done, since a text that is said often
        elsewhere may be rare here, and the others' matches are without number."""
        found: list[Doc] = []
        with self._connection:  # several questions to one state
            least = self._back(below, _A_SCOPE * len(scopes))
            found += self._matching(self._grams, scopes, least, below, limit)
            missing = limit - len(found)
            if least and missing:
                older = [d for some in _portions(scopes) for d in self.ask(some, least, missing)]
                older.sort(key=lambda doc: int(doc["_rank"]), reverse=True)
                found += older[:missing]
        return found

    def ask(self, scopes: Mapping[str, int], below: int, limit: int) -> list[Doc]:
        """What the index has under these scopes."""
        tokens = " OR ".join(f'"{_token(scope)}"' for scope in scopes)
        return self._matching(f"scope:({tokens}) AND {self._grams}", scopes, 0, below, limit)

    def _back(self, below: int, matches: int) -> int:
        """The rank of the match that lies so far back; 0 when there are not so many."""
        name = self._table.search_sql
        rows = self._execute(
            f"SELECT rowid FROM {name} WHERE {name} MATCH ? AND rowid < ?"
            " ORDER BY rowid DESC LIMIT 1 OFFSET ?",
            (self._grams, below, matches),
        )
        return next((int(rank) for (rank,) in rows), 0)

    def _matching(
        self, phrase: str, scopes: Mapping[str, int], least: int, below: int, limit: int
    ) -> list[Doc]:
        """Those of the matches from `least` to below `below` that lie in the scopes, above their floors."""
        table = self._table
        # A message's seq is its number, which has a column; only other entries have to be opened for it.
        above = "AND ifnull(c.f_number, c.doc->>'$.seq') > a.floor" if table.log else ""
        rows = self._execute(
            "WITH asked(scope, floor) AS MATERIALIZED"
            " (SELECT value->>0, value->>1 FROM json_each(?))"
            f" SELECT c.rank, c.doc FROM {table.search_sql} s"
            f" CROSS JOIN {table.sql} c ON c.rank = s.rowid"
            f" CROSS JOIN asked a ON a.scope = c.{self._scope} {above}"
            f" WHERE {table.search_sql} MATCH ? AND s.rowid < ? AND s.rowid >= ?"
            " ORDER BY s.rowid DESC LIMIT ?",
            (msgspec.json.encode(list(scopes.items())).decode(), phrase, below, least, limit),
        )
        return [{**msgspec.json.decode(doc), "_rank": rank} for rank, doc in rows]


def _portions(scopes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    rest = iter(scopes.items())
    while some := dict(islice(rest, _MOST_TOKENS)):
        yield some
