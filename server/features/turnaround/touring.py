"""Once a night the node that leads asks the OA, person by person, which copies are read.

From 02:00 to 06:00 of the hospital's, in the last lane and on average at most a call a second; what is not
done by morning goes on the next night where it stopped. Only flags are asked for: opening would make a copy
read. A person's records and the place reached are one commit, so a kill repeats one person at most.

A sandbox's first tour does not wait: by day it takes up to a third of the calls, since in the last lane it
would stand behind the first reading of everybody.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from msgspec.structs import replace

from server.acting.copies import FOLLOWED_MS, Copies, Copy, copy_id
from server.background import repeated
from server.clock import Clock, Millis
from server.days import HospitalDays
from server.directory import Directory
from server.features.turnaround.documents import TOUR, CopyTour
from server.integrations.oa import (
    OA,
    PAGE_ROWS,
    Blocked,
    Item,
    Lane,
    NotUnderstood,
    OAError,
    Unreachable,
)
from server.nodes import Leader
from server.retention import drop_old
from server.settings import Settings
from server.storage import Store
from server.storage.document import from_doc
from server.work import SystemWork, UnitOfWork

log = logging.getLogger(__name__)

NIGHT: Final = range(2, 6)
CALL_S: Final = 1.0
WAIT_S: Final = 60.0
"""Between looks at the clock by day, and after the OA did not answer."""
HURRIED_SHARE: Final = 1 / 3
HURRIED_WAIT_S: Final = 1.2
"""The same for a tour that hurries: its part of the calls that are allowed, and its wait."""
TRIES: Final = 3
MOST_PAGES: Final = 5
FLAGS_AT_ONCE: Final = 100
MOST_UNREAD: Final = 500
KEPT_MS: Final = 90 * 86_400_000
KEEP_S: Final = 60.0


class Tour:
    """`step` looks at one person's copies when it is time; `run` goes on until cancelled."""

    def __init__(
        self,
        oa: OA,
        store: Store,
        system: SystemWork,
        clock: Clock,
        directory: Directory,
        settings: Settings,
    ) -> None:
        self._oa, self._store, self._system, self._clock = oa, store, system, clock
        self._directory, self._copies = directory, Copies(settings, directory)
        self._days = HospitalDays(settings.his_timezone)
        self._hurried_s = 1 / (HURRIED_SHARE * settings.oa_calls_per_second)
        self._lane = Lane.REST
        self._calls = 0
        self._failed = 0

    async def run(self) -> None:
        """Tour every night. Whoever leads next goes on where this ended."""
        while True:
            wait_s = WAIT_S
            try:
                wait_s = await self.step()
            except Exception:
                log.exception("copies in the OA cannot be looked at")
            await asyncio.sleep(wait_s)

    async def place(self) -> CopyTour:
        """How far the tour has come."""
        doc = await self._store.get(CopyTour.collection.name, TOUR)
        return CopyTour(id=TOUR) if doc is None else from_doc(CopyTour, doc)

    async def step(self) -> float:
        """One person further, if it is time; the seconds to wait then."""
        tour = await self.place()
        if not self._is_time(tour):
            return WAIT_S
        began = self._clock.monotonic()
        self._calls = 0
        self._lane = Lane.VISIBLE if tour.hurries else Lane.REST
        users = await self._directory.oa_users()
        after = tour.after if tour.under_way else ""
        person_id = min((id for id in users if id > after), default=None)
        if person_id is None:
            await self._system.do(self._ended)
            return WAIT_S
        if not await self._looked_at(person_id, users[person_id]):
            return HURRIED_WAIT_S if tour.hurries else WAIT_S
        if tour.hurries:
            return max(0.0, began + self._calls * self._hurried_s - self._clock.monotonic())
        return self._calls * CALL_S

    def _is_time(self, tour: CopyTour) -> bool:
        if tour.hurries:
            return True
        day, hour = self._days.slot(self._clock.now())
        return hour in NIGHT and (tour.under_way or self._days.day(tour.started_at) < day)

    async def _looked_at(self, person_id: str, user: str) -> bool:
        """False: the OA is away, and this person comes first when it is back. One whose answer fails again
        and again is passed over, or nobody after would be looked at."""
        asked_at = self._clock.now()
        try:
            listed = await self._listed(user, asked_at - FOLLOWED_MS)
            flags = await self._flags(person_id, user, listed, asked_at)
        except (Unreachable, Blocked) as failed:
            self._failed += not failed.never_arrived
            if self._failed < TRIES:
                return False
            await self._system.do(partial(self._kept, person_id, [], None, asked_at))
        except OAError as failed:
            log.info("copies of a person could not be looked at: %s", failed.kind)
            await self._system.do(partial(self._kept, person_id, [], None, asked_at))
        else:
            await self._system.do(partial(self._kept, person_id, listed, flags, asked_at))
        self._failed = 0
        return True

    async def _listed(self, user: str, since: int) -> list[Item]:
        """What came lately, newest first."""
        page = await self._oa.list_items(user, "read", lane=self._lane)
        items, total = list(page.items), page.total or 0
        self._calls += 2 if total else 1  # it is counted before it is listed
        if total and not items:
            raise NotUnderstood("The OA counts copies that its list does not show.")
        for number in range(2, min(MOST_PAGES, -(-total // PAGE_ROWS)) + 1):
            if (items[-1].received_at or since) < since:
                break
            self._calls += 1
            page = await self._oa.list_items(user, "read", number, total, lane=self._lane)
            items += page.items
        return [item for item in items if (item.received_at or since) >= since]

    async def _flags(
        self, person_id: str, user: str, listed: Sequence[Item], now: int
    ) -> dict[str, bool]:
        """Whether each copy not known to be read is new: also those that have left the list, as they do in
        some builds when they are opened."""
        docs = await self._store.find(
            Copy.collection.name,
            "person",
            (person_id,),
            gt=now - FOLLOWED_MS,
            reverse=True,
            limit=MOST_UNREAD,
        )
        known = [from_doc(Copy, doc) for doc in docs]
        is_read = {copy.request_id for copy in known if copy.read_at is not None}
        every = [item.request_id for item in listed] + [copy.request_id for copy in known]
        asked = [one for one in dict.fromkeys(every) if one not in is_read]
        flags: dict[str, bool] = {}
        for begin in range(0, len(asked), FLAGS_AT_ONCE):
            self._calls += 1
            portion = asked[begin : begin + FLAGS_AT_ONCE]
            told = await self._oa.are_new(user, portion, lane=self._lane)
            flags |= zip(portion, told, strict=True)
        return flags

    async def _kept(
        self,
        person_id: str,
        listed: Sequence[Item],
        flags: dict[str, bool] | None,
        asked_at: Millis,
        work: UnitOfWork,
    ) -> None:
        """What was found of one person, and that the tour has come so far. Without flags: not looked at."""
        tour = await work.get(CopyTour, TOUR) or CopyTour(id=TOUR)
        if not tour.under_way:
            tour = replace(tour, under_way=True, started_at=asked_at, missed=0)
        known_since = asked_at if tour.known_since is None else tour.known_since
        missed = tour.missed + (flags is None)
        work.put(replace(tour, after=person_id, missed=missed, known_since=known_since))
        rows = {item.request_id: item for item in listed}
        ids = {one: copy_id(person_id, one) for one in flags or {}}
        known = await work.get_many(Copy, list(ids.values()))
        for request_id, is_new in (flags or {}).items():
            read_at = None if is_new else asked_at
            copy = known.get(ids[request_id])
            if copy is None and request_id in rows:
                work.put(self._copies.made(person_id, rows[request_id], asked_at, read_at))
            elif copy is not None and copy.read_at is None and read_at is not None:
                work.put(replace(copy, read_at=read_at))

    async def _ended(self, work: UnitOfWork) -> None:
        tour = await work.get(CopyTour, TOUR) or CopyTour(id=TOUR)
        started_at = tour.started_at if tour.under_way else work.now
        work.put(
            CopyTour(
                id=TOUR,
                started_at=started_at,
                known_since=started_at if tour.known_since is None else tour.known_since,
                as_of=started_at,
                missed_then=tour.missed,
            )
        )

    async def drop_old(self) -> int:
        """Drop some records of copies that came more than 90 days ago; how many it were."""
        return await drop_old(self._store, Copy, "received_at", self._clock.now() - KEPT_MS)


@asynccontextmanager
async def copy_tour(
    oa: OA,
    store: Store,
    system: SystemWork,
    clock: Clock,
    directory: Directory,
    settings: Settings,
    leader: Leader,
) -> AsyncIterator[Tour]:
    """The tour, made every night while the context lasts."""
    tour = Tour(oa, store, system, clock, directory, settings)
    drop = partial(repeated, "old copies", KEEP_S, tour.drop_old)
    async with AsyncExitStack() as stack:
        if settings.oa_endpoint:
            await stack.enter_async_context(leader.keep("copies of everybody", tour.run))
        await stack.enter_async_context(leader.keep("old copies", drop))
        yield tour
