"""The adapters of the storage port that the contract suite runs against, and how each is opened."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from server.clock import SystemClock
from server.storage import Collection, Index, Search, Store
from server.storage.mongodb import MongoStore
from server.storage.sqlite import SqliteStore
from tests.storage.mongodb import database_for, server_url

NOTES = Collection(
    "notes",
    indexes=(
        Index("by_owner", ("owner", "at")),
        Index("by_place", ("building", "floor", "room")),
        Index("by_badge", ("badge",), unique=True, sparse=True),
        Index("by_open", ("is_open", "at"), sparse=True),
    ),
)
TALK = Collection(
    "talk",
    indexes=(Index("by_sender", ("sender", "at"), sparse=True),),
    search=Search("text", "stream"),
    log=True,
)

OpenStore = Callable[..., Awaitable[Store]]


async def open_sqlite(folder: Path, *, queue_limit: int = 10_000) -> Store:
    store = SqliteStore(folder / "hospital.db", queue_limit=queue_limit, clock=SystemClock())
    await store.open()
    return store


async def open_mongodb(folder: Path, *, queue_limit: int = 10_000) -> Store:
    database = database_for(folder)
    store = MongoStore(
        server_url(), database=database, queue_limit=queue_limit, clock=SystemClock()
    )
    await store.open()
    return store


ADAPTERS: dict[str, OpenStore] = {"sqlite": open_sqlite, "mongodb": open_mongodb}


def is_shared(open_store: OpenStore) -> bool:
    """Whether several servers may have the same database open."""
    return open_store is open_mongodb
