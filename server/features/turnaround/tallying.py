"""Counting copies and those of them that are read, from their records, by the day on which they came.

Any record may change as long as it is followed, so nothing is counted once and for all; a day counted a
moment ago is not counted again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from server.acting.copies import Copy
from server.clock import Clock
from server.features.turnaround.documents import CopyTour
from server.storage import Store
from server.storage.document import from_doc

DAY_MS: Final = 86_400_000
PORTION: Final = 1_000
FRESH_S: Final = 20.0


@dataclass(slots=True)
class Tally:
    """Counts as `protocol.ReadCounts` has them."""

    copies: int = 0
    read: int = 0
    day_copies: int = 0
    day_read: int = 0
    three_days_copies: int = 0
    three_days_read: int = 0

    def add(self, copy: Copy, tour: CopyTour) -> None:
        self.copies += 1
        self.read += copy.read_at is not None
        self.day_copies += _is_over(copy, 1, tour)
        self.day_read += _is_over(copy, 1, tour) and _is_read_within(copy, 1)
        self.three_days_copies += _is_over(copy, 3, tour)
        self.three_days_read += _is_over(copy, 3, tour) and _is_read_within(copy, 3)

    def merge(self, other: "Tally") -> None:
        self.copies += other.copies
        self.read += other.read
        self.day_copies += other.day_copies
        self.day_read += other.day_read
        self.three_days_copies += other.three_days_copies
        self.three_days_read += other.three_days_read


def _is_over(copy: Copy, days: int, tour: CopyTour) -> bool:
    """Whether it was followed from its arrival for so long: before the first tour nobody looked, and what
    came since the last one may have been read without our knowing."""
    if tour.known_since is None or tour.as_of is None:
        return False
    return tour.known_since <= copy.received_at <= tour.as_of - days * DAY_MS


def _is_read_within(copy: Copy, days: int) -> bool:
    return copy.read_at is not None and copy.read_at - copy.received_at <= days * DAY_MS


Place = tuple[str, str]
"""The kind of a document and the department of whoever got it."""
DayTally = Mapping[Place, Tally]


class Tallies:
    """The days, counted when somebody asks."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._held: dict[str, tuple[float, DayTally]] = {}
        self._counting = asyncio.Lock()

    async def days(self, days: Iterable[str], tour: CopyTour) -> list[tuple[str, DayTally]]:
        """Each day's counts; one who asks waits for another who counts."""
        async with self._counting:
            now = self._clock.monotonic()
            # A sandbox's first tour is watched while it goes on.
            fresh_s = 0.0 if tour.hurries else FRESH_S
            held = {day: kept for day, kept in self._held.items() if now - kept[0] <= fresh_s}
            for day in days:
                if day not in held:
                    held[day] = (now, await self._count(day, tour))
            self._held = held
            return [(day, held[day][1]) for day in days]

    async def _count(self, day: str, tour: CopyTour) -> DayTally:
        """In portions, between which others have their turn."""
        counted: dict[Place, Tally] = {}
        after = ""
        while True:
            docs = await self._store.find(
                Copy.collection.name, "day", (day,), gt=after, limit=PORTION
            )
            for doc in docs:
                copy = from_doc(Copy, doc)
                place = (copy.kind, copy.department_id)
                counted.setdefault(place, Tally()).add(copy, tour)
            if len(docs) < PORTION:
                return counted
            after = docs[-1]["order"]


@asynccontextmanager
async def tallies(store: Store, clock: Clock) -> AsyncIterator[Tallies]:
    """As a service, for the command."""
    yield Tallies(store, clock)
