"""A notifier in a process of its own, to be killed: sends what a store says is owed, until it is.

python -m tests.notify.sender FOLDER API_BASE
"""

import asyncio
import sys
from pathlib import Path

import aiohttp

from server.clock import SystemClock
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.config import WeComConfig
from server.storage.sqlite import SqliteStore
from tests.notify.ward import Ward
from tests.sandbox.running import AGENT_ID


async def send(folder: Path, api_base: str) -> None:
    """Until nothing waits and nothing is owed."""
    clock = SystemClock()
    store = SqliteStore(folder / "hospital.db", clock=clock)
    await store.open()
    config = WeComConfig(api_base, "wwsandbox", AGENT_ID, "sandbox")
    async with aiohttp.ClientSession() as http:
        ward = await Ward.opened(store, WeComClient(config, http, clock), clock)
        notifier = ward.started(notice_calls_per_second=200, notice_first_seconds=1)
        await notifier.start()
        while await is_owing(store):
            await asyncio.sleep(0.05)
        await notifier.stop()
    await store.close()


async def is_owing(store: SqliteStore) -> bool:
    if await store.count("owed", "due", (), cap=1):
        return True
    for state in ("queued", "sending"):
        for priority in range(4):
            if await store.count("notices", "state", (state, priority), cap=1):
                return True
    return False


if __name__ == "__main__":
    asyncio.run(send(Path(sys.argv[1]), sys.argv[2]))
