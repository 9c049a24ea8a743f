"""How often groups in WeCom may be made, changed and told: strictly below WeCom's limits.

Above its limits WeCom refuses calls of the whole company for an hour, or drops what one member would see
too much of and says nothing. Windows are of fixed length, and a third of a limit is used in each: a minute
that slides over two of them, and over the first of a node that has just taken the lead and knows nothing of
them, still holds no more than WeCom allows.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from server.clock import Clock
from server.integrations.wecom import CallKind

MINUTE_S: Final = 60.0
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0

CREATED_A_DAY: Final = 330
UPDATED_AN_HOUR: Final = 330
PERSON_TIMES_A_MINUTE: Final = 6_600
ONE_MEMBER_A_MINUTE: Final = 66
ONE_MEMBER_A_DAY: Final = 3_300


class Quota:
    """What was used of each window. `wait_s` asks, `take` uses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._created = _Window(DAY_S)
        self._updated = _Window(HOUR_S)
        self._person_times = _Window(MINUTE_S)
        self._minute = _Window(MINUTE_S)
        self._day = _Window(DAY_S)

    def wait_s(self, kind: CallKind, users: Iterable[str]) -> float:
        """Seconds until such a call may be made; 0: now."""
        now = self._clock.monotonic()
        if kind == "create":
            return self._created.wait_s(now, CREATED_A_DAY)
        if kind == "update":
            return self._updated.wait_s(now, UPDATED_AN_HOUR)
        members = list(users)
        # A group so large that it fills a minute alone goes alone.
        room = max(1, PERSON_TIMES_A_MINUTE - len(members) + 1)
        return max(
            self._person_times.wait_s(now, room),
            self._minute.wait_s(now, ONE_MEMBER_A_MINUTE, members),
            self._day.wait_s(now, ONE_MEMBER_A_DAY, members),
        )

    def take(self, kind: CallKind, users: Iterable[str]) -> None:
        """Such a call is about to be made."""
        now = self._clock.monotonic()
        if kind == "create":
            self._created.take(now)
        elif kind == "update":
            self._updated.take(now)
        else:
            members = list(users)
            self._person_times.take(now, len(members))
            self._minute.take_each(now, members)
            self._day.take_each(now, members)

    def forget(self) -> None:
        """Another node may have called meanwhile: begin anew."""
        for window in (
            self._created,
            self._updated,
            self._person_times,
            self._minute,
            self._day,
        ):
            window.clear()


_ALL: Final = ("",)


class _Window:
    """Counts by name since the window began."""

    def __init__(self, length_s: float) -> None:
        self._length_s = length_s
        self._began = 0.0
        self._counts: Counter[str] = Counter()

    def clear(self) -> None:
        self._counts.clear()

    def wait_s(self, now: float, most: int, names: Iterable[str] = _ALL) -> float:
        self._turn(now)
        if any(self._counts[name] >= most for name in names):
            return self._began + self._length_s - now
        return 0.0

    def take(self, now: float, count: int = 1) -> None:
        self._turn(now)
        self._counts[""] += count

    def take_each(self, now: float, names: Iterable[str]) -> None:
        self._turn(now)
        self._counts.update(names)

    def _turn(self, now: float) -> None:
        if now >= self._began + self._length_s:
            self._began = now
            self._counts.clear()
