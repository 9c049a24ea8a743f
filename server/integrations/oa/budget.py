"""The call budget: how often the outside is called, and who goes first when calls are scarce.

A token bucket of `calls_per_second` with a small burst. Waiting callers stand in three lanes:
somebody waiting at a screen, pages that are on screen, and everybody else in turn. The more
urgent lane goes first, but every twentieth call belongs to the last lane while it waits, so that
nobody is forgotten. Lanes are bounded: where the wait would be longer than `patience_s`, the
caller is refused at once.

No task of its own: tokens are handed out when somebody asks and by one timer while anybody waits.
"""

import asyncio
import math
from collections import deque
from enum import IntEnum

from server.clock import Clock


class Lane(IntEnum):
    """Who goes first, most urgent first."""

    INTERACTIVE = 0
    VISIBLE = 1
    REST = 2


class OverBudget(Exception):
    """Too many calls are waiting already; nothing was called."""


SHARE_OF_REST = 20
"""Of so many calls one is kept for the last lane while it waits."""

LEAST_CALLS = 0.01
"""Calls a second of a node that has no share: none, as far as anybody can tell."""


class Budget:
    """At most `calls_per_second` calls on average and `burst` at once."""

    def __init__(
        self,
        calls_per_second: float,
        clock: Clock,
        *,
        burst: float | None = None,
        patience_s: float = 10.0,
    ) -> None:
        if calls_per_second <= 0:
            raise ValueError("calls_per_second must be positive")
        self.calls_per_second = calls_per_second
        self.spent = 0
        self._clock = clock
        self._whole = calls_per_second
        self._given_burst = burst
        self._patience_s = patience_s
        self._burst = self._burst_now()
        self._tokens = self._burst
        self._filled_at = clock.monotonic()
        self._lanes: tuple[deque[asyncio.Future[None]], ...] = tuple(deque() for _ in Lane)
        self._since_rest = 0
        self._timer: asyncio.TimerHandle | None = None

    def reduce_to(self, share: float) -> None:
        """From now on only this share of the calls is ours; others make the rest."""
        self.grant()
        self.calls_per_second = max(LEAST_CALLS, self._whole * share)
        self._burst = self._burst_now()

    def _burst_now(self) -> float:
        given = self._given_burst
        return max(1.0, self.calls_per_second / 4 if given is None else given)

    def waiting(self, lane: Lane) -> int:
        return sum(not turn.done() for turn in self._lanes[lane])

    async def take(self, lane: Lane) -> None:
        """Return when the call may be made. Raises `OverBudget` when the wait would be too long."""
        most = max(1, math.ceil(self.calls_per_second * self._patience_s))
        if sum(self.waiting(before) for before in Lane if before <= lane) >= most:
            raise OverBudget
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lanes[lane].append(turn)
        self.grant()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._tokens += 1
                self.spent -= 1
                self.grant()
            raise

    def grant(self) -> None:
        """Hand out the tokens there are; asks to be called again while anybody waits."""
        now = self._clock.monotonic()
        self._tokens = min(
            self._burst, self._tokens + (now - self._filled_at) * self.calls_per_second
        )
        self._filled_at = now
        # A hair less than one whole token counts, or rounding would cost a timer round each time.
        while self._tokens >= 1 - 1e-9 and (turn := self._next()) is not None:
            self._tokens -= 1
            self.spent += 1
            turn.set_result(None)
        self._wait_for_more()

    def _next(self) -> asyncio.Future[None] | None:
        for lane in self._lanes:
            while lane and lane[0].done():
                lane.popleft()
        rest = self._lanes[Lane.REST]
        if rest and self._since_rest >= SHARE_OF_REST - 1:
            chosen: deque[asyncio.Future[None]] | None = rest
        else:
            chosen = next((lane for lane in self._lanes if lane), None)
        if chosen is None:
            return None
        self._since_rest = 0 if chosen is rest else self._since_rest + 1
        return chosen.popleft()

    def _wait_for_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if any(self.waiting(lane) for lane in Lane):
            delay_s = max(0.001, (1 - self._tokens) / self.calls_per_second)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self.grant)
