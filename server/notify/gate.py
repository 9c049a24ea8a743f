"""Whether WeCom may be called at all now, and how many calls may begin.

Four things hold calls back: the rate, a pause WeCom asked for, a configuration that an administrator
must mend, and the circuit breaker, which opens when several different notices fail in a row and then
lets single calls try. A single notice that always fails never opens it: one bad recipient does not
hold up the others.
"""

import random
from collections import deque
from typing import Final

from server.clock import Clock

OPENS_AFTER: Final = 3
"""Different notices that fail with none succeeding in between."""
FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 20.0
MISCONFIGURED_WAIT_S: Final = 60.0
"""How often a call tries whether an administrator has mended the configuration."""


class Gate:
    """Times are the clock's monotonic seconds."""

    def __init__(self, clock: Clock, calls_per_second: int, most_at_once: int) -> None:
        self._clock = clock
        self._rate = calls_per_second
        self._most = most_at_once
        self._begun: deque[float] = deque()
        self._in_flight = 0
        self._failing: set[str] = set()
        self._wait_s = FIRST_WAIT_S
        self._opens_at = 0.0
        self._trying = False
        self.misconfigured = False

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def is_held(self) -> bool:
        """Whether calls are held back because they fail, or because WeCom asked for a pause."""
        return self._trying

    @property
    def held_for_s(self) -> float:
        """How long no call may begin yet."""
        return max(0.0, self._opens_at - self._clock.monotonic())

    def room(self) -> int:
        """How many calls may begin now."""
        now = self._clock.monotonic()
        if now < self._opens_at:
            return 0
        if self._trying:
            return 0 if self._in_flight else 1
        while self._begun and self._begun[0] <= now - 1.0:
            self._begun.popleft()
        return max(0, min(self._rate - len(self._begun), self._most - self._in_flight))

    def begin(self) -> None:
        """Something is on its way that will end in a call."""
        self._in_flight += 1
        self._begun.append(self._clock.monotonic())

    def end(self, *, called: bool) -> None:
        """It has ended; without a call it does not count for the rate."""
        self._in_flight -= 1
        if not called and self._begun:
            self._begun.pop()

    def succeeded(self) -> None:
        """WeCom answered as it should."""
        self._failing.clear()
        self._wait_s = FIRST_WAIT_S
        self._opens_at = 0.0
        self._trying = False
        self.misconfigured = False

    def failed(self, notice_id: str) -> None:
        """A call failed, or nobody knows."""
        self._failing.add(notice_id)
        if len(self._failing) >= OPENS_AFTER or self._trying:
            self._hold(self._wait_s * random.uniform(0.75, 1.25))
            self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)

    def pause(self, seconds: float) -> None:
        """WeCom wants no calls for so long."""
        self._hold(seconds)

    def misconfigure(self) -> None:
        """Nothing will go through until somebody mends it."""
        self.misconfigured = True
        self._hold(MISCONFIGURED_WAIT_S)

    def _hold(self, seconds: float) -> None:
        self._opens_at = max(self._opens_at, self._clock.monotonic() + seconds)
        self._trying = True
