"""The way to Redis for what is kept for a minute: few connections, short waits, one error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.errors import Unavailable

WAIT_S: Final = 1.0
"""How long Redis may take, and how long one of the connections to it may be waited for."""


def opened(url: str, connections: int) -> Redis:
    """A client of that many connections, that never tries twice; to be closed by whoever has it."""
    return Redis.from_pool(
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


@contextmanager
def away(sentence: str) -> Iterator[None]:
    """Whatever Redis does wrong is told as Unavailable."""
    try:
        yield
    except (RedisError, OSError):
        raise Unavailable(sentence, retry_after_ms=1_000) from None
