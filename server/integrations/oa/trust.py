"""How far the OA's webhook may be relied on.

It has earned trust when it was heard within minutes, when the last changes we found had all been told by
it, and when none was missed for a while. A change that a reading found and nobody told is a suspicion at
first, since we may have been faster; told within `GRACE_S` it counts as told after all, else as missed.
Silence ends the trust as a miss does: nobody can tell a quiet night from a broken line, and at night the
old pace costs little.
"""

import logging
import math
from collections.abc import Iterable
from typing import Final

from server.clock import Clock, Millis

log = logging.getLogger(__name__)

HEARD_S: Final = 300.0
PROOFS: Final = 5
"""So many changes in a row have to have been told."""
GRACE_S: Final = 10.0
TOLD_S: Final = 60.0
"""A change is expected to be found so soon after it was told."""
MISTRUST_S: Final = 300.0


class Trust:
    """Keeps the account. Nothing here waits; `is_earned` settles what is due."""

    def __init__(self, clock: Clock) -> None:
        self.heard_at: Millis | None = None
        self.told = 0
        self.missed = 0
        self._clock = clock
        self._heard = -math.inf
        self._missed_at = -math.inf
        self._proofs = 0
        self._told_at: dict[str, float] = {}
        self._suspects: dict[str, float] = {}

    def heard(self, person_ids: Iterable[str]) -> None:
        """The webhook said that something changed for these people; for nobody is a sign of life."""
        self._heard, self.heard_at = self._clock.monotonic(), self._clock.now()
        for person_id in person_ids:
            self.told += 1
            self._told_at[person_id] = self._heard
            found = self._suspects.pop(person_id, None)
            if found is not None:
                self._proved() if found >= self._heard - GRACE_S else self._miss()

    def news(self, person_id: str, *, was_told: bool = False) -> None:
        """A reading found a change for somebody; `was_told`: the webhook was the reason to read."""
        now = self._clock.monotonic()
        if was_told or self._told_at.get(person_id, -math.inf) >= now - TOLD_S:
            self._proved()
        else:
            self._suspects.setdefault(person_id, now)

    def forget(self, person_id: str) -> None:
        self._told_at.pop(person_id, None)
        self._suspects.pop(person_id, None)

    @property
    def is_earned(self) -> bool:
        """Whether the webhook may be relied on now."""
        now = self._clock.monotonic()
        while self._suspects and next(iter(self._suspects.values())) < now - GRACE_S:
            del self._suspects[next(iter(self._suspects))]
            self._miss()
        return (
            self._proofs >= PROOFS
            and now - self._heard <= HEARD_S
            and now - self._missed_at > MISTRUST_S
        )

    def _proved(self) -> None:
        self._proofs += 1

    def _miss(self) -> None:
        if self._proofs >= PROOFS:
            log.warning(
                "the OA's webhook did not tell of a change; pages are read more often again"
            )
        self._proofs = 0
        self.missed += 1
        self._missed_at = self._clock.monotonic()
