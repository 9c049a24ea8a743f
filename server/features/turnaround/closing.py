"""Days are closed one after the other, soon after midnight, by the node that leads: their records are
counted once and for all. What is not closed yet is counted when somebody asks, at most every `FRESH_S`.

A kill between two days loses nothing: a day is written whole, with the note that it is closed. Records go
after two years, the counts of a day stay.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from server.acting.endings import Ending
from server.background import repeated
from server.clock import Clock
from server.days import HospitalDays, days_before, days_from, days_until
from server.features.turnaround.counting import DayCount, Group, merge_into
from server.features.turnaround.documents import PROGRESS, DayCut, Progress
from server.nodes import Leader
from server.retention import drop_old
from server.settings import Settings
from server.storage import Doc, Put, Store
from server.storage.document import from_doc, to_doc
from server.work import SystemWork

CLOSE_S: Final = 300.0
GRACE_MS: Final = 600_000
"""What ended just before midnight is on disk by then."""
KEEP_S: Final = 60.0
KEPT_MS: Final = 2 * 366 * 86_400_000
PORTION: Final = 1_000
FRESH_S: Final = 20.0
HELD: Final = 40


class Days:
    """The counts of days, closed or not."""

    def __init__(self, store: Store, system: SystemWork, clock: Clock, days: HospitalDays) -> None:
        self._store, self._system, self._clock, self.days = store, system, clock, days
        self._open: dict[str, tuple[float, DayCount]] = {}
        self._counting = asyncio.Lock()
        self._held: dict[tuple[str, str, str], Mapping[str, Group]] = {}
        self._merging = asyncio.Lock()

    async def progress(self) -> Progress:
        """How far days are closed: to the day before the first record, where none is."""
        doc = await self._store.get(Progress.collection.name, PROGRESS)
        if doc is not None:
            return from_doc(Progress, doc)
        first = await self._store.find(Ending.collection.name, "day", limit=1)
        begin = first[0]["day"] if first else self.days.day(self._clock.now())
        return Progress(id=PROGRESS, closed=days_before(begin, 1))

    async def close_old(self) -> int:
        """Close what is over; how many days it were."""
        progress = await self.progress()
        over = days_before(self.days.day(self._clock.now() - GRACE_MS), 1)
        old = days_from(days_before(progress.closed, -1), over)
        for day in old:
            count = await self.count(day)
            live = progress.live or (day if count.has_here else None)
            progress = Progress(id=PROGRESS, closed=day, live=live)
            await self._store.apply(
                *(Put(DayCut.collection.name, to_doc(cut), None) for cut in count.cuts()),
                Put(Progress.collection.name, to_doc(progress), None),
            )
        return len(old)

    async def count(self, day: str) -> DayCount:
        """Count the records of a day, in portions between which others have their turn."""
        counted, after = DayCount(day), ""
        while True:
            docs = await self._store.find(
                Ending.collection.name, "day", (day,), gt=after, limit=PORTION
            )
            counted.add(from_doc(Ending, doc) for doc in docs)
            if len(docs) < PORTION:
                return counted
            after = docs[-1]["order"]

    async def open_days(self, progress: Progress, last: str) -> list[DayCount]:
        """The days up to the last that are not closed, as counted a moment ago."""
        async with self._counting:
            # Whoever leads has closed them, perhaps another node.
            self._open = {day: kept for day, kept in self._open.items() if day > progress.closed}
            return [
                await self._recent(day) for day in days_from(days_before(progress.closed, -1), last)
            ]

    async def _recent(self, day: str) -> DayCount:
        now = self._clock.monotonic()
        kept = self._open.get(day)
        if kept is None or now - kept[0] > FRESH_S:
            kept = self._open[day] = (now, await self.count(day))
        return kept[1]

    async def closed(self, cut: str, first: str, last: str) -> Mapping[str, Group]:
        """A cut of the closed days from one to another, together. Held for whoever asks again, and made
        for one after the other: the longest range is seconds of counting."""
        key = (cut, first, last)
        async with self._merging:
            if key not in self._held:
                groups: dict[str, Group] = {}
                async for week in self.weeks(cut, first, last):
                    await asyncio.to_thread(merge_into, groups, week)
                self._held[key] = groups
                while len(self._held) > HELD:
                    del self._held[next(iter(self._held))]
            return self._held[key]

    async def weeks(self, cut: str, first: str, last: str) -> AsyncIterator[Sequence[DayCut]]:
        """A cut of each closed day from one to another, seven days at a time: a year of them at once is
        some megabytes to be read, and nothing else goes on meanwhile."""
        for start in range(0, max(0, days_until(first, last) + 1), 7):
            begin = days_before(first, -start)
            before, after = days_before(begin, 1), days_before(begin, -7)
            docs = await self._store.find(
                DayCut.collection.name,
                "cut",
                (cut,),
                gt=before,
                lt=min(after, days_before(last, -1)),
                limit=7,
            )
            yield await asyncio.to_thread(_cuts, docs)

    async def drop_old(self) -> int:
        """Drop some records of more than two years ago; how many it were."""
        return await drop_old(self._store, Ending, "ended_at", self._clock.now() - KEPT_MS)


def _cuts(docs: Sequence[Doc]) -> list[DayCut]:
    return [from_doc(DayCut, doc) for doc in docs]


@asynccontextmanager
async def counted_days(
    store: Store, system: SystemWork, clock: Clock, settings: Settings, leader: Leader
) -> AsyncIterator[Days]:
    """The days, closed in time while the context lasts."""
    days = Days(store, system, clock, HospitalDays(settings.his_timezone))
    async with AsyncExitStack() as stack:
        for name, every_s, act in (
            ("turn-around days", CLOSE_S, days.close_old),
            ("old endings", KEEP_S, days.drop_old),
        ):
            await stack.enter_async_context(
                leader.keep(name, partial(repeated, name, every_s, act))
            )
        yield days
