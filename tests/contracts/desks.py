"""Where things that live for a short time are kept, in memory or in Redis, and its time, moved by hand."""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from redis.asyncio import Redis

from tests.clocks import ManualClock
from tests.redis_server import RedisServer

T = TypeVar("T")


@dataclass
class Desk(Generic[T]):
    """Any number of nodes' windows to one place, and its time."""

    window: Callable[..., T]
    time_passes: Callable[[float], Awaitable[None]]


def memory_desk(kind: Callable[..., T]) -> Desk[T]:
    clock = ManualClock()

    async def time_passes(seconds: float) -> None:
        clock.advance(seconds)

    return Desk(lambda **bounds: kind(clock, **bounds), time_passes)


async def redis_desk(
    kind: Callable[..., Any], keys: str, unit_s: float, redis: RedisServer, stack: AsyncExitStack
) -> Desk[Any]:
    """Time passes in Redis when everything is told to end earlier. `keys` is what its keys begin with,
    plural the list of all; a place in the list is a moment in units of so many seconds."""
    name = secrets.token_hex(4)
    client: Redis = await stack.enter_async_context(Redis.from_url(redis.url))

    def window(**bounds: Any) -> Any:
        kept = kind(redis.url, name=name, **bounds)
        stack.push_async_callback(kept.close)
        return kept

    async def time_passes(seconds: float) -> None:
        async for key in client.scan_iter(f"{name}:{keys}*"):
            left = await client.pttl(key)
            if left > 0:
                await client.pexpire(key, max(0, left - round(seconds * 1000)))
        for one in await client.zrange(f"{name}:{keys}s", 0, -1):
            await client.zincrby(f"{name}:{keys}s", -seconds / unit_s, one)

    return Desk(window, time_passes)
