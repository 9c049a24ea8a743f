"""Which store the settings ask for, and bringing it to this version.

The embedded one belongs to the process that opens it, so every start may migrate it. A shared one may be in
use by other servers of the old version: it is migrated at a start only while it is empty, and else when the
operator says so, by one process at a time.
"""

import logging
from pathlib import Path

from server.clock import Clock
from server.settings import Settings
from server.storage import StorageError, Store
from server.storage.migrate import MIGRATIONS, load, migrate, pending
from server.storage.mongodb import MongoStore
from server.storage.sqlite import SqliteStore

OTHERS_MIGRATE_S = 60.0
"""How long a server that finds another one migrating waits for it."""

log = logging.getLogger(__name__)


def made_store(settings: Settings, clock: Clock) -> Store:
    """The store of these settings, not opened yet."""
    limit = settings.storage_queue
    if settings.storage_url:
        return MongoStore(settings.storage_url, queue_limit=limit, clock=clock)
    return SqliteStore(settings.database, queue_limit=limit, clock=clock)


async def bring_to_this_version(
    store: Store, settings: Settings, clock: Clock, *, upgrade: bool, folder: Path = MIGRATIONS
) -> None:
    """Take the migrations that an opened store needs. Raises StorageError when that is not allowed."""
    missing = await pending(store, folder=folder)
    is_new = len(missing) == len(load(folder))
    if is_new:
        # Perhaps the settings name a wrong place: nothing else would tell.
        place = "shared" if settings.storage_url else str(settings.database)
        log.warning("there was no store yet: an empty one is made", extra={"store": place})
    if not settings.storage_url:
        backups = settings.data_dir / "backups"
        await migrate(store, clock=clock, folder=folder, backup=backups, alone=True)
        return
    if missing and not upgrade and not is_new:
        raise StorageError(
            f"the shared store lacks {', '.join(missing)}; stop every server, make a backup, "
            "and run `python -m server migrate`"
        )
    await migrate(store, clock=clock, folder=folder, wait_s=OTHERS_MIGRATE_S)
