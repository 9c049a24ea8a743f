"""`python -m server check`: is this installation fit to serve? Each line says what was looked at.

It looks and changes nothing: a store that needs migrating is told of, not migrated.
"""

from server.clock import Clock
from server.directory import Person
from server.settings import Settings
from server.storage import StorageError
from server.storage.migrate import pending
from server.storage.sqlite import SqliteStore

MOST_COUNTED = 100_000


async def check(settings: Settings, clock: Clock) -> int:
    """Print what is found; 0 when the server can start. While a server runs, the store belongs to it
    alone, and that is what is told."""
    fit = await _check_store(settings, clock)
    print(f"pages     {settings.url}")
    print(f"wecom     {settings.wecom_api_base or 'not configured: nobody away is told anything'}")
    print(f"oa        {settings.oa_endpoint or 'not configured: no documents'}")
    return 0 if fit else 1


async def _check_store(settings: Settings, clock: Clock) -> bool:
    if not settings.database.exists():
        print(f"storage   ready: {settings.database} will be made at the first start")
        return True
    store = SqliteStore(settings.database, clock=clock)
    try:
        await store.open()
    except StorageError as fault:
        print(f"storage   NOT READY: {fault}")
        return False
    try:
        state = store.health()
        print(f"storage   {'ready' if state.ready else 'NOT READY'} {state.detail}".rstrip())
        missing = await pending(store)
        print(
            f"version   {'current' if not missing else 'the next start takes ' + ', '.join(missing)}"
        )
        if not missing:
            await store.ensure(Person.collection)
            people = await store.scan(Person.collection.name, limit=MOST_COUNTED)
            print(f"people    {sum(doc.get('retired_at') is None for doc in people)}")
        return state.ready
    except StorageError as fault:
        print(f"storage   NOT READY: {fault}")
        return False
    finally:
        await store.close()
