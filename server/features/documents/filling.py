"""What a person typed into the form of an opened document, as it may be sent to the OA.

Everything is held against the document as it is now, never against what the page believed. Interfaces of this
sort pass over what is empty: so nothing that holds something can be emptied, and rows cannot be taken away;
that is said here rather than done by halves.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from server.directory import Directory
from server.errors import Invalid
from server.features.documents.protocol import ValueProblem
from server.features.documents.values import is_fillable, problem_of, theirs
from server.integrations.oa.documents import Field, OpenedDocument, Row, Table

_WORDS: Final[Mapping[ValueProblem, str]] = {
    "missing": "has to be filled in",
    "number": "is not a number",
    "date": "is not a date",
    "time": "is not a time of day",
    "choice": "is none of what can be chosen",
    "long": "is too long",
    "kept": "can be emptied only on the OA's own page",
    "unknown_there": "names somebody whom the OA does not know",
    "gone": "is not there any more",
    "elsewhere": "can be filled in only on the OA's own page",
}


class Filling:
    """The values of one act, taken from the page's and checked."""

    def __init__(self, opened: OpenedDocument, directory: Directory) -> None:
        self._opened = opened
        self._directory = directory

    def values(self, typed: Mapping[str, str]) -> dict[str, str]:
        """Changed fields of the main form, as the OA stores them. Raises Invalid."""
        return self._row(self._opened.fields, typed)

    def rows(
        self, typed: Sequence[Sequence[Mapping[str, str]] | None]
    ) -> list[list[dict[str, str]] | None]:
        """The rows of the detail tables that changed. Raises Invalid."""
        if len(typed) > len(self._opened.tables):
            raise Invalid("the document has fewer tables than this; open it again")
        pairs = zip(self._opened.tables, typed, strict=False)
        return [None if rows is None else self._table(table, rows) for table, rows in pairs]

    def check_complete(self, values: Mapping[str, str]) -> None:
        """Whether nothing is missing that this step asks for. Raises Invalid."""
        for field in self._opened.fields:
            if field.is_missing and not values.get(field.name, "").strip():
                if is_fillable(field, self._directory):
                    raise _wrong(field, "missing")
                raise _wrong(field, "elsewhere")

    def _table(self, table: Table, rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        if len(rows) < len(table.rows):
            raise Invalid(f"rows of {table.title} can be taken away only on the OA's own page")
        return [
            self._shown_row(table.rows[at], row)
            if at < len(table.rows)
            else self._new_row(table.columns, row)
            for at, row in enumerate(rows)
        ]

    def _shown_row(self, before: Row, typed: Mapping[str, str]) -> dict[str, str]:
        """Pages send a row whole: what cannot be filled in here is left to the OA."""
        fillable = {one.name for one in before if is_fillable(one, self._directory)}
        return self._row(before, {name: v for name, v in typed.items() if name in fillable})

    def _new_row(self, columns: Row, typed: Mapping[str, str]) -> dict[str, str]:
        values = self._shown_row(columns, typed)
        for column in columns:
            if column.must_fill and column.may_edit and not values.get(column.name, column.value):
                raise _wrong(column, "missing")
        return values

    def _row(self, fields: Row, typed: Mapping[str, str]) -> dict[str, str]:
        by_name = {one.name: one for one in fields}
        return {name: self._value(by_name.get(name), value) for name, value in typed.items()}

    def _value(self, field: Field | None, typed: str) -> str:
        if field is None:
            raise Invalid("the document has no such field; open it again")
        if not is_fillable(field, self._directory):
            raise Invalid(f"{field.label} cannot be changed here")
        problem = problem_of(field, typed, self._directory)
        if problem is not None:
            raise _wrong(field, problem)
        return theirs(field.kind, typed, self._directory)


def _wrong(field: Field, problem: ValueProblem) -> Invalid:
    return Invalid(f"{field.label} {_WORDS[problem]}")
