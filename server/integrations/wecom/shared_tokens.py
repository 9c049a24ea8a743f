"""Access tokens in Redis, for several nodes: one of them fetches, the others wait for what it got.

Redis is only the quicker way: while it is away every node keeps and fetches a token of its own, as a
single node does. What lies there is worth as much as the app's secret for two hours, so the Redis belongs
where only the nodes reach it.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.clock import Clock
from server.integrations.wecom.token import CLAIM_S, MemoryTokens, Token, TokenKey

logger = logging.getLogger(__name__)

WAIT_S: Final = 1.0
CONNECTIONS: Final = 4
REST_S: Final = 5.0
"""How long Redis is left alone after it did not answer: a send must not wait for it each time."""

_MINE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisTokens:
    """Keeps the promise of `TokenStore`; `close` gives the connections back. `node` tells nodes apart."""

    def __init__(self, url: str, clock: Clock, node: str, *, name: str = "yuanxin") -> None:
        self._redis: Redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                timeout=WAIT_S,
                socket_timeout=WAIT_S,
                socket_connect_timeout=WAIT_S,
                retry=Retry(NoBackoff(), 0),
            )
        )
        self._clock = clock
        self._node = node
        self._name = name
        self._own = MemoryTokens()
        self._rest_until = 0.0
        self._release = self._redis.register_script(_MINE)

    async def get(self, key: TokenKey) -> Token | None:
        kept = await self._asked(lambda: self._redis.get(self._at(key)), None)
        try:
            token = msgspec.json.decode(kept, type=Token) if kept else None
        except msgspec.MsgspecError:
            token = None
        return token or await self._own.get(key)

    async def put(self, key: TokenKey, token: Token) -> None:
        await self._own.put(key, token)
        lives_ms = max(1, token.expires_at - self._clock.now())
        await self._asked(
            lambda: self._redis.set(self._at(key), msgspec.json.encode(token), px=lives_ms), None
        )

    async def claim(self, key: TokenKey) -> bool:
        lives_ms = round(CLAIM_S * 1000)
        taken = await self._asked(
            lambda: self._redis.set(self._claim_at(key), self._node, px=lives_ms, nx=True), True
        )
        return bool(taken)

    async def release(self, key: TokenKey) -> None:
        await self._asked(
            lambda: self._release(keys=[self._claim_at(key)], args=[self._node]), None
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    async def _asked(self, ask: Callable[[], Awaitable[Any]], otherwise: Any) -> Any:
        """What Redis says; while it is away, what one node alone would find."""
        if self._clock.monotonic() < self._rest_until:
            return otherwise
        try:
            return await ask()
        except (RedisError, OSError) as fault:
            self._rest_until = self._clock.monotonic() + REST_S
            logger.warning("WeCom's token is not shared just now: %s", type(fault).__name__)
            return otherwise

    def _at(self, key: TokenKey) -> str:
        return f"{self._name}:wecom-token:{key[0]}:{key[1]}"

    def _claim_at(self, key: TokenKey) -> str:
        return f"{self._name}:wecom-token-claim:{key[0]}:{key[1]}"
