"""A directory, a stand-in WeCom over HTTP, and a sync between the two that does not wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from realtime.hub import Hub
from server import schema
from server.audit import AuditRow
from server.auth.sessions import Sessions
from server.directory import Department, Directory, Person, WeComChange
from server.directory.directory import read_all
from server.directory.wecom_reading import Patience
from server.directory.wecom_state import Outcome
from server.directory.wecom_sync import DirectorySync
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.contacts_client import WeComContacts
from server.sandbox.config import SandboxParty, SandboxPerson
from server.storage import Insert, Op
from server.storage.document import Document, from_doc, to_doc
from server.storage.sqlite import SqliteStore
from server.work import SystemWork, UnitOfWork
from tests.clocks import ManualClock
from tests.sandbox.running import RunningSandbox, running_sandbox

PARTIES = (
    SandboxParty("med", "内科"),
    SandboxParty("card", "心内科", "med"),
    SandboxParty("surg", "外科"),
)


def staff(count: int) -> tuple[SandboxPerson, ...]:
    """So many members of WeCom's, in turn in three departments."""
    keys = [party.key for party in PARTIES]
    return tuple(
        SandboxPerson(
            f"w{n:03d}",
            f"职工{n:03d}",
            "护士",
            parties=(keys[n % 3],),
            number=f"{1000 + n}",
            mobile=f"100{n:08d}",
        )
        for n in range(count)
    )


@dataclass
class Between:
    """A hospital and its WeCom."""

    wecom: RunningSandbox
    store: SqliteStore
    clock: ManualClock
    directory: Directory
    system: SystemWork
    sessions: Sessions
    with_contacts: bool
    waits: list[float] = field(default_factory=list)

    def sync(self, direction: str = "from_wecom", hour: int = 2) -> DirectorySync:
        async def wait(seconds: float) -> None:
            self.waits.append(seconds)

        http, config = self.wecom.http, self.wecom.config
        contacts = WeComContacts(
            WeComClient(config(), http, self.clock),
            WeComClient(config(agent_id=0, secret="sandboxcontacts"), http, self.clock)
            if self.with_contacts
            else None,
        )
        return DirectorySync(
            self.store,
            self.system,
            self.clock,
            self.directory,
            self.sessions,
            contacts,
            direction=direction,
            hour=hour,
            zone=ZoneInfo("Asia/Shanghai"),
            patience=Patience(wait),
        )

    async def run(self, direction: str = "from_wecom", **how: Any) -> Outcome:
        """One run that applies, unless told otherwise."""
        self.clock.advance(1)
        return await self.sync(direction).run("command", **{"apply": True, **how})

    async def change(self, **what: Any) -> Any:
        """Act in WeCom, as its administrators do."""
        url = f"{self.wecom.base}/wecom/directory"
        async with self.wecom.http.post(url, json=what) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def in_wecom(self) -> dict[str, Any]:
        """WeCom's members by id."""
        async with self.wecom.http.get(f"{self.wecom.base}/wecom/directory") as response:
            return {row["userid"]: row for row in (await response.json())["members"]}

    async def parties(self) -> dict[str, Any]:
        """WeCom's departments by name."""
        async with self.wecom.http.get(f"{self.wecom.base}/wecom/directory") as response:
            return {row["name"]: row for row in (await response.json())["parties"]}

    async def people(self) -> dict[str, Person]:
        """Everybody who works here, as stored."""
        return {p.id: p for p in await read_all(self.store, Person) if not p.is_retired}

    async def departments(self) -> dict[str, Department]:
        """Open departments by name, as stored."""
        return {d.name: d for d in await read_all(self.store, Department) if not d.is_retired}

    async def keep(self, *documents: Document) -> None:
        """Store documents and let the directory know."""
        ops: list[Op] = [Insert(d.collection.name, to_doc(d)) for d in documents]
        await self.store.apply(*ops)
        await self.directory.load(self.store)

    async def sign_in(self, person_id: str) -> str:
        """A session of somebody; its token."""
        token, session = self.sessions.begin(person_id, "phone", "")
        await self.keep(session)
        return token

    async def audited(self, action: str) -> list[AuditRow]:
        docs = await self.store.scan(AuditRow.collection.name, limit=5_000)
        return [row for doc in docs if (row := from_doc(AuditRow, doc)).action == action]

    async def note(self, id: str, change: str) -> None:
        """What a callback leaves."""

        async def act(work: UnitOfWork) -> None:
            work.overwrite(WeComChange(id=id, change=change, at=work.now))

        await self.system.do(act)

    async def noted(self) -> list[str]:
        return [change.id for change in await read_all(self.store, WeComChange)]


@asynccontextmanager
async def between(
    folder: Path, members: int = 30, *, with_contacts: bool = True
) -> AsyncIterator[Between]:
    """A hospital that knows nobody yet, beside a WeCom with so many members."""
    clock = ManualClock()
    store = SqliteStore(folder / "b.db", clock=clock)
    await store.open()
    try:
        await schema.declare(store, [])
        directory = Directory()
        sessions = Sessions(store, clock, directory.roles_of, idle_hours=72, days=30)
        system = SystemWork(store, Hub(clock), clock)
        told = {"people": staff(members), "parties": PARTIES}
        async with running_sandbox(folder, clock, **told) as wecom:
            yield Between(wecom, store, clock, directory, system, sessions, with_contacts)
    finally:
        await store.close()
