"""Tells the figures that changed, at most once a second, and says when the source fell silent.

Nothing is counted here: whatever changed is read from the sums and compared with what the channels last
told. At the start everything is compared, so that a crash between a commit and its telling heals within
a second. What could not be told stays due. Who runs it: `ticking`, one in a process; of several nodes the
one that leads tells, and all of them look for what the others took in.
"""

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from server.background import repeated, repeating
from server.clock import Clock, Millis
from server.days import HospitalDays, days_before, days_from
from server.features.dashboard.documents import HEARD_ID, TOLD_ID, DaySums, Heard, Told, sums_id
from server.features.dashboard.keeping import Keeping
from server.features.dashboard.protocol import DashboardUpdated, Figures, Source
from server.features.dashboard.ranges import READING_HOLDS_DAYS, read_day
from server.features.dashboard.rights import HOSPITAL, SOURCE, channel_of
from server.integrations.his import TYPED_KINDS, TYPES
from server.nodes import Leader
from server.settings import Settings
from server.storage import Store, StoreBusy, StoreUnavailable
from server.stream import VALUES_PER_CHANNEL
from server.work import SystemWork, UnitOfWork

TICK_S = 1.0
log = logging.getLogger(__name__)


class Ticker:
    """What the channels have been told, and what is due."""

    def __init__(
        self, system: SystemWork, clock: Clock, days: HospitalDays, *, period_ms: int
    ) -> None:
        self._system = system
        self._clock = clock
        self._days = days
        self._period_ms = period_ms
        self._day = ""
        self._told: dict[str, Figures] = {}
        self._told_source: dict[str, Source] = {}
        self._due: set[str] = set()
        self._known: set[str] = set()
        self._in_trouble = False
        self._heard: Heard | None = None
        self.heard_at: Millis | None = None

    @property
    def departments(self) -> Collection[str]:
        """The departments that have figures."""
        return self._known

    async def load(self) -> None:
        """Take over what was told and what there is: everything is due."""
        await self._system.do(self._load)

    async def _load(self, work: UnitOfWork) -> None:
        self._heard = heard = await work.get(Heard, HEARD_ID)
        self.heard_at = None if heard is None else heard.at
        self._day = ""
        self._told_source.clear()
        for entry in await work.log.values(channel_of(HOSPITAL), VALUES_PER_CHANNEL):
            value = msgspec.json.decode(entry.data, type=DashboardUpdated).values[entry.key or ""]
            if isinstance(value, Figures):
                self._told[value.department_id] = value
        today = self._days.day(work.now)
        for day in days_from(days_before(today, READING_HOLDS_DAYS - 1), today):
            self._known |= {sums.department_id for sums in await read_day(work, day, None)}
        self._known |= self._told.keys()

    async def look(self) -> None:
        """Learn what other nodes took in since the last time."""
        await self._system.do(self._look)

    async def _look(self, work: UnitOfWork) -> None:
        heard = await work.get(Heard, HEARD_ID)
        if heard is None or heard == self._heard:
            return
        changed = await read_day(work, self._days.day(work.now), None)
        self.heard([*self._known, *(sums.department_id for sums in changed)], heard.at)
        self._heard = heard

    def heard(self, departments: Iterable[str], at: Millis) -> None:
        """The sums of these departments have changed; the HIS was last heard at `at`."""
        changed = set(departments)
        self._due |= changed
        self._known |= changed
        self.heard_at = at

    async def tick(self) -> None:
        """Tell what changed since the last time. Raises what the store does; it stays due."""
        now = self._clock.now()
        today = self._days.day(now)
        due, self._due = self._due, set()
        if today != self._day:
            due |= self._known
        try:
            await self._system.do(lambda work: self._tell(work, today, due))
        except BaseException:
            self._due |= due
            raise
        self._day = today

    async def _tell(self, work: UnitOfWork, today: str, due: Collection[str]) -> None:
        await work.get(Told, TOLD_ID)
        figures = await read_figures(work, today, sorted(due)) if due else {}
        changed = {id: new for id, new in figures.items() if new != self._told.get(id)}
        source = self.source(work.now)
        silent = self._silent_channels(source, changed)
        if changed or silent:
            work.put(Told(id=TOLD_ID, at=work.now))
        for id, new in changed.items():
            self._append(work, HOSPITAL, id, new)
        if HOSPITAL in silent:
            self._append(work, HOSPITAL, SOURCE, source)
        for id in sorted(self._known):
            if id in changed:
                self._append(work, id, id, changed[id])
            if id in silent:
                self._append(work, id, SOURCE, source)

        def told() -> None:
            self._told.update(changed)
            self._told_source.update(dict.fromkeys(silent, source))

        work.afterwards(told)

    def _append(self, work: UnitOfWork, scope: str, key: str, value: Figures | Source) -> None:
        event = DashboardUpdated(values={key: value}, as_of=work.now)
        work.append(channel_of(scope), event, key=key, partial=True)

    def source(self, now: Millis) -> Source:
        """When the HIS was last heard, and whether that is too long ago."""
        silence = None if self.heard_at is None else now - self.heard_at
        return Source(
            as_of=self.heard_at,
            stale=silence is None or silence > 2 * self._period_ms,
            period_ms=self._period_ms,
        )

    def _silent_channels(self, source: Source, changed: Collection[str]) -> set[str]:
        """The scopes that have to be told of the source: at once when it comes or goes, together with
        figures, and otherwise once in a period, so that quiet departments cost little."""

        def is_due(scope: str) -> bool:
            told = self._told_source.get(scope)
            if told is None or told.stale != source.stale:
                return True
            moved = (source.as_of or 0) - (told.as_of or 0)
            has_figures = bool(changed) if scope == HOSPITAL else scope in changed
            return moved >= self._period_ms or (moved > 0 and has_figures)

        return {scope for scope in (HOSPITAL, *self._known) if is_due(scope)}

    async def run(self) -> None:
        """Tell until cancelled, beginning from what was told before, by whomever."""
        await self.load()
        await repeated("live figures", TICK_S, self.tick_quietly)

    async def tick_quietly(self) -> None:
        """A tick whose trouble with the store is logged once and not every second."""
        try:
            await self.tick()
        except (StoreBusy, StoreUnavailable) as fault:
            if not self._in_trouble:
                log.warning("figures cannot be told now: %s", fault)
            self._in_trouble = True
        else:
            self._in_trouble = False


async def read_figures(
    work: UnitOfWork, today: str, departments: Collection[str]
) -> dict[str, Figures]:
    """The day so far of some departments, by id."""
    sums = {s.department_id: s for s in await read_day(work, today, departments)}
    readings = {id: s.last_reading for id, s in sums.items()}
    unread = [id for id in departments if readings.get(id) is None]
    older = days_from(days_before(today, READING_HOLDS_DAYS - 1), days_before(today, 1))
    before = await work.get_many(DaySums, [sums_id(day, id) for id in unread for day in older])
    for past in sorted(before.values(), key=lambda s: s.day):
        if past.last_reading is not None:
            readings[past.department_id] = past.last_reading
    return {id: _figures(id, today, sums.get(id), readings.get(id)) for id in departments}


def _figures(id: str, today: str, sums: DaySums | None, reading: int | None) -> Figures:
    totals = {key: sum(hours) for key, hours in sums.counts.items()} if sums else {}
    return Figures(
        department_id=id,
        day=today,
        operations=totals.get("operations", 0),
        inpatients=reading,
        **{metric: _by_type(metric, totals) for metric in TYPED_KINDS},
    )


def _by_type(metric: str, totals: Mapping[str, int]) -> dict[str, int]:
    found = ((type, totals.get(f"{metric}:{type}", 0)) for type in TYPES)
    return {type: count for type, count in found if count}


@asynccontextmanager
async def ticking(
    store: Store, system: SystemWork, settings: Settings, clock: Clock, leader: Leader
) -> AsyncIterator[Ticker]:
    """The ticker, running while the context lasts."""
    days = HospitalDays(settings.his_timezone)
    ticker = Ticker(system, clock, days, period_ms=settings.his_period_seconds * 1000)
    await ticker.load()
    keeping = Keeping(store, clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(leader.keep("live figures", ticker.run))
        await stack.enter_async_context(leader.keep("old facts of the HIS", keeping.run))
        if not leader.is_alone:
            looking = repeating("figures of other nodes", TICK_S, ticker.look)
            await stack.enter_async_context(looking)
        yield ticker
