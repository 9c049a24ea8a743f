"""The circuit breaker: after several failures in a row the OA is left alone, then tried with one
call.

Only who does not answer, and who is kept from answering, fails here. A refusal, a fault and even nonsense
are answers: one document that the OA trips over must not close it for everybody. Whoever is not let
through hears what the last call met, so that a filter's refusal does not turn into silence.

Waits grow from `first_s` to `cap_s` and are spread by chance, so that nodes do not come back
together. The cap is short on purpose: people should have their list back seconds after the OA is.
"""

import random
from collections.abc import Callable

from server.clock import Clock
from server.integrations.oa import Blocked, OAError, Unreachable


class Breaker:
    """Ask `allows()` before a call, tell `succeeded()` or `failed()` after it; raise `reason()` instead."""

    def __init__(
        self,
        clock: Clock,
        *,
        threshold: int = 5,
        first_s: float = 1.0,
        cap_s: float = 5.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._threshold = threshold
        self._first_s, self._cap_s = first_s, cap_s
        self._chance = chance
        self._failures = 0
        self._rounds = 0
        self._open_until: float | None = None
        self._trying = False
        self._met: OAError = Unreachable()

    @property
    def is_open(self) -> bool:
        return self._open_until is not None

    def wait_s(self) -> float:
        """Seconds until the next try; 0 when calls may be made."""
        if self._open_until is None:
            return 0.0
        return max(0.0, self._open_until - self._clock.monotonic())

    def allows(self) -> bool:
        """Whether a call may be made now. While open, one caller at a time gets a yes: it is the
        try.
        """
        if self._open_until is None:
            return True
        if self._trying or self.wait_s() > 0:
            return False
        self._trying = True
        return True

    def reason(self) -> OAError:
        """What is raised instead of a call that is not made."""
        if isinstance(self._met, Blocked):
            return Blocked(self._met.sentence, never_arrived=True)
        return Unreachable(
            "The OA did not answer just now; it is tried again in a moment.", never_arrived=True
        )

    def succeeded(self) -> None:
        self._failures = self._rounds = 0
        self._open_until = None
        self._trying = False

    def failed(self, met: OAError) -> None:
        """The call met this; if it is an answer, there is nothing to break."""
        if not isinstance(met, (Unreachable, Blocked)):
            self.succeeded()
            return
        self._met = met
        self._trying = False
        self._failures += 1
        if self._failures < self._threshold:
            return
        if self._open_until is not None and self.wait_s() > 0:
            return  # a straggler of the calls that opened it
        wait_s: float = min(self._cap_s, self._first_s * 2**self._rounds)
        self._rounds += 1
        self._open_until = self._clock.monotonic() + wait_s * (0.5 + self._chance() / 2)

    def abandoned(self) -> None:
        """The call ended without saying anything about the OA (cancelled)."""
        self._trying = False
