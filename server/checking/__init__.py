"""`python -m server check`: is this installation fit to serve? Each line says what was looked at.

It looks and changes nothing: a store that needs migrating is told of, not migrated. A MongoDB is also put
to the test, in a database of its own that is dropped again: whether it keeps what the store promises. A
Redis has to keep a ticket and give it back.
"""

from server.auth.tickets import try_out
from server.auth.tickets.redis import RedisTickets
from server.clock import Clock
from server.directory import Person
from server.errors import Refused
from server.settings import Settings
from server.storage import StorageError, Store
from server.storage.migrate import pending
from server.storage.mongodb import MongoStore
from server.storage.mongodb.scratch import is_unused, scratch_database
from server.storage.promises import COLLECTIONS, QUESTIONS, Broken, Question
from server.stores import made_store

MOST_COUNTED = 100_000


async def check(settings: Settings, clock: Clock) -> int:
    """Print what is found; 0 when the server can start. While a server runs, an embedded store belongs
    to it alone, and that is what is told."""
    try:
        fit = await _check_storage(settings, clock)
    except StorageError as fault:
        print(f"storage   NOT READY: {fault}")
        fit = False
    fit = await _check_redis(settings) and fit
    print(f"pages     {settings.url}")
    print(f"wecom     {settings.wecom_api_base or 'not configured: nobody away is told anything'}")
    hears = f"{settings.url}/wecom/callback" if settings.hears_wecom else "not configured"
    print(f"callback  {hears}")
    oa = settings.oa_endpoint and f"{settings.oa_endpoint} (`check --oa` asks it)"
    print(f"oa        {oa or 'not configured: no documents'}")
    return 0 if fit else 1


async def _check_storage(settings: Settings, clock: Clock) -> bool:
    kept = True
    if settings.storage_url:
        kept = await _ask_all(settings.storage_url, clock)
        if await is_unused(settings.storage_url):
            print("storage   the database is empty and will be filled at the first start")
            return kept
    elif not settings.database.exists():
        print(f"storage   ready: {settings.database} will be made at the first start")
        return True
    store = made_store(settings, clock)
    await store.open()
    try:
        return await _look_into(store) and kept
    finally:
        await store.close()


async def _check_redis(settings: Settings) -> bool:
    """Whether sockets can be opened: what a page shows for one lies there."""
    if not settings.redis_url:
        print("redis     not configured: one node")
        return True
    tickets = RedisTickets(settings.redis_url)
    try:
        await try_out(tickets)
    except Refused as refused:
        print(f"redis     NOT READY: {refused.__cause__ or refused}")
        return False
    finally:
        await tickets.close()
    print("redis     ready")
    return True


async def _look_into(store: Store) -> bool:
    state = store.health()
    print(f"storage   {'ready' if state.ready else 'NOT READY'} {state.detail}".rstrip())
    missing = await pending(store)
    print(f"version   {'current' if not missing else 'the next start takes ' + ', '.join(missing)}")
    if not missing:
        await store.ensure(Person.collection)
        people = await store.scan(Person.collection.name, limit=MOST_COUNTED)
        print(f"people    {sum(doc.get('retired_at') is None for doc in people)}")
    return state.ready


async def _ask_all(url: str, clock: Clock) -> bool:
    """Whether the servers behind a url keep every promise; two stores stand for two servers."""
    kept = True
    for number, question in enumerate(QUESTIONS, start=1):
        fault = await _ask(url, clock, question)
        print(f"promise   {number:2}/{len(QUESTIONS)} {question.promise}", end="", flush=True)
        print(f": BROKEN: {fault}" if fault else "", flush=True)
        kept = kept and not fault
    return kept


async def _ask(url: str, clock: Clock, question: Question) -> str:
    """What is wrong; empty when the promise is kept."""
    async with scratch_database(url) as database:
        first, second = (MongoStore(url, database=database, clock=clock) for _ in range(2))
        try:
            await first.open()
            for collection in COLLECTIONS:
                await first.ensure(collection)
            await second.open()
            await question.ask(first, second)
        except (Broken, StorageError) as fault:
            return str(fault)
        finally:
            await second.close()
            await first.close()
    return ""
