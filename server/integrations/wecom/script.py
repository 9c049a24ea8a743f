"""What signs the calls of a page's script: WeCom's two kinds of tickets, and the signature itself.

A ticket belongs to the company or to the app, and WeCom gives out few (400 and 100 an hour), so each is
kept until shortly before its end, fetched by one caller for all, and not asked for again at once when that
failed. Kept per app: two apps that share one would sign with the other's.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from server.clock import Clock
from server.integrations.wecom import Retry, WeComError
from server.integrations.wecom.host import Level

RENEW_WHEN_LEFT_S: Final = 300
REST_S: Final = 10.0
"""How long a failure is everybody's answer."""
ENDPOINTS: Final[Mapping[Level, tuple[str, Mapping[str, str]]]] = {
    "config": ("get_jsapi_ticket", {}),
    "agent": ("ticket/get", {"type": "agent_config"}),
}

Ask = Callable[[str, Mapping[str, str]], Awaitable[dict[str, Any]]]


def signature(ticket: str, nonce: str, timestamp: int, page: str) -> str:
    """SHA-1 over the four, in this order and unescaped; the page without what follows `#`."""
    address = page.partition("#")[0]
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={address}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class _Kept:
    """One kind of ticket of one app."""

    ticket: str = field(default="", repr=False)
    renew_at: float = 0.0
    failure: WeComError | None = None
    rest_until: float = 0.0
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


class ScriptTickets:
    """The tickets of one app."""

    def __init__(self, ask: Ask, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._kept: dict[Level, _Kept] = {level: _Kept() for level in ENDPOINTS}

    async def current(self, level: Level) -> str:
        """A ticket to sign with now. Raises WeComError."""
        kept = self._kept[level]
        async with kept.one_at_a_time:
            now = self._clock.monotonic()
            if kept.ticket and now < kept.renew_at:
                return kept.ticket
            if kept.failure is not None and now < kept.rest_until:
                raise kept.failure.with_traceback(None)
            try:
                kept.ticket, lifetime_s = await self._fetch(level)
            except WeComError as failed:
                kept.failure, kept.rest_until = failed, self._clock.monotonic() + REST_S
                raise
            # Counted from before the question, so that the way there is no part of its life.
            kept.renew_at = now + max(lifetime_s - RENEW_WHEN_LEFT_S, lifetime_s / 2)
            return kept.ticket

    async def _fetch(self, level: Level) -> tuple[str, int]:
        answer = await self._ask(*ENDPOINTS[level])
        ticket, lifetime_s = answer.get("ticket"), answer.get("expires_in", 7_200)
        if not isinstance(ticket, str) or not ticket or not isinstance(lifetime_s, int):
            raise Retry("WeCom gave no ticket")
        return ticket, lifetime_s
