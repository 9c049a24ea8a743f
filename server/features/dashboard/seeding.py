"""Sixty past days of figures for a sandbox that has none: sums only, as if their facts were long closed.

The same day and department always get the same figures.
"""

import random
from collections.abc import Sequence
from datetime import date

from server.clock import Clock
from server.days import HospitalDays, days_before, days_from
from server.directory import Directory
from server.features.dashboard.documents import DaySums, Reading, order_of, sums_id
from server.features.dashboard.plausible import (
    ARRIVING,
    BUSYNESS,
    EMERGENCY,
    OPERATING,
    TYPE_SHARES,
    WEEK,
    Busyness,
)
from server.integrations.his import RegistrationType
from server.settings import Settings
from server.storage import Insert, Store
from server.storage.document import to_doc

PAST_DAYS = 60
READ_AT = (0, 6, 12, 18)
DOCS_AT_ONCE = 500


async def seed(store: Store, clock: Clock, directory: Directory, settings: Settings) -> None:
    """Fill an empty collection."""
    if await store.scan(DaySums.collection.name, limit=1):
        return
    days = HospitalDays(settings.his_timezone)
    today = days.day(clock.now())
    past = days_from(days_before(today, PAST_DAYS), days_before(today, 1))
    departments = [id for id in BUSYNESS if directory.department(id) is not None]
    docs = [to_doc(plausible_day(days, day, id)) for day in past for id in departments]
    for start in range(0, len(docs), DOCS_AT_ONCE):
        some = docs[start : start + DOCS_AT_ONCE]
        await store.apply(*(Insert(DaySums.collection.name, doc) for doc in some))


def plausible_day(days: HospitalDays, day: str, department_id: str) -> DaySums:
    """A department's day."""
    busy = BUSYNESS[department_id]
    chance = random.Random(sums_id(day, department_id))
    weekday = WEEK[date.fromisoformat(day).weekday()]
    is_emergency = department_id == EMERGENCY
    patients = busy.outpatients * (1.2 - 0.2 * weekday if is_emergency else weekday)
    shares: dict[RegistrationType, float] = {"emergency": 1.0} if is_emergency else TYPE_SHARES
    counts: dict[str, list[int]] = {}
    for type, share in shares.items():
        counts.update(_patients(type, patients * share * chance.uniform(0.9, 1.1), chance))
    operations = _spread(OPERATING, busy.operations * weekday * chance.uniform(0.8, 1.2), chance)
    return DaySums(
        id=sums_id(day, department_id),
        day=day,
        department_id=department_id,
        counts={k: v for k, v in {**counts, "operations": operations}.items() if any(v)},
        readings=_readings(days, day, busy, chance) if busy.beds else {},
    )


def _patients(
    type: RegistrationType, expected: float, chance: random.Random
) -> dict[str, list[int]]:
    """Those who register, are called a while later, and are seen; not everybody stays."""
    registered = _spread(ARRIVING[type], expected, chance)
    called = _later(registered, 0.45, 0.97, chance)
    seen = _later(called, 0.3, 0.985, chance)
    return {f"registered:{type}": registered, f"called:{type}": called, f"seen:{type}": seen}


def _spread(shares: Sequence[float], expected: float, chance: random.Random) -> list[int]:
    return [int(expected * share + chance.random()) if share else 0 for share in shares]


def _later(
    before: Sequence[int], next_hour: float, staying: float, chance: random.Random
) -> list[int]:
    """The same people, some of them in the next hour; never more so far than there were before."""
    after: list[int] = []
    waiting = 0
    for came in before:
        leaving = int(came * (1 - staying) + chance.random()) if came else 0
        moved = int((came - leaving) * next_hour)
        after.append(waiting + came - leaving - moved)
        waiting = moved
    after[-1] += waiting
    return after


def _readings(
    days: HospitalDays, day: str, busy: Busyness, chance: random.Random
) -> dict[str, Reading]:
    lying = busy.beds * chance.uniform(0.8, 0.95)
    return {
        str(hour): Reading(
            order=order_of(days.moment(day, hour), "seed"),
            value=min(busy.beds, round(lying + chance.uniform(-2, 2))),
        )
        for hour in READ_AT
    }
