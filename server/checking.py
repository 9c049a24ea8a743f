"""`python -m server check`: is this installation fit to serve? Each line says what was looked at."""

from server.app import opened_store
from server.clock import Clock
from server.directory import Directory
from server.settings import Settings
from server.storage import StorageError


async def check(settings: Settings, clock: Clock) -> int:
    """Print what is found; 0 when the server can start. Must not run beside a running server, whose
    store belongs to it alone: that is told too."""
    try:
        async with opened_store(settings, clock) as store:
            state = store.health()
            print(f"storage   {'ready' if state.ready else 'NOT READY'} {state.detail}")
            directory = Directory()
            await directory.load(store)
            print(f"people    {len(directory.active())}")
    except StorageError as fault:
        print(f"storage   NOT READY: {fault}")
        return 1
    print(f"pages     {settings.url}")
    print(f"wecom     {settings.wecom_api_base or 'not configured: nobody away is told anything'}")
    print(f"oa        {settings.oa_endpoint or 'not configured: no documents'}")
    return 0 if state.ready else 1
