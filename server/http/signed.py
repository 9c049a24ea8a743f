"""Requests of other systems of the hospital, let in by a signature with one of our keys.

Whoever keeps failing is told to wait, by address; a right signature is never held back for it.
"""

import logging
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from realtime.limits import RateTable
from server.clock import Clock
from server.errors import RateLimited, Unauthenticated
from server.http.answers import body_of
from server.http.identity import address_of
from server.integrations.signing import Sender, check_signature, claimed_sender

FAILURES_PER_SECOND: Final = 0.5
FAILURES_AT_ONCE: Final = 30
log = logging.getLogger(__name__)


class SignedRequests:
    """Reads requests that must be signed with one of `keys` (secrets by id)."""

    def __init__(self, keys: Mapping[str, str], clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._failures: RateTable[str] = RateTable(clock, FAILURES_PER_SECOND, FAILURES_AT_ONCE)

    @property
    def are_possible(self) -> bool:
        """Whether there is any key."""
        return bool(self._keys)

    async def read(self, request: web.Request) -> tuple[Sender, bytes]:
        """Who sent a request, and its body as sent. Raises Unauthenticated, or RateLimited."""
        try:
            sender = claimed_sender(request.headers, self._clock.now())
            body = await body_of(request)
            check_signature(self._keys, request.headers, sender, body)
        except Unauthenticated as refused:
            wait_ms = self._failures.take(address_of(request))
            if wait_ms:
                raise RateLimited(refused.message, retry_after_ms=wait_ms) from None
            log.warning(
                "a signed request was not let in",
                extra={
                    "path": request.path,
                    "why": refused.message,
                    "address": address_of(request),
                },
            )
            raise
        return sender, body
