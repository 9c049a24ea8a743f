"""Sums over days, read from the sums of each day."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from server.directory import Directory
from server.features.dashboard.days import days_before, days_from
from server.features.dashboard.documents import MOST_DEPARTMENTS, DaySums, sums_id
from server.features.dashboard.protocol import DayRow, DepartmentRow, Hours
from server.integrations.his import COUNTERS
from server.work import UnitOfWork

READING_HOLDS_DAYS = 7
"""A department's last reading counts for so many days, its own included."""


class RangeSums:
    """Adds up days in their order."""

    def __init__(self, type: str | None) -> None:
        self._type = type
        self._days: list[DayRow] = []
        self._departments: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._hours = {metric: [0] * 24 for metric in COUNTERS}
        self._held: dict[str, tuple[str, int]] = {}

    def hold(self, found: Sequence[DaySums]) -> None:
        """Take over the readings of a day."""
        for sums in found:
            if (reading := sums.last_reading) is not None:
                self._held[sums.department_id] = (sums.day, reading)

    def add(self, day: str, found: Sequence[DaySums]) -> None:
        """Add a day."""
        self.hold(found)
        counted: Counter[str] = Counter()
        hours: defaultdict[str, list[list[int]]] = defaultdict(list)
        for sums in found:
            total = self._departments[sums.department_id]
            for key, by_hour in sums.counts.items():
                metric, _, type = key.partition(":")
                if not (type and self._type) or type == self._type:
                    total[metric] += sum(by_hour)
                    hours[metric].append(by_hour)
        for metric, lists in hours.items():
            by_hour = [sum(same) for same in zip(*lists, strict=True)]
            counted[metric] = sum(by_hour)
            self._hours[metric] = [a + b for a, b in zip(self._hours[metric], by_hour, strict=True)]
        if found:
            inpatients = self._inpatients(day)
            total_inpatients = sum(inpatients.values()) if inpatients else None
            self._days.append(DayRow(day=day, inpatients=total_inpatients, **_counters(counted)))

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
                **_counters(self._departments[id]),
            )
            for id in ordered
            if id in self._departments
        ]

    @property
    def hours(self) -> Hours:
        """By hour of the day."""
        return Hours(**self._hours)


def _counters(counted: Mapping[str, int]) -> dict[str, int]:
    return {metric: counted.get(metric, 0) for metric in COUNTERS}


async def sum_range(
    work: UnitOfWork,
    first: str,
    last: str,
    departments: Collection[str] | None,
    type: str | None,
) -> RangeSums:
    """The sums of some departments (None: of all). A read for each day: the longest range is read in
    many small steps, between which others have their turn."""
    sums = RangeSums(type)
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
