"""States in the memory of the only node."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from server.auth.states import LIFETIME_S, MOST, Taken, kept_as
from server.clock import Clock


@dataclass(slots=True)
class _Kept:
    target: str
    ends_at: float
    again: bool = False


class MemoryStates:
    """States in the order in which they began, so that those out of time are always at the front."""

    def __init__(self, clock: Clock, *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def begin(self, browser: str, target: str) -> str:
        self._expire()
        state = secrets.token_hex(24)
        name = kept_as(state, browser)
        assert name is not None, "a browser without a mark cannot begin"
        self._kept[name] = _Kept(target, self._clock.monotonic() + LIFETIME_S)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return state

    async def take(self, state: str, browser: str) -> Taken | None:
        self._expire()
        kept = self._kept.get(kept_as(state, browser) or "")
        if kept is None:
            return None
        taken = Taken(kept.target, kept.again)
        kept.again = True
        return taken

    def _expire(self) -> None:
        now = self._clock.monotonic()
        while self._kept and next(iter(self._kept.values())).ends_at <= now:
            self._kept.popitem(last=False)
