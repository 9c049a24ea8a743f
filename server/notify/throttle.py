"""How often WeCom may be called: in all, and for one person.

Above 30 messages a minute or 1,000 an hour for one person WeCom drops the surplus and says nothing, so
we stay strictly below. The windows of a person are read from the ledger when first needed: every call
is written there before it is made, hence a restart cannot exceed them.
"""

from collections import deque
from typing import Final

from server.clock import Clock
from server.outbox import Notice
from server.storage import Store

HOUR_MS: Final = 3_600_000
PERSON_LIMITS: Final = ((25, 60_000), (900, HOUR_MS))
"""Calls for one person, and the milliseconds they count for."""

_SWEEP_AT: Final = 5_000


class Throttle:
    """Sliding windows of the calls made for each person."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._calls: dict[str, deque[int]] = {}

    async def wait_ms(self, person_id: str) -> int:
        """How long the next call for this person has to wait; 0 = it may go now."""
        now = self._clock.now()
        calls = self._calls.get(person_id)
        if calls is None:
            calls = await self._load(person_id, now)
        while calls and calls[0] <= now - HOUR_MS:
            calls.popleft()
        waits = [0]
        for most, window in PERSON_LIMITS:
            if len(calls) >= most and (opens := calls[-most] + window) > now:
                # A clock that was set back must not hold anybody longer than the window.
                waits.append(min(opens - now, window))
        return max(waits)

    async def _load(self, person_id: str, now: int) -> deque[int]:
        if len(self._calls) >= _SWEEP_AT:
            self._sweep(now)
        docs = await self._store.find(
            Notice.collection.name,
            "tried",
            (person_id,),
            gt=now - HOUR_MS,
            limit=PERSON_LIMITS[-1][0],
            reverse=True,
        )
        found = sorted(at for doc in docs for at in doc.get("tries", ()) if at > now - HOUR_MS)
        # Asked for twice at once, the first answer stands: it may have grown meanwhile.
        return self._calls.setdefault(person_id, deque(found))

    def _sweep(self, now: int) -> None:
        for person_id, calls in list(self._calls.items()):
            if not calls or calls[-1] <= now - HOUR_MS:
                del self._calls[person_id]

    def forget(self) -> None:
        """Read the windows again: others may have called meanwhile."""
        self._calls.clear()

    def take(self, person_id: str, at: int) -> None:
        """A call for this person is about to be made (after `wait_ms` answered 0)."""
        self._calls.setdefault(person_id, deque()).append(at)

    def give_back(self, person_id: str, at: int) -> None:
        """It was not made after all."""
        calls = self._calls.get(person_id)
        if calls and at in calls:
            calls.remove(at)
