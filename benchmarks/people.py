"""The people of a benchmark: signed in before the server starts, connected like anybody else's pages.

A store is prepared as a server would leave it. What somebody's token is can be told from their id, so that
whoever asks need not have signed in.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import aiohttp

from benchmarks.raw_socket import RawSocket
from server import schema
from server.app import ALL
from server.auth import Session
from server.auth.tokens import digest
from server.clock import Millis, SystemClock
from server.directory import Person
from server.storage import Insert
from server.storage.document import to_doc
from server.storage.migrate import migrate
from server.storage.sqlite import SqliteStore

_DAY_MS: Final = 86_400_000

S = TypeVar("S", bound=RawSocket)


@asynccontextmanager
async def prepared_store(folder: Path) -> AsyncIterator[SqliteStore]:
    """The store of a data folder, ready for documents of every feature; closed at the end."""
    clock = SystemClock()
    store = SqliteStore(folder / "yuanxin.db", clock=clock)
    await store.open()
    try:
        await migrate(store, clock=clock, alone=True)
        await schema.declare(store, ALL)
        yield store
    finally:
        await store.close()


def signed_in(person: Person, now: Millis) -> tuple[Insert, Insert]:
    """A person, and a session of theirs that lasts a day."""
    session = Session(
        id=f"session-{person.id}",
        person_id=person.id,
        token_hash=digest(_token(person.id)),
        created_at=now,
        seen_at=now,
        expires_at=Millis(now + _DAY_MS),
    )
    return (
        Insert(Person.collection.name, to_doc(person)),
        Insert(Session.collection.name, to_doc(session)),
    )


def bearer(person_id: str) -> dict[str, str]:
    """The header that says who asks."""
    return {"Authorization": f"Bearer {_token(person_id)}"}


async def connect(
    http: aiohttp.ClientSession, port: int, person_id: str, make: Callable[[str], S]
) -> S:
    """The socket that `make` makes of a ticket, once the server has let it in."""
    url = f"http://127.0.0.1:{port}/api/v1/auth/ticket"
    async with http.post(url, headers=bearer(person_id)) as answer:
        ticket = (await answer.json())["ticket"]
    loop = asyncio.get_running_loop()
    _, opened = await loop.create_connection(lambda: make(ticket), "127.0.0.1", port)
    await opened.connected
    return opened


def _token(person_id: str) -> str:
    return f"token-{person_id}"
