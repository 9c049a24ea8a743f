"""What is kept of turn-around times: one document for each closed day and cut, and how far days are closed.

A cut is a way to divide a day: all of it, by process, by department, and by process within one department.
Of each group it holds how many documents took how many minutes (`kept_minutes`).
"""

from typing import ClassVar, Final

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document

ALL: Final = "all"
PROCESSES: Final = "processes"
DEPARTMENTS: Final = "departments"
PROGRESS: Final = "progress"
TOUR: Final = "tour"

Minutes = dict[str, int]
"""How many documents took so many minutes; the keys are numbers, written as JSON has them."""


class DayCut(Document, frozen=True):
    """A cut of a closed day. The id is the day's and the cut's. `here` counts what was decided here."""

    collection: ClassVar[Collection] = Collection(
        "turnaround_days", indexes=(Index("cut", ("cut", "day")),)
    )

    day: str
    cut: str
    groups: dict[str, Minutes]
    here: dict[str, int]


class Progress(Document, frozen=True):
    """There is one: the last day that is closed, and the first on which anything was decided here."""

    collection: ClassVar[Collection] = Collection("turnaround_progress")

    closed: str
    live: str | None = None


def cut_id(day: str, cut: str) -> str:
    """The id of a cut of a day."""
    return f"{day} {cut}"


def department_cut(department_id: str) -> str:
    """The cut by process within a department."""
    return f"department:{department_id}"


class CopyTour(Document, frozen=True):
    """There is one: how far the OA was asked which copies are read.

    While `under_way` everybody up to the person `after` was looked at since `started_at`; `missed` of them
    could not be. `as_of` is when the last whole tour began, `known_since` when the first one did. `hurries`:
    by day too and quickly, once; a sandbox does.
    """

    collection: ClassVar[Collection] = Collection("copy_tour")

    under_way: bool = False
    started_at: Millis = Millis(0)
    after: str = ""
    missed: int = 0
    known_since: Millis | None = None
    as_of: Millis | None = None
    missed_then: int = 0
    hurries: bool = False
