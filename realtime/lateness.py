"""Events that were long in being stored: when they were told in the end.

An event bears the time at which the work that made it began. A proof of arrival is reckoned from there, and
a store that stood still for ten seconds would let a pong of meanwhile prove what had not been told yet.
"""

from typing import Final

MOST: Final = 100
"""Seconds of which this is known apart; of those before, only the last telling of all."""


class Lateness:
    """When the latest event was told, by the second in which it began; of late ones only."""

    def __init__(self, allowed_ms: int) -> None:
        self._allowed_ms = allowed_ms
        self._told: dict[int, int] = {}
        self._before = 0

    def note(self, began: int, told: int) -> None:
        """An event is told now."""
        if began and told - began > self._allowed_ms:
            self._told[began // 1000] = told
            if len(self._told) > MOST:
                self._before = max(self._before, self._told.pop(next(iter(self._told))))

    def told_by(self, moment: int) -> int:
        """When the last of what began until a moment was told; 0 when nothing was late."""
        last = moment // 1000
        late = (told for second, told in self._told.items() if second <= last)
        return max(self._before, max(late, default=0))
