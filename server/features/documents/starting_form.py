"""What was typed, held against the blank form: everything that is wrong with it, or what the OA is told.

A field that was not touched keeps the value it came with. What the OA filled in itself and nobody here
understands (somebody without an account of the house) goes back as it came.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from server.directory import Directory
from server.features.documents.protocol import DraftCard, FieldProblem, ValueProblem
from server.features.documents.values import is_fillable, ours, problem_of, theirs
from server.integrations.oa.documents import BlankForm, Field, NewDocument, Table

TITLE = "title"
"""The name under which a missing title is told."""

Typed = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: in the form, or in a row of a detail table."""

    table: int | None = None
    row: int | None = None


@dataclass(slots=True)
class Filled:
    """A form as it would be sent, and what stands in the way."""

    new: NewDocument
    problems: list[FieldProblem] = field(default_factory=list)


def filled(blank: BlankForm, draft: DraftCard, directory: Directory) -> Filled:
    """Check everything and put it into the OA's words."""
    return _Filling(directory).fill(blank, draft)


class _Filling:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._problems: list[FieldProblem] = []

    def fill(self, blank: BlankForm, draft: DraftCard) -> Filled:
        title = draft.title.strip()
        if not title:
            self._say(TITLE, "missing", Place())
        values = self._values(blank.fields, draft.fields, Place())
        rows = [
            self._rows(table, draft.rows[at] if at < len(draft.rows) else [], at)
            for at, table in enumerate(blank.tables)
        ]
        for at, more in enumerate(draft.rows[len(blank.tables) :], len(blank.tables)):
            if any(map(_says_something, more)):
                self._say("", "gone", Place(at))
        new = NewDocument(title=title, urgency=draft.urgency, values=values, rows=rows)
        return Filled(new, self._problems)

    def _rows(self, table: Table, rows: Sequence[Typed], at: int) -> list[dict[str, str]]:
        """Rows in which something stands; the others are left out."""
        return [
            self._values(table.columns, row, Place(at, place))
            for place, row in enumerate(rows)
            if _says_something(row)
        ]

    def _values(self, fields: Sequence[Field], typed: Typed, place: Place) -> dict[str, str]:
        for name in sorted(self._left_over(fields, typed)):
            self._say(name, "gone", place)
        return {
            one.name: value
            for one in fields
            if (value := self._value(one, typed.get(one.name), place))
        }

    def _value(self, one: Field, typed: str | None, place: Place) -> str:
        if not is_fillable(one, self._directory):
            if one.must_fill and one.may_edit and not one.value.strip():
                self._say(one.name, "elsewhere", place)
            return one.value if one.may_edit else ""
        before = ours(one.kind, one.value, self._directory) or ""
        value = before if typed is None else typed
        problem = problem_of(one, value, self._directory)
        if problem is not None:
            self._say(one.name, problem, place)
            return ""
        return theirs(one.kind, value, self._directory)

    def _left_over(self, fields: Sequence[Field], typed: Typed) -> Iterator[str]:
        """What was typed for fields that cannot be filled in, and differs from what stands there."""
        known = {one.name: one for one in fields}
        for name, value in typed.items():
            one = known.get(name)
            if one is None:
                if value.strip():
                    yield name
            elif not is_fillable(one, self._directory):
                before = ours(one.kind, one.value, self._directory) or ""
                if value.strip() and value != before:
                    yield name

    def _say(self, name: str, problem: ValueProblem, place: Place) -> None:
        said = FieldProblem(name=name, problem=problem, table=place.table, row=place.row)
        self._problems.append(said)


def _says_something(row: Typed) -> bool:
    return any(value.strip() for value in row.values())
