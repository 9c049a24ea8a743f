"""The call budget: how often the outside is called, and who goes first when calls are scarce.

A token bucket of `calls_per_second` with a small burst. Waiting callers stand in four lanes:
somebody waiting at a screen, people for whom something is said to have changed, pages that are on
screen, and everybody else in turn. The more urgent lane goes first, but every twentieth call belongs
to the last lane while it waits, and of four calls for hints one is left to pages on screen, so that
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
    HINTED = 1
    VISIBLE = 2
    REST = 3


class OverBudget(Exception):
    """Too many calls are waiting already; nothing was called."""


SHARE_OF_REST = 20
"""Of so many calls one is kept for the last lane while it waits."""

HINTS_IN_A_ROW = 3
"""After so many calls for hints the next is for a page on screen, if one waits."""

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
        self._hints_in_a_row = 0
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
        # Calls may become fewer meanwhile; whoever sits at a screen is told in time all the same.
        waits_s = self._patience_s if lane is Lane.INTERACTIVE else None
        try:
            async with asyncio.timeout(waits_s):
                await self._granted(turn)
        except TimeoutError:
            raise OverBudget from None

    async def _granted(self, turn: asyncio.Future[None]) -> None:
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
        for waiting in self._lanes:
            while waiting and waiting[0].done():
                waiting.popleft()
        lane = self._whose_turn()
        if lane is None:
            return None
        self._since_rest = 0 if lane is Lane.REST else self._since_rest + 1
        self._hints_in_a_row = self._hints_in_a_row + 1 if lane is Lane.HINTED else 0
        return self._lanes[lane].popleft()

    def _whose_turn(self) -> Lane | None:
        if self._lanes[Lane.REST] and self._since_rest >= SHARE_OF_REST - 1:
            return Lane.REST
        lane = next((lane for lane in Lane if self._lanes[lane]), None)
        is_hog = lane is Lane.HINTED and self._hints_in_a_row >= HINTS_IN_A_ROW
        return Lane.VISIBLE if is_hog and self._lanes[Lane.VISIBLE] else lane

    def _wait_for_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if any(self.waiting(lane) for lane in Lane):
            delay_s = max(0.001, (1 - self._tokens) / self.calls_per_second)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self.grant)
