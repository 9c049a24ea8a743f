"""Counting how long things took, and reading medians off the counts.

Minutes are kept exactly up to a thousand and to three figures beyond (a day and a half is 2,160, or 36 h):
a percentile read off the counts is that of the records, within half a percent. Percentiles are by nearest
rank: the least value that so many percent of the documents did not exceed, one of those that occurred.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from server.acting.endings import Ending
from server.features.turnaround.documents import (
    ALL,
    DEPARTMENTS,
    PROCESSES,
    DayCut,
    Minutes,
    cut_id,
    department_cut,
)

TEN_MINUTES: Final = 10
HOUR: Final = 60
DAY: Final = 1_440


def kept_minutes(minutes: int) -> int:
    """As many figures as are kept of a number of minutes."""
    step = 1
    while minutes // step >= 1_000:
        step *= 10
    return minutes // step * step


class Group:
    """Documents that are looked at together."""

    __slots__ = ("here", "minutes")

    def __init__(self) -> None:
        self.minutes: Counter[int] = Counter()
        self.here = 0

    def add(self, minutes: Mapping[str, int], here: int) -> None:
        for key, count in minutes.items():
            self.minutes[int(key)] += count
        self.here += here

    @property
    def count(self) -> int:
        return self.minutes.total()

    def percentile(self, percent: int) -> int | None:
        """By nearest rank; None of nothing."""
        rank = -(-self.count * percent // 100)
        passed = 0
        for minutes in sorted(self.minutes):
            passed += self.minutes[minutes]
            if passed >= rank > 0:
                return minutes
        return None

    def share_within(self, minutes: int) -> float:
        """The part that was over within so many minutes, 0 to 1."""
        within = sum(count for took, count in self.minutes.items() if took <= minutes)
        return within / self.count if self.count else 0.0


class DayCount:
    """A day being counted, in all its cuts."""

    def __init__(self, day: str) -> None:
        self.day = day
        self._cuts: dict[str, dict[str, Group]] = {}

    def add(self, endings: Iterable[Ending]) -> None:
        for ending in endings:
            department = ending.department_id
            for cut, name in (
                (ALL, ""),
                (PROCESSES, ending.kind),
                (DEPARTMENTS, department),
                (department_cut(department), ending.kind),
            ):
                group = self._cuts.setdefault(cut, {}).setdefault(name, Group())
                group.minutes[kept_minutes(ending.minutes)] += 1
                group.here += ending.how != "elsewhere"

    @property
    def has_here(self) -> bool:
        """Whether anything was decided here."""
        return any(group.here for group in self._cuts.get(ALL, {}).values())

    def cuts(self) -> list[DayCut]:
        """As they are kept."""
        return [self._as_kept(cut, groups) for cut, groups in self._cuts.items()]

    def cut(self, name: str) -> DayCut | None:
        """One of them."""
        groups = self._cuts.get(name)
        return None if groups is None else self._as_kept(name, groups)

    def _as_kept(self, cut: str, groups: Mapping[str, Group]) -> DayCut:
        return DayCut(
            id=cut_id(self.day, cut),
            day=self.day,
            cut=cut,
            groups={name: _written(group.minutes) for name, group in groups.items()},
            here={name: group.here for name, group in groups.items() if group.here},
        )


def _written(minutes: Mapping[int, int]) -> Minutes:
    return {str(took): count for took, count in minutes.items()}


def merge_into(groups: dict[str, Group], cuts: Iterable[DayCut]) -> None:
    """Add the groups of several days to those there are."""
    for cut in cuts:
        for name, minutes in cut.groups.items():
            groups.setdefault(name, Group()).add(minutes, cut.here.get(name, 0))


def together(groups: Iterable[Group]) -> Group:
    """Groups as one."""
    total = Group()
    for group in groups:
        total.minutes.update(group.minutes)
        total.here += group.here
    return total
