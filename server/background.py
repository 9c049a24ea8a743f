"""Background work: tasks with an owner who awaits their end."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from realtime.tasks import ended

log = logging.getLogger(__name__)


async def repeated(name: str, seconds: float, action: Callable[[], Awaitable[object]]) -> None:
    """Do something again and again until cancelled. A failure is logged and not the end."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await action()
        except Exception:
            log.exception("background work failed", extra={"work": name})


@asynccontextmanager
async def repeating(
    name: str, seconds: float, action: Callable[[], Awaitable[object]]
) -> AsyncIterator[None]:
    """Do something again and again while the context lasts."""
    task = asyncio.create_task(repeated(name, seconds, action), name=name)
    try:
        yield
    finally:
        await ended(task)
