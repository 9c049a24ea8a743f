"""The way to Redis for what is kept for a minute: few connections, short waits, one error.

A Redis may carry the line between nodes and still keep nothing: a replica, or one whose disk is full. So what
it says here is logged, once for as long as it says the same.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.errors import Unavailable

log = logging.getLogger(__name__)

WAIT_S: Final = 1.0
"""How long Redis may take, and how long one of the connections to it may be waited for."""


class Door:
    """A client of so many connections, that never tries twice; `close` gives them back."""

    def __init__(self, url: str, connections: int, sentence: str) -> None:
        self.redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url,
                max_connections=connections,
                timeout=WAIT_S,
                socket_timeout=WAIT_S,
                socket_connect_timeout=WAIT_S,
                decode_responses=True,
                retry=Retry(NoBackoff(), 0),
            )
        )
        self._sentence = sentence
        self._fault = ""

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Whatever Redis does wrong is told as Unavailable."""
        try:
            yield
        except (RedisError, OSError) as fault:
            self._note(str(fault) or type(fault).__name__)
            raise Unavailable(self._sentence, retry_after_ms=1_000) from fault
        self._note("")

    def _note(self, fault: str) -> None:
        if fault and fault != self._fault:
            log.warning("%s: Redis says: %s", self._sentence, fault)
        self._fault = fault

    async def close(self) -> None:
        await self.redis.aclose()
