"""Tickets in the memory of the only node."""

import secrets
from collections import OrderedDict, deque
from typing import Final

from server.auth.tickets import LIFETIME_S
from server.clock import Clock
from server.errors import Busy

PER_SESSION: Final = 20
MOST: Final = 50_000


class MemoryTickets:
    """Tickets in order of issue, so that those out of time are always at the front."""

    def __init__(self, clock: Clock, *, per_session: int = PER_SESSION, most: int = MOST) -> None:
        self._clock = clock
        self._per_session = per_session
        self._most = most
        self._issued: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._of: dict[str, deque[str]] = {}

    def __len__(self) -> int:
        return len(self._issued)

    async def issue(self, session_id: str) -> str:
        self._expire()
        own = self._of.setdefault(session_id, deque())
        if len(own) >= self._per_session:
            self._drop(own[0])
        elif len(self._issued) >= self._most:
            raise Busy("many people are connecting; try again in a moment", retry_after_ms=2_000)
        ticket = secrets.token_urlsafe(24)
        self._issued[ticket] = (session_id, self._clock.monotonic() + LIFETIME_S)
        self._of.setdefault(session_id, own).append(ticket)
        return ticket

    async def redeem(self, ticket: str) -> str | None:
        self._expire()
        return self._drop(ticket)

    def _expire(self) -> None:
        now = self._clock.monotonic()
        while self._issued:
            ticket, (_, ends_at) = next(iter(self._issued.items()))
            if ends_at > now:
                return
            self._drop(ticket)

    def _drop(self, ticket: str) -> str | None:
        session_id, _ = self._issued.pop(ticket, (None, 0.0))
        if session_id is None:
            return None
        own = self._of[session_id]
        own.remove(ticket)
        if not own:
            del self._of[session_id]
        return session_id
