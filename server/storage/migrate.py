"""Migrations: numbered steps that bring a store to what this version of the code expects.

A migration is a module `migrations/NNNN_what.py` with `ID` (its file's name), `async def up(store)` and,
if it likes, `async def check(store)`, which raises when the result is not as it should be. It uses the
port only (`ensure`, `drop_index`, `scan`, `apply`) and must be repeatable: a crash half-way runs it
again. There is no way back but a backup.

What was done is kept in the collection `_migrations`: one document each, with the checksum of the source.
One more document is the lease, so that only one process migrates; it is renewed while a step runs and
expires by itself when that process dies.
"""

import asyncio
import contextlib
import hashlib
import importlib.util
import logging
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from realtime.tasks import ended
from server.clock import Clock
from server.storage import Collection, Conflict, Delete, Doc, Patch, Put, StorageError, Store

logger = logging.getLogger(__name__)

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
LEDGER: Final = Collection("_migrations")

_FILE: Final = re.compile(r"\d{4}_[a-z0-9_]+\.py")
_LEASE: Final = "lease"
_LEASE_MS: Final = 120_000
_RENEW_S: Final = 30.0
_ASK_AGAIN_S: Final = 0.25

Step = Callable[[Store], Awaitable[None]]


class MigrationError(StorageError):
    """The store cannot be brought to this version; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step, as found in the folder."""

    id: str
    checksum: str
    up: Step
    check: Step | None


def load(folder: Path = MIGRATIONS) -> list[Migration]:
    """The steps in the folder, in order."""
    files = sorted(path for path in folder.iterdir() if _FILE.fullmatch(path.name))
    return [_load(path) for path in files]


async def pending(store: Store, *, folder: Path = MIGRATIONS) -> list[str]:
    """The ids of the steps that this store still needs, in order."""
    await store.ensure(LEDGER)
    return [migration.id for migration in await _missing(store, load(folder))]


async def migrate(
    store: Store,
    *,
    clock: Clock,
    app_version: str = "",
    folder: Path = MIGRATIONS,
    backup: Path | None = None,
    alone: bool = False,
    wait_s: float = 0.0,
) -> list[str]:
    """Take the steps the store still needs and return their ids.

    With `backup`, a store that has been migrated before is first copied into that folder, but not again
    when a step is repeated: the copy shows the store as no step has touched it. `alone`
    says that no other process can have this store open (an embedded one): a lease found is then left
    from a crash. Somebody else who migrates is waited for, for `wait_s` seconds at most.
    """
    await store.ensure(LEDGER)
    migrations = load(folder)
    if not await _missing(store, migrations):
        return []
    async with _lease(store, clock, alone, wait_s):
        missing = await _missing(store, migrations)
        begun = await _ledger(store)
        is_new = bool(missing) and missing[0].id not in begun and len(missing) < len(migrations)
        if backup is not None and is_new:
            await store.snapshot(backup / f"before-{missing[0].id}.db")
        for migration in missing:
            await _take(store, migration, clock, app_version)
    return [migration.id for migration in missing]


def _load(path: Path) -> Migration:
    source = path.read_bytes().replace(b"\r\n", b"\n")
    spec = importlib.util.spec_from_file_location(f"migrations.{path.stem}", path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # From the source that is checked, never from compiled code that may be older.
    exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102
    if getattr(module, "ID", None) != path.stem or not callable(getattr(module, "up", None)):
        raise MigrationError(f"{path.name}: needs ID = {path.stem!r} and async def up(store)")
    checksum = hashlib.sha256(source).hexdigest()
    return Migration(path.stem, checksum, module.up, getattr(module, "check", None))


async def _ledger(store: Store) -> dict[str, Doc]:
    entries: dict[str, Doc] = {}
    after: str | None = None
    while page := await store.scan(LEDGER.name, after):
        entries |= {doc["_id"]: doc for doc in page}
        after = page[-1]["_id"]
    entries.pop(_LEASE, None)
    return entries


async def _missing(store: Store, migrations: Sequence[Migration]) -> list[Migration]:
    """What is not finished; MigrationError when ledger and folder contradict each other."""
    finished = {id: doc for id, doc in (await _ledger(store)).items() if doc.get("finished")}
    known = {migration.id: migration for migration in migrations}
    for id, doc in finished.items():
        if id not in known:
            raise MigrationError(f"the store has migration {id}, which this version does not know")
        if doc["checksum"] != known[id].checksum:
            raise MigrationError(f"migration {id} was changed after it had been applied")
    missing = [migration for migration in migrations if migration.id not in finished]
    if missing and finished and missing[0].id < max(finished):
        raise MigrationError(f"{missing[0].id} comes before {max(finished)}, which is applied")
    return missing


async def _take(store: Store, migration: Migration, clock: Clock, app_version: str) -> None:
    logger.info("migration %s begins", migration.id)
    entry: Doc = {
        "_id": migration.id,
        "checksum": migration.checksum,
        "app_version": app_version,
        "started": clock.now(),
    }
    await store.apply(Put(LEDGER.name, entry, expect=None))
    await migration.up(store)
    if migration.check is not None:
        await migration.check(store)
    await store.apply(Patch(LEDGER.name, migration.id, {"finished": clock.now()}))
    logger.info("migration %s is done", migration.id)


@contextlib.asynccontextmanager
async def _lease(store: Store, clock: Clock, alone: bool, wait_s: float) -> AsyncIterator[None]:
    """Be the only process that migrates. Losing the lease on the way ends the migration."""
    holder = secrets.token_hex(8)
    last_try = clock.monotonic() + wait_s
    while not await _take_lease(store, clock, holder, alone):
        if clock.monotonic() >= last_try:
            raise MigrationError("another process is migrating; try again when it is done")
        await asyncio.sleep(_ASK_AGAIN_S)
    steps = asyncio.current_task()
    assert steps is not None
    renewal = asyncio.create_task(_renew(store, clock, holder, steps))
    try:
        yield
    except asyncio.CancelledError:
        if renewal.done() and not renewal.cancelled() and (lost := renewal.exception()):
            steps.uncancel()
            raise MigrationError("the lease was lost while migrating") from lost
        raise
    finally:
        await ended(renewal)
        held = await store.get(LEDGER.name, _LEASE)
        if held is not None and held["holder"] == holder:
            await store.apply(Delete(LEDGER.name, _LEASE, expect=held["_v"]))


async def _take_lease(store: Store, clock: Clock, holder: str, alone: bool) -> bool:
    """Take the lease if nobody has it."""
    present = await store.get(LEDGER.name, _LEASE)
    if present is not None and not alone and present["until"] > clock.now():
        return False
    try:
        await _hold(store, clock, holder, present["_v"] if present else 0)
    except MigrationError:
        return False
    return True


async def _hold(store: Store, clock: Clock, holder: str, expect: int) -> int:
    """Take or prolong the lease; the version it now has."""
    lease: Doc = {"_id": _LEASE, "holder": holder, "until": clock.now() + _LEASE_MS}
    try:
        [stored] = await store.apply(Put(LEDGER.name, lease, expect=expect))
    except Conflict:
        raise MigrationError("another process took the migration lease") from None
    assert stored is not None
    return int(stored["_v"])


async def _renew(store: Store, clock: Clock, holder: str, steps: "asyncio.Task[object]") -> None:
    try:
        while True:
            await asyncio.sleep(_RENEW_S)
            held = await store.get(LEDGER.name, _LEASE)
            if held is None or held["holder"] != holder:
                raise MigrationError("another process took the migration lease")
            await _hold(store, clock, holder, held["_v"])
    except asyncio.CancelledError:
        raise
    except Exception:
        steps.cancel()
        raise
