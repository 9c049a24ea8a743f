"""How often WeCom may be called for one person.

Above 30 messages a minute or 1,000 an hour for one person WeCom drops the surplus and says nothing. It
counts when a call arrives, which we do not see; so a call counts from the moment its answer came, and
for as long as it is under way: whatever the line did, no window of WeCom's holds more than one of ours.
The last places of a window are kept for what is urgent, so that nobody's chatter stands in its way.

The windows of a person are read from the ledger when first needed: every call is written there before
it is made, hence a restart cannot exceed them.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator
from typing import Final

from server.clock import Clock
from server.outbox import Notice, Priority
from server.storage import Doc, Store

HOUR_MS: Final = 3_600_000
ARRIVAL_MS: Final = 35_000
"""A call that was made has arrived by then, or never will: no call lasts longer."""
URGENT_LIMITS: Final = ((30, 60_000), (1_000, HOUR_MS))
"""Calls for one person, and the milliseconds they count for: what WeCom delivers."""
PERSON_LIMITS: Final = ((29, 60_000), (960, HOUR_MS))
"""The same for everything else."""

_UNDER_WAY_MS: Final = 1_000
_SWEEP_AT: Final = 5_000


class _Calls:
    """The calls for one person: when each had arrived at the latest, and how many are under way."""

    __slots__ = ("arrived", "under_way")

    def __init__(self, arrived: list[int]) -> None:
        self.arrived = arrived
        self.under_way = 0

    def wait_ms(self, most: int, window: int, now: int) -> int:
        """How long until fewer than `most` count."""
        gone = bisect_right(self.arrived, now - window)
        too_many = len(self.arrived) - gone + self.under_way - most + 1
        if too_many <= 0:
            return 0
        if gone + too_many > len(self.arrived):
            return _UNDER_WAY_MS
        # A clock that was set back must not hold anybody longer than the window.
        return min(self.arrived[gone + too_many - 1] + window - now, window)


class Throttle:
    """Sliding windows of the calls made for each person."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._calls: dict[str, _Calls] = {}

    async def wait_ms(self, person_id: str, priority: Priority) -> int:
        """How long the next call for this person has to wait; 0 = it may go now."""
        now = self._clock.now()
        calls = self._calls.get(person_id) or await self._load(person_id, now)
        del calls.arrived[: bisect_right(calls.arrived, now - HOUR_MS)]
        limits = URGENT_LIMITS if priority is Priority.URGENT else PERSON_LIMITS
        return max(calls.wait_ms(most, window, now) for most, window in limits)

    async def _load(self, person_id: str, now: int) -> _Calls:
        if len(self._calls) >= _SWEEP_AT:
            self._sweep(now)
        docs = await self._store.find(
            Notice.collection.name,
            "tried",
            (person_id,),
            gt=now - HOUR_MS,
            limit=URGENT_LIMITS[-1][0],
            reverse=True,
        )
        moments = (min(at, now) for doc in docs for at in _arrivals(doc))
        # Asked for twice at once, the first answer stands: it may have grown meanwhile.
        return self._calls.setdefault(person_id, _Calls(sorted(moments)))

    def _sweep(self, now: int) -> None:
        for person_id, calls in list(self._calls.items()):
            is_idle = not calls.arrived or calls.arrived[-1] <= now - HOUR_MS
            if is_idle and not calls.under_way:
                del self._calls[person_id]

    def waiting(self) -> int:
        """How many people have had what they may in the last minute."""
        now, (most, window) = self._clock.now(), PERSON_LIMITS[0]
        return sum(calls.wait_ms(most, window, now) > 0 for calls in self._calls.values())

    def forget(self) -> None:
        """Read the windows again: others may have called meanwhile."""
        self._calls = {id: calls for id, calls in self._calls.items() if calls.under_way}

    def begin(self, person_id: str) -> None:
        """A call for this person is about to be made (after `wait_ms` answered 0)."""
        self._calls.setdefault(person_id, _Calls([])).under_way += 1

    def end(self, person_id: str, *, called: bool) -> None:
        """It has ended, or was not made after all."""
        calls = self._calls[person_id]
        calls.under_way -= 1
        if called:
            insort(calls.arrived, self._clock.now())


def _arrivals(doc: Doc) -> Iterator[int]:
    """When the calls for a notice had arrived at the latest."""
    *earlier, last = doc.get("tries") or [0]
    yield from (at + ARRIVAL_MS for at in earlier)
    yield doc.get("told_at") or last + ARRIVAL_MS
