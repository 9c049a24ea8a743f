"""States in Redis, for several nodes: begun on one and taken on any, once.

Each state is a hash that ends by itself, holding the target and how often it was taken; one sorted set
holds the names of all by the microsecond of their end, so that the oldest can go. Redis runs each step as one
script, by its own clock.
"""

import secrets
from typing import Final

from server.auth.redis_door import Door
from server.auth.states import LIFETIME_S, MOST, Taken, kept_as

CONNECTIONS: Final = 8
AWAY: Final = "nobody can sign in by WeCom just now; try again"

_BEGIN: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local lifetime, prefix = tonumber(ARGV[3]), ARGV[5]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('HSET', KEYS[2], 'target', ARGV[2], 'taken', 0)
redis.call('PEXPIRE', KEYS[2], lifetime)
redis.call('ZADD', KEYS[1], now + lifetime * 1000, ARGV[1])
redis.call('PEXPIRE', KEYS[1], lifetime)
if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[4]) then
    local oldest = redis.call('ZPOPMIN', KEYS[1])
    redis.call('DEL', prefix .. oldest[1])
end
"""
_TAKE: Final = """
local target = redis.call('HGET', KEYS[1], 'target')
if not target then
    return nil
end
return {target, redis.call('HINCRBY', KEYS[1], 'taken', 1)}
"""


class RedisStates:
    """Keeps the promise of `States`; `close` gives the connections back."""

    def __init__(self, url: str, *, name: str = "yuanxin", most: int = MOST) -> None:
        self._door = Door(url, CONNECTIONS, AWAY)
        self._all = f"{name}:states"
        self._state = f"{name}:state:"
        self._most = most
        self._begin = self._door.redis.register_script(_BEGIN)
        self._take = self._door.redis.register_script(_TAKE)

    async def begin(self, browser: str, target: str) -> str:
        """A new state. Raises Unavailable."""
        state = secrets.token_hex(24)
        name = kept_as(state, browser)
        assert name is not None, "a browser without a mark cannot begin"
        args: list[str | int] = [name, target, LIFETIME_S * 1000, self._most, self._state]
        with self._door.asked():
            await self._begin(keys=[self._all, self._state + name], args=args)
        return state

    async def take(self, state: str, browser: str) -> Taken | None:
        """What a state stood for. Raises Unavailable."""
        name = kept_as(state, browser)
        if name is None:
            return None
        with self._door.asked():
            found = await self._take(keys=[self._state + name])
        return None if found is None else Taken(found[0], again=found[1] > 1)

    async def close(self) -> None:
        """Give the connections back."""
        await self._door.close()
