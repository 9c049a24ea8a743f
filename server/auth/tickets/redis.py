"""Tickets in Redis, for several nodes: a ticket of one is honoured by any other, once.

Each ticket is a key that ends by itself; beside it stand the list of its session's tickets, in order of
issue, and one set of all, by the moment of their end. Redis runs each step as one script, by its own clock.
When it is away nobody new can connect: that is told as Unavailable, and asked again by the page.
"""

import secrets
from typing import Final

from server.auth.redis_door import Door
from server.auth.tickets import LIFETIME_S
from server.auth.tickets.memory import MOST, PER_SESSION
from server.errors import Busy

CONNECTIONS: Final = 16
AWAY: Final = "nobody can connect just now; try again"
LONGEST: Final = 64
"""No ticket is longer; Redis is not asked about anything else."""

_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
"""
_ISSUE: Final = (
    _NOW
    + """
local ticket, session, lifetime = ARGV[1], ARGV[2], tonumber(ARGV[3])
local of, prefix = KEYS[2], ARGV[6]
if redis.call('LLEN', of) >= tonumber(ARGV[4]) then
    local oldest = redis.call('LPOP', of)
    redis.call('DEL', prefix .. oldest)
    redis.call('ZREM', KEYS[1], oldest)
elseif redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[5]) then
    return 0
end
redis.call('SET', prefix .. ticket, session, 'PX', lifetime)
redis.call('RPUSH', of, ticket)
redis.call('PEXPIRE', of, lifetime)
redis.call('ZADD', KEYS[1], now + lifetime, ticket)
return 1
"""
)
_REDEEM: Final = """
local session = redis.call('GETDEL', KEYS[2])
if session then
    redis.call('ZREM', KEYS[1], ARGV[1])
    redis.call('LREM', ARGV[2] .. session, 1, ARGV[1])
end
return session
"""


class RedisTickets:
    """Keeps the promise of `Tickets`; `close` gives the connections back."""

    def __init__(
        self,
        url: str,
        *,
        name: str = "yuanxin",
        per_session: int = PER_SESSION,
        most: int = MOST,
    ) -> None:
        self._door = Door(url, CONNECTIONS, AWAY)
        self._all = f"{name}:tickets"
        self._ticket = f"{name}:ticket:"
        self._of = f"{name}:tickets-of:"
        self._per_session = per_session
        self._most = most
        self._issue = self._door.redis.register_script(_ISSUE)
        self._redeem = self._door.redis.register_script(_REDEEM)

    async def issue(self, session_id: str) -> str:
        """A new ticket. Raises Busy, Unavailable."""
        ticket = secrets.token_urlsafe(24)
        keys = [self._all, self._of + session_id]
        bounds = [LIFETIME_S * 1000, self._per_session, self._most]
        with self._door.asked():
            issued = await self._issue(keys=keys, args=[ticket, session_id, *bounds, self._ticket])
        if not issued:
            raise Busy("many people are connecting; try again in a moment", retry_after_ms=2_000)
        return ticket

    async def redeem(self, ticket: str) -> str | None:
        """The session of a ticket, once. Raises Unavailable."""
        if len(ticket) > LONGEST or not ticket.isascii():
            return None
        with self._door.asked():
            session_id: str | None = await self._redeem(
                keys=[self._all, self._ticket + ticket], args=[ticket, self._of]
            )
        return session_id

    async def close(self) -> None:
        """Give the connections back."""
        await self._door.close()
