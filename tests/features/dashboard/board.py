"""A board of figures to test: three departments, a HIS that may send, a ticker that ticks when told.

Bob leads the hospital, ann works in the ward, cai in cardiology, dan nowhere.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from server.auth import Role
from server.clock import Clock
from server.days import HospitalDays
from server.directory import Department, Person, Post
from server.features import dashboard
from server.features.dashboard.documents import DaySums
from server.features.dashboard.ingest import Ingest
from server.features.dashboard.ticker import Ticker
from server.integrations.his import HisEvent, Receipt
from server.integrations.signing import Sender
from server.storage import Put, Store
from server.storage.document import to_doc
from server.work import SystemWork
from tests.features.office import Office, open_office

Event = dict[str, Any]
ZONE = "Asia/Shanghai"
PERIOD_MS = 10_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000


def ticker_over(system: SystemWork, clock: Clock) -> Ticker:
    """A ticker of its own, as another process has one."""
    return Ticker(system, clock, HospitalDays(ZONE), period_ms=PERIOD_MS)


@asynccontextmanager
async def still_ticker(system: SystemWork, clock: Clock) -> AsyncIterator[Ticker]:
    """A ticker that ticks when a test says so."""
    ticker = ticker_over(system, clock)
    await ticker.load()
    yield ticker


STILL = replace(dashboard.feature, parts=[still_ticker])


@dataclass
class Board:
    """The feature with the HIS's side of it."""

    office: Office

    def __post_init__(self) -> None:
        self.renew()

    def renew(self, ticker: Ticker | None = None) -> None:
        """The intake of this process, or of the next."""
        if ticker is not None:
            self.office.services[Ticker] = ticker
            self.office.open()
        self.intake = self.intake_over(self.office.system)

    def intake_over(self, system: SystemWork) -> Ingest:
        """An intake of its own, as another process has one."""
        return Ingest(system, self.office.directory, self.ticker, HospitalDays(ZONE))

    @property
    def ticker(self) -> Ticker:
        ticker: Ticker = self.office.services[Ticker]
        return ticker

    @property
    def now(self) -> int:
        return self.office.clock.now()

    async def restart(self) -> None:
        """Another process over the same store."""
        ticker = ticker_over(self.office.system, self.office.clock)
        await ticker.load()
        self.renew(ticker)

    async def send(
        self, *events: Event, signed_s: int | None = None, to: Ingest | None = None
    ) -> Receipt:
        """A batch of the HIS."""
        sender = Sender(key_id="his", signed_s=self.now // 1000 if signed_s is None else signed_s)
        batch = msgspec.convert(list(events), list[HisEvent])
        return await (to or self.intake).take(batch, sender)

    async def sums(self) -> list[dict[str, Any]]:
        """All sums that are kept."""
        return await self.office.store.scan(DaySums.collection.name, limit=1_000)

    def event(self, event_id: str, kind: str = "registered", **fields: Any) -> Event:
        """An event of now, in the ward."""
        typed = {"type": "general"} if kind in ("registered", "seen", "called") else {}
        return {
            "event_id": event_id,
            "kind": kind,
            "at": self.now,
            "department_id": "ward",
            **typed,
            **fields,
        }


async def move_in(office: Office) -> None:
    """The departments and who works there, in the store and in the directory."""
    departments = [
        Department(id="cardiology", name="心血管内科", order=1),
        Department(id="surgery", name="普通外科", order=2),
        Department(id="hospital", name="院部", order=3),
    ]
    people = [
        Person(id="bob", name="鲍博", roles=(Role.STAFF, Role.LEADER)),
        Person(id="cai", name="蔡彩", posts=(Post(department_id="cardiology"),)),
        Person(id="dan", name="单丹"),
        Person(id="eve", name="叶薇", posts=(Post(department_id="hospital"),)),
    ]
    await office.store.apply(
        *(Put(d.collection.name, to_doc(d), None) for d in (*departments, *people))
    )
    await office.directory.load(office.store)
    office.roles["bob"] = frozenset({Role.STAFF, Role.LEADER})


class Frozen:
    """The store as a node reaches it that stops for a while just before it writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.stops, self.goes_on = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def apply(self, *ops: Any, **options: Any) -> Any:
        self.stops.set()
        await self.goes_on.wait()
        return await self._store.apply(*ops, **options)

    def system(self, office: Office) -> SystemWork:
        """How that node changes things."""
        return SystemWork(self, office.hub, office.clock)  # type: ignore[arg-type]


@asynccontextmanager
async def open_board(folder: Path) -> AsyncIterator[Board]:
    """A board over a store in `folder`."""
    async with open_office(folder, [STILL]) as office:
        await move_in(office)
        yield Board(office)


def values_of(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a page shows that applied these events: the newest value under each key."""
    shown: dict[str, Any] = {}
    for event in events:
        shown |= event["values"]
    return shown
