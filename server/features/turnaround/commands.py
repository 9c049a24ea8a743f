"""What may be asked of turn-around times: of everybody's, by those allowed; of one's own, by everybody."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from server.auth import Actor, Role
from server.days import HospitalDays, days_before, days_until
from server.directory import Directory
from server.errors import Invalid, NotFound
from server.features.turnaround.closing import Days
from server.features.turnaround.counting import (
    DAY,
    HOUR,
    TEN_MINUTES,
    Group,
    merge_into,
    together,
)
from server.features.turnaround.documents import (
    ALL,
    DEPARTMENTS,
    PROCESSES,
    DayCut,
    Progress,
    department_cut,
)
from server.features.turnaround.protocol import (
    MOST_DAYS,
    MineShown,
    NamedWaited,
    ProcessesShown,
    ShowMine,
    ShowProcesses,
    ShowReading,
    Waited,
    WeekWaited,
)
from server.integrations.oa.mirror import Worklist
from server.work import UnitOfWork

LEAST_WEEKS: Final = 12


def sees_all(actor: Actor) -> bool:
    """Leaders, and administrators of the system."""
    return actor.has(Role.LEADER) or actor.has(Role.SYSTEM_ADMIN)


def check_asked(command: ShowProcesses | ShowReading, directory: Directory) -> None:
    """Raises Invalid for days that are no range, NotFound for a department that is none."""
    length = days_until(command.from_day, command.to_day) + 1
    if not 1 <= length <= MOST_DAYS:
        raise Invalid(f"a range has 1 to {MOST_DAYS} days, the first one first")
    department = command.department_id
    if department is not None and directory.department(department) is None:
        raise NotFound("there is no such department")


async def show_processes(
    command: ShowProcesses, work: UnitOfWork, directory: Directory, days: Days
) -> ProcessesShown:
    """The range, counted; who asked for which days is recorded."""
    check_asked(command, directory)
    department = command.department_id
    today, first = days.days.day(work.now), command.from_day
    # Each day that is not closed is counted by itself: those to come would be centuries of them.
    reading = Reading(days, await days.progress(), min(command.to_day, today))
    by_process = await reading.groups(
        department_cut(department) if department else PROCESSES, first
    )
    by_department = {} if department else await reading.groups(DEPARTMENTS, first)
    work.record("turnaround.processes", f"{first}..{command.to_day}", department=department or "")
    names = {d.id: d.name for d in directory.departments()}
    return ProcessesShown(
        from_day=first,
        to_day=command.to_day,
        today=today,
        total=await asyncio.to_thread(_total, by_process),
        processes=await asyncio.to_thread(_named, by_process, {}),
        departments=await asyncio.to_thread(_named, by_department, names),
        weeks=await reading.weeks(department, _first_week(first, command.to_day)),
        live_day=await reading.live_day(),
    )


def _first_week(first: str, last: str) -> str:
    """The Monday with which the weeks begin."""
    return min(monday_of(first), days_before(monday_of(last), 7 * (LEAST_WEEKS - 1)))


class Reading:
    """Cuts up to a day: of closed days as they are kept, of the others as they stand. Adding them up is done
    beside the loop: a hospital's groups have some hundred thousand counts."""

    def __init__(self, days: Days, progress: Progress, last: str) -> None:
        self._days, self._progress, self._last = days, progress, last

    async def open_cuts(self, cut: str, first: str) -> list[DayCut]:
        counts = await self._days.open_days(self._progress, self._last)
        cuts = [count.cut(cut) for count in counts if count.day >= first]
        return [found for found in cuts if found is not None]

    @property
    def _closed(self) -> str:
        return min(self._last, self._progress.closed)

    async def groups(self, cut: str, first: str) -> Mapping[str, Group]:
        closed = await self._days.closed(cut, first, self._closed)
        return await asyncio.to_thread(_completed, closed, await self.open_cuts(cut, first))

    async def weeks(self, department: str | None, first: str) -> list[WeekWaited]:
        """Each week that has anything."""
        cut = department_cut(department) if department else ALL
        weeks: dict[str, dict[str, Group]] = {}
        async for cuts in self._days.weeks(cut, first, self._closed):
            await asyncio.to_thread(_add_to_weeks, weeks, cuts)
        _add_to_weeks(weeks, await self.open_cuts(cut, first))
        return await asyncio.to_thread(_by_week, weeks)

    async def live_day(self) -> str | None:
        if self._progress.live is not None:
            return self._progress.live
        open_days = await self._days.open_days(self._progress, self._last)
        return next((count.day for count in open_days if count.has_here), None)


def _completed(closed: Mapping[str, Group], open_cuts: Sequence[DayCut]) -> Mapping[str, Group]:
    """Groups of closed days, which stay as they are, with those of the others."""
    groups = {name: together([group]) for name, group in closed.items()}
    merge_into(groups, open_cuts)
    return groups


def _add_to_weeks(weeks: dict[str, dict[str, Group]], cuts: Sequence[DayCut]) -> None:
    for cut in cuts:
        merge_into(weeks.setdefault(monday_of(cut.day), {}), [cut])


def _by_week(weeks: Mapping[str, Mapping[str, Group]]) -> list[WeekWaited]:
    return [
        WeekWaited(monday=monday, **_figures(together(weeks[monday].values())))
        for monday in sorted(weeks)
    ]


def monday_of(day: str) -> str:
    """The Monday of the week of a day."""
    there = date.fromisoformat(day)
    return (there - timedelta(days=there.weekday())).isoformat()


def _named(groups: Mapping[str, Group], names: Mapping[str, str]) -> list[NamedWaited]:
    rows = [
        NamedWaited(id=id, name=names.get(id, id), **_figures(group))
        for id, group in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row.n, row.name))


def _total(groups: Mapping[str, Group]) -> Waited:
    return Waited(**_figures(together(groups.values())))


def _figures(group: Group) -> dict[str, Any]:
    return {
        "n": group.count,
        "here": group.here,
        "median": group.percentile(50),
        "p90": group.percentile(90),
        "within_10_minutes": group.share_within(TEN_MINUTES),
        "within_hour": group.share_within(HOUR),
        "within_day": group.share_within(DAY),
    }


async def show_mine(
    command: ShowMine, work: UnitOfWork, worklist: Worklist, days: Days
) -> MineShown:
    """The actor's own list by age, as last read."""
    seen = await worklist.seen(work.actor.person_id)
    received = [item.received_at for item in seen.items if item.received_at] if seen else []
    ages = [_age(days.days, at, work.now) for at in received]
    # Beyond what is followed lie the oldest; a document without a date has just come, as far as we know.
    undated = len(seen.items) - len(received) if seen else 0
    beyond = seen.pending - len(seen.items) if seen else 0
    return MineShown(
        today=sum(age <= 0 for age in ages) + undated,
        to_3_days=sum(0 < age <= 3 for age in ages),
        to_7_days=sum(3 < age <= 7 for age in ages),
        more=sum(age > 7 for age in ages) + beyond,
        oldest_at=min(received, default=None),
        as_of=seen.as_of if seen else None,
        sees_all=sees_all(work.actor),
        day=days.days.day(work.now),
    )


def _age(days: HospitalDays, at: int, now: int) -> int:
    """In days of the hospital's calendar."""
    return days_until(days.day(at), days.day(now))
