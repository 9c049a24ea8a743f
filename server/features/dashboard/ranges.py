"""Sums over days, read from the sums of each day."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from server.days import days_before, days_from
from server.directory import Directory
from server.features.dashboard.documents import MOST_DEPARTMENTS, DaySums, sums_id
from server.features.dashboard.protocol import DayRow, DepartmentRow, Hours
from server.integrations.his import COUNTERS
from server.work import UnitOfWork

READING_HOLDS_DAYS = 7
"""A department's last reading counts for so many days, its own included."""


class RangeSums:
    """Adds up days in their order."""

    def __init__(self, type: str | None, *, is_one_day: bool) -> None:
        self._type, self._is_one_day = type, is_one_day
        self._days: list[DayRow] = []
        self._departments: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._types: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._levels: list[int | None] = [None] * 24
        self._hours = {metric: [0] * 24 for metric in COUNTERS}
        self._held: dict[str, tuple[str, int]] = {}

    def hold(self, found: Sequence[DaySums]) -> None:
        """Take over the readings of a day."""
        for sums in found:
            if (reading := sums.last_reading) is not None:
                self._held[sums.department_id] = (sums.day, reading)

    def add(self, day: str, found: Sequence[DaySums]) -> None:
        """Add a day."""
        if self._is_one_day:
            self._levels = self._level_by_hour(day, found)
        self.hold(found)
        counted: Counter[str] = Counter()
        hours: defaultdict[str, list[list[int]]] = defaultdict(list)
        for sums in found:
            total = self._departments[sums.department_id]
            for key, by_hour in sums.counts.items():
                metric, _, type = key.partition(":")
                if not (type and self._type) or type == self._type:
                    total[metric] += sum(by_hour)
                    if type:
                        self._types[sums.department_id][key] += sum(by_hour)
                    hours[metric].append(by_hour)
        for metric, lists in hours.items():
            by_hour = [sum(same) for same in zip(*lists, strict=True)]
            counted[metric] = sum(by_hour)
            self._hours[metric] = [a + b for a, b in zip(self._hours[metric], by_hour, strict=True)]
        if found:
            inpatients = self._inpatients(day)
            total_inpatients = sum(inpatients.values()) if inpatients else None
            self._days.append(DayRow(day=day, inpatients=total_inpatients, **_counters(counted)))

    def _level_by_hour(self, day: str, found: Sequence[DaySums]) -> list[int | None]:
        """The inpatients as last read by the end of each hour."""
        level: list[int | None] = []
        held = self._inpatients(day)
        for hour in range(24):
            for sums in found:
                if (reading := sums.readings.get(str(hour))) is not None:
                    held[sums.department_id] = reading.value
            level.append(sum(held.values()) if held else None)
        return level

    def _inpatients(self, day: str) -> dict[str, int]:
        since = days_before(day, READING_HOLDS_DAYS - 1)
        return {id: value for id, (read, value) in self._held.items() if read >= since}

    @property
    def days(self) -> list[DayRow]:
        """The days that have figures."""
        return self._days

    def departments(self, last_day: str, directory: Directory) -> list[DepartmentRow]:
        """The departments that have figures, in the hospital's order; those no longer there at the end."""
        inpatients = self._inpatients(last_day)
        names = {b.department.id: b.department.name for b in directory.tree}
        ordered = dict.fromkeys(chain(names, sorted(self._departments)))
        return [
            DepartmentRow(
                department_id=id,
                name=names.get(id, id),
                inpatients=inpatients.get(id),
                by_type=_by_type(self._types[id]),
                **_counters(self._departments[id]),
            )
            for id in ordered
            if id in self._departments
        ]

    @property
    def hours(self) -> Hours:
        """By hour of the day."""
        return Hours(**self._hours, inpatients=self._levels)


def _counters(counted: Mapping[str, int]) -> dict[str, int]:
    return {metric: counted.get(metric, 0) for metric in COUNTERS}


def _by_type(counted: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Counts under `metric:type`, by metric and then by type."""
    found: dict[str, dict[str, int]] = {}
    for key, count in counted.items():
        metric, _, type = key.partition(":")
        if count:
            found.setdefault(metric, {})[type] = count
    return found


async def sum_range(
    work: UnitOfWork,
    first: str,
    last: str,
    departments: Collection[str] | None,
    type: str | None,
) -> RangeSums:
    """The sums of some departments (None: of all). A read for each day: the longest range is read in
    many small steps, between which others have their turn."""
    sums = RangeSums(type, is_one_day=first == last)
    for day in days_from(days_before(first, READING_HOLDS_DAYS - 1), last):
        found = await read_day(work, day, departments)
        if day < first:
            sums.hold(found)
        else:
            sums.add(day, found)
    return sums


async def read_day(
    work: UnitOfWork, day: str, departments: Collection[str] | None
) -> Sequence[DaySums]:
    """A day of some departments (None: of all that have figures)."""
    if departments is None:
        return await work.query(DaySums, "day", day, limit=MOST_DEPARTMENTS)
    ids = [sums_id(day, id) for id in departments]
    return list((await work.get_many(DaySums, ids)).values())
