"""What may be asked of the read rate of circulated documents: by those who may see everybody's times."""

from collections.abc import Mapping
from dataclasses import asdict

from server.clock import Millis
from server.days import days_from
from server.directory import Directory
from server.features.turnaround.closing import Days
from server.features.turnaround.commands import check_asked, monday_of
from server.features.turnaround.documents import CopyTour
from server.features.turnaround.protocol import (
    NamedReadCounts,
    ReadCounts,
    ReadingShown,
    ShowReading,
    TourUnderWay,
    WeekReadCounts,
)
from server.features.turnaround.tallying import Tallies, Tally
from server.features.turnaround.touring import KEPT_MS, Tour
from server.work import UnitOfWork

Groups = dict[str, Tally]


async def show_reading(
    command: ShowReading,
    work: UnitOfWork,
    directory: Directory,
    days: Days,
    tour: Tour,
    tallies: Tallies,
) -> ReadingShown:
    """The range, counted; who asked for which days is recorded."""
    check_asked(command, directory)
    department = command.department_id
    place = await tour.place()
    today = days.days.day(work.now)
    first = max(command.from_day, days.days.day(work.now - KEPT_MS))
    asked = days_from(first, min(command.to_day, today))
    total, processes, departments, weeks = Tally(), Groups(), Groups(), Groups()
    for day, counted in await tallies.days(asked, place):
        for (kind, department_id), tally in counted.items():
            if department not in (None, department_id):
                continue
            total.merge(tally)
            processes.setdefault(kind, Tally()).merge(tally)
            departments.setdefault(department_id, Tally()).merge(tally)
            weeks.setdefault(monday_of(day), Tally()).merge(tally)
    subject = f"{command.from_day}..{command.to_day}"
    work.record("turnaround.reading", subject, department=department or "")
    names = {d.id: d.name for d in directory.departments()}
    return ReadingShown(
        from_day=command.from_day,
        to_day=command.to_day,
        total=ReadCounts(**asdict(total)),
        processes=_named(processes, {}),
        departments=[] if department else _named(departments, names),
        weeks=[WeekReadCounts(monday=one, **asdict(weeks[one])) for one in sorted(weeks)],
        known_since=place.known_since,
        as_of=place.as_of,
        missed=place.missed_then,
        under_way=await _under_way(place, directory, work.now),
    )


async def _under_way(place: CopyTour, directory: Directory, now: Millis) -> TourUnderWay | None:
    if not place.under_way:
        return None
    people = await directory.oa_users()
    looked_at = sum(person_id <= place.after for person_id in people)
    return TourUnderWay(looked_at=looked_at, people=len(people), at=now)


def _named(groups: Mapping[str, Tally], names: Mapping[str, str]) -> list[NamedReadCounts]:
    rows = [
        NamedReadCounts(id=id, name=names.get(id, id), **asdict(tally))
        for id, tally in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row.copies, row.name))
