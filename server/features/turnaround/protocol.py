"""What crosses the socket for turn-around times: how long documents waited for the people they came to."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Result
from server.clock import Millis

MOST_DAYS = 400
Day = Annotated[str, Meta(pattern="^2[0-9]{3}-[0-9]{2}-[0-9]{2}$")]


class ShowProcesses(Command, frozen=True):
    """How long documents waited, of those that ended on these days, both included, at most 400. With a
    department: of its people."""

    wire_name: ClassVar[str] = "turnaround.processes"
    from_day: Day
    to_day: Day
    department_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Waited(msgspec.Struct, frozen=True, kw_only=True):
    """`n` documents, of which `here` were decided in Yuanxin. Minutes from arrival to the end: the median
    and the 90th percentile by nearest rank (null of none), to three figures; and the shares, 0 to 1, that
    were over within ten minutes, an hour and a day."""

    n: int
    here: int
    median: int | None
    p90: int | None
    within_10_minutes: float
    within_hour: float
    within_day: float


class NamedWaited(Waited, frozen=True, kw_only=True):
    """A process or a department. An empty name is for those that have none."""

    id: str
    name: str


class WeekWaited(Waited, frozen=True, kw_only=True):
    """A week, from Monday on; only days up to the range's last."""

    monday: str


class ProcessesShown(Result, frozen=True):
    """`total`, `processes` and `departments` are of the range, most documents first; `departments` is
    empty when one was asked for. `weeks` are those of the range, and at least the last 12 before its end;
    `live_day` is the first day on which something was decided here (null: none yet)."""

    from_day: str
    to_day: str
    today: str
    total: Waited
    processes: list[NamedWaited]
    departments: list[NamedWaited]
    weeks: list[WeekWaited]
    live_day: str | None


class ShowReading(Command, frozen=True):
    """How many of the copies that came on these days are known to be read; days and department as for
    `turnaround.processes`. Records are kept 90 days."""

    wire_name: ClassVar[str] = "turnaround.reading"
    from_day: Day
    to_day: Day
    department_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class ReadCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Of `copies`, one per person and document, `read` are known to be read by now. Of the
    `day_copies` that were followed from their arrival for a whole day `day_read` were read within it; three
    days likewise. What is read in the OA shows only in the next tour, so all of these are lower bounds."""

    copies: int
    read: int
    day_copies: int
    day_read: int
    three_days_copies: int
    three_days_read: int


class NamedReadCounts(ReadCounts, frozen=True, kw_only=True):
    """A process or a department. An empty name is for those that have none."""

    id: str
    name: str


class WeekReadCounts(ReadCounts, frozen=True, kw_only=True):
    """Copies that came in a week, from Monday on; only days of the range."""

    monday: str


class TourUnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """`looked_at` of `people` were asked about in the OA by `at`."""

    looked_at: int
    people: int
    at: Millis


class ReadingShown(Result, frozen=True):
    """By the day on which copies came. `known_since` is when the first tour through the OA began, `as_of`
    when the last whole one did (null: none yet); it could not look at `missed` people. `under_way` is a tour
    that has begun and not ended (null: none)."""

    from_day: str
    to_day: str
    total: ReadCounts
    processes: list[NamedReadCounts]
    departments: list[NamedReadCounts]
    weeks: list[WeekReadCounts]
    known_since: Millis | None
    as_of: Millis | None
    missed: int
    under_way: TourUnderWay | None


class ShowMine(Command, frozen=True):
    """How long the actor's own documents have been waiting."""

    wire_name: ClassVar[str] = "turnaround.mine"


class MineShown(Result, frozen=True):
    """By age: of the hospital's today, up to three days, up to seven, and more. `oldest_at` is null when
    nothing waits, `as_of` when the OA was never read. `sees_all`: may ask for processes;
    `day` is the hospital's today."""

    today: int
    to_3_days: int
    to_7_days: int
    more: int
    oldest_at: Millis | None
    as_of: Millis | None
    sees_all: bool
    day: str
