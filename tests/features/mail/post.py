"""Short words for what mail tests do all the time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

from server.audit import AuditRow
from server.directory import Directory
from server.dispatch import Dispatcher
from server.feature import Feature
from server.features import mail
from server.features.mail.delivery import Postman
from server.features.mail.documents import Copy
from server.settings import Settings
from server.storage import Store
from server.storage.document import from_doc
from server.work import SystemWork
from tests.features.office import Client, Office

_numbers = count(1)


@asynccontextmanager
async def asleep(
    store: Store, system: SystemWork, directory: Directory, settings: Settings
) -> AsyncIterator[Postman]:
    """A postman who works only when a test tells him to, two people at a time."""
    yield Postman(store, system, directory, settings, portion=2)


BY_HAND: Feature = replace(mail.feature, parts=[asleep])
"""Mail that is delivered when the test says so."""


async def send(
    sender: Client,
    *people: str,
    subject: str = "会议通知",
    text: str = "周五下午三点，三楼会议室。",
    client_id: str | None = None,
    departments: tuple[str, ...] = (),
    everybody: bool = False,
    **more: Any,
) -> dict[str, Any]:
    """Send a mail; its id, thread and number of recipients. It is delivered soon afterwards."""
    return await sender.ask(
        "mail.send",
        client_id=client_id or f"client-{next(_numbers)}",
        to={
            "person_ids": list(people),
            "department_ids": list(departments),
            "everybody": everybody,
        },
        subject=subject,
        text=text,
        **more,
    )


async def delivered(office: Office) -> None:
    """Wait until nothing is under way."""
    async with asyncio.timeout(20):
        await office.services[Postman].quiet()


async def post(sender: Client, *people: str, **fields: Any) -> str:
    """Send a mail and see it delivered; its id."""
    sent = await send(sender, *people, **fields)
    await delivered(sender.office)
    return str(sent["mail_id"])


async def listed(client: Client, box: str = "inbox", **fields: Any) -> list[dict[str, Any]]:
    """The rows of a box."""
    return list((await client.ask("mail.list", box=box, **fields))["rows"])


async def subjects(client: Client, box: str = "inbox", **fields: Any) -> list[str]:
    """The subjects in a box."""
    return [row["subject"] for row in await listed(client, box, **fields)]


async def unread(client: Client) -> int:
    """What a fresh page would show on the badge."""
    return int((await client.ask("mail.count"))["unread"])


async def copies(office: Office) -> list[Copy]:
    """Every copy there is."""
    return [
        from_doc(Copy, doc) for doc in await office.store.scan(Copy.collection.name, limit=5_000)
    ]


async def audit(office: Office) -> list[tuple[str, str, str]]:
    """Who did what to what, in order of the alphabet."""
    rows = [from_doc(AuditRow, doc) for doc in await office.store.scan(AuditRow.collection.name)]
    return sorted((row.actor_id, row.action, row.subject) for row in rows)


class Meanwhile:
    """A store; just before something is first written to it, something else happens."""

    def __init__(self, store: Store, act: Callable[[], Awaitable[Any]]) -> None:
        self._store, self._act, self._acted = store, act, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def apply(self, *ops: Any, **named: Any) -> Any:
        if not self._acted:
            self._acted = True
            await self._act()
        return await self._store.apply(*ops, **named)


def crossed(office: Office, act: Callable[[], Awaitable[Any]]) -> Dispatcher:
    """Does commands as the office does; just before the first is committed, something else happens."""
    store = Meanwhile(office.store, act)
    return Dispatcher(office.features, store, office.hub, office.clock, office.services)
