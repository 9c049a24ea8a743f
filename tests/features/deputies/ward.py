"""A ward in which people stand in for one another: lists as the OA's mirror tells them, and phones."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from realtime.application import Reach
from server.auth import Role
from server.directory import Person
from server.features import deputies, notices, todos
from server.features.deputies.duty import DeputedDuty, DeputyDuty
from server.features.deputies.passing import Passing
from server.features.deputies.turning import Turning
from server.features.todos.approving import Approving
from server.features.todos.arrivals import Arrivals
from server.features.todos.duty import TodoDuty
from server.integrations.oa.documents import Documents
from server.integrations.oa.mirror import Seen, Worklist
from server.integrations.wecom import WeComDesk
from server.integrations.wecom.memory import MemoryWeCom
from server.notify import Notifier
from server.storage import Patch
from tests.features.office import Client, Office, open_office
from tests.features.todos.test_todos import Mirror, item

TODAY = "2026-01-05"
DAY_S = 86_400
STILL = replace(deputies.feature, parts=[])
"""Without the part that follows the clock: a test lets it look."""


class Away:
    """Nobody is connected, as far as notices go."""

    async def reach(self, people: Any, since: int) -> dict[str, Reach]:
        return {}

    async def online(self, people: Any) -> set[str]:
        return set()


class Ward:
    """An office with lists that change, and a notifier with all the duties there are for them."""

    def __init__(self, office: Office, mirror: Mirror) -> None:
        self.office, self.mirror = office, mirror
        self.sink = Arrivals(
            office.store, office.system, office.settings, office.directory, Passing(office.settings)
        )
        self.turning = Turning(office.store, office.system, office.clock, mirror)  # type: ignore[arg-type]
        settings = replace(office.settings, public_url="https://y.example")
        self.wecom = MemoryWeCom()
        self.notifier = Notifier(
            office.store,
            Away(),  # type: ignore[arg-type]
            self.wecom,
            office.clock,
            settings,
            [
                TodoDuty(office.store, office.services[Approving]),
                DeputyDuty(office.store, office.directory),
                DeputedDuty(office.store, office.directory, office.clock),
            ],
            office.directory.wecom_user_of,
        )

    async def holds(self, person: str, *requests: str, **fields: Any) -> None:
        """The OA now holds exactly these for a person, the newest first."""
        before = self.mirror.lists.get(person)
        rows = tuple(item(request, **fields) for request in requests)
        seen = Seen(rows, len(rows), self.office.clock.now())
        old = before.request_ids if before else frozenset()
        arrived = tuple(row for row in rows if row.request_id not in old)
        gone = tuple(sorted(old - seen.request_ids))
        await self.sink.changed(person, before, seen, arrived, gone)
        self.mirror.lists[person] = seen

    async def wait(self, seconds: int = 12) -> None:
        """Let time pass, and notices go."""
        for _ in range(seconds):
            self.office.clock.advance(1)
            await self.notifier.step()

    def titles(self, person: str) -> list[str]:
        """What a phone was sent, oldest first."""
        return [
            json.loads(request)["textcard"]["title"]
            for request in self.wecom.phones.get(person, ())
        ]

    async def stands_in(self, deputy: str, person: str, ends_on: str = TODAY) -> Client:
        """The deputy's page, once the other has named her from today on."""
        client = await self.office.client(person)
        await client.ask("deputies.set", deputy_id=deputy, begins_on=TODAY, ends_on=ends_on)
        return await self.office.client(deputy)

    async def retire(self, person: str) -> None:
        await self.office.store.apply(
            Patch(Person.collection.name, person, {"retired_at": self.office.clock.now()})
        )
        await self.office.directory.load(self.office.store)

    async def audit(self) -> list[tuple[str, str, str]]:
        rows = await self.office.store.scan("audit", limit=200)
        return [(row["actor_id"], row["action"], row["subject"]) for row in rows]


def documents_of(deputed: dict[str, Any]) -> list[tuple[str, str]]:
    """Whose and which, as a deputy sees them."""
    return [(row["for_person"], row["request_id"]) for row in deputed["items"]]


@asynccontextmanager
async def open_ward(folder: Path) -> AsyncIterator[Ward]:
    mirror = Mirror()
    services: dict[type, Any] = {Worklist: mirror, Documents: None, WeComDesk: None}
    async with open_office(folder, [todos.feature, STILL, notices.feature], services) as office:
        people = ("ann", "bob", "cai", "dan", "eve")
        await office.store.apply(
            *(Patch(Person.collection.name, id, {"wecom_user_id": id}) for id in people)
        )
        await office.directory.load(office.store)
        office.roles["eve"] = frozenset({Role.STAFF, Role.SYSTEM_ADMIN})
        yield Ward(office, mirror)
