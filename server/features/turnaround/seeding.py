"""Twenty past weeks of turn-around times for a sandbox that has none: counts only, as if long closed.

In the first half documents waited for somebody to sit down at a desk; then they came to the phone, and more
of them are decided there every week. The same day always gets the same figures.
"""

import random
from collections.abc import Iterator
from datetime import date
from typing import Final

from server.acting.endings import Ending
from server.clock import Clock, Millis
from server.days import HospitalDays, days_before, days_from
from server.directory import Directory
from server.features.turnaround.counting import DayCount
from server.features.turnaround.documents import PROGRESS, TOUR, CopyTour, DayCut, Progress
from server.settings import Settings
from server.storage import Put, Store
from server.storage.document import to_doc

PAST_DAYS: Final = 140
LIVE_DAYS: Final = 63
LEARNT_DAYS: Final = 28
"""So long it took until most had the habit."""
AT_DESK_H: Final = {
    "请假申请": 20.0,
    "发文审批": 30.0,
    "采购申请": 44.0,
    "设备维修": 16.0,
    "信息系统变更": 34.0,
    "合同会签": 58.0,
    "院感上报": 24.0,
}
"""Hours that a process took in the middle, as long as it waited for a desk."""
ON_PHONE_MINUTES: Final = 24.0
MOST_DEPARTMENTS: Final = 14


async def seed(store: Store, clock: Clock, directory: Directory, settings: Settings) -> None:
    """Fill an empty collection, and let the first tour begin at once."""
    if await store.scan(DayCut.collection.name, limit=1):
        return
    today = HospitalDays(settings.his_timezone).day(clock.now())
    departments = [d.id for d in directory.departments() if directory.members(d.id)]
    live = days_before(today, LIVE_DAYS)
    for day in days_from(days_before(today, PAST_DAYS), days_before(today, 1)):
        count = DayCount(day)
        count.add(_endings(day, live, departments[:MOST_DEPARTMENTS]))
        cuts = (Put(DayCut.collection.name, to_doc(cut), None) for cut in count.cuts())
        await store.apply(*cuts)
    progress = Progress(id=PROGRESS, closed=days_before(today, 1), live=live)
    tour = CopyTour(id=TOUR, hurries=True)
    await store.apply(
        Put(Progress.collection.name, to_doc(progress), None),
        Put(CopyTour.collection.name, to_doc(tour), None),
    )


def _endings(day: str, live: str, departments: list[str]) -> Iterator[Ending]:
    chance = random.Random(day)
    since = (date.fromisoformat(day) - date.fromisoformat(live)).days
    habit = 0.0 if since < 0 else 0.25 + 0.6 * min(1.0, since / LEARNT_DAYS)
    busy = 0.25 if date.fromisoformat(day).weekday() >= 5 else 1.0
    for place, department in enumerate(departments):
        slowness = 0.75 + 0.5 * place / len(departments)
        for number in range(round(chance.uniform(5, 13) * busy)):
            kind = chance.choice(tuple(AT_DESK_H))
            on_phone = chance.random() < habit
            middle = ON_PHONE_MINUTES if on_phone else AT_DESK_H[kind] * 60
            minutes = max(1, round(middle * slowness * chance.lognormvariate(0, 0.9)))
            id = f"{day}:{department}:{number}"
            yield Ending(
                id=id,
                person_id="",
                request_id="",
                kind=kind,
                department_id=department,
                arrived_at=Millis(0),
                ended_at=Millis(minutes * 60_000),
                day=day,
                order=id,
                how="page" if on_phone else "elsewhere",
            )
