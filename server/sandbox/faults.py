"""A switch that makes a stand-in misbehave for a while.

One switch per stand-in. The stand-in declares which modes it knows, asks `mode` on every call and
acts accordingly; the switch only keeps the mode, its end, and the two HTTP handlers by which it is
turned. It forgets itself at a restart: a stand-in always comes up healthy.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web

from server.clock import Clock

OFF: Final = "off"
LONGEST_S: Final = 3_600.0


class BadFault(ValueError):
    """The request for a fault cannot be understood; its text says why, to the person asking."""


class Faults:
    """The mode a stand-in is in now: one of `modes`, or "off"."""

    def __init__(
        self,
        modes: Sequence[str],
        clock: Clock,
        turned: Callable[[str], None] = lambda mode: None,
    ) -> None:
        """`turned` hears of each new mode, for what happens once and not on every call."""
        self.modes: tuple[str, ...] = (*(mode for mode in modes if mode != OFF), OFF)
        self._clock = clock
        self._turned = turned
        self._mode = OFF
        self._until = 0.0
        self._changed = asyncio.Event()

    @property
    def mode(self) -> str:
        """What to do to the call at hand."""
        return self._mode if self._clock.monotonic() < self._until else OFF

    @property
    def remaining_s(self) -> float:
        """How long the present mode will last; 0 when off."""
        return max(0.0, self._until - self._clock.monotonic()) if self._mode != OFF else 0.0

    def set(self, mode: str, for_s: float = 10.0) -> None:
        """Misbehave like this from now on, for so many seconds."""
        if mode not in self.modes:
            raise BadFault(f"mode must be one of {', '.join(self.modes)}")
        if not 0 < for_s <= LONGEST_S:
            raise BadFault(f"for_s must be more than 0 and at most {LONGEST_S:.0f} seconds")
        self._mode = mode
        self._until = 0.0 if mode == OFF else self._clock.monotonic() + for_s
        self._turned(mode)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def slowness(self, seconds: float) -> None:
        """Keep a call waiting, but not past the end of the mode or the turn of the switch."""
        try:
            await asyncio.wait_for(self._changed.wait(), min(seconds, self.remaining_s))
        except TimeoutError:
            return

    def state(self) -> dict[str, object]:
        """What the page shows."""
        return {
            "mode": self.mode,
            "remaining_s": round(self.remaining_s, 1),
            "modes": list(self.modes),
        }

    async def show(self, request: web.Request) -> web.Response:
        """GET …/faults"""
        return web.json_response(self.state())

    async def turn(self, request: web.Request) -> web.Response:
        """POST …/faults {"mode": "down", "for_s": 10}"""
        try:
            self.set(*read_fault(await request.read()))
        except BadFault as bad:
            return web.json_response({"error": f"{bad}."}, status=400)
        return web.json_response(self.state())


def read_fault(body: bytes) -> tuple[str, float]:
    """Mode and seconds out of a request body; `BadFault` says what is wrong with it."""
    try:
        fields = json.loads(body)
    except ValueError:
        raise BadFault('the body must be JSON such as {"mode": "down", "for_s": 10}') from None
    if not isinstance(fields, dict):
        raise BadFault('the body must be an object such as {"mode": "down", "for_s": 10}')
    unknown = sorted(set(fields) - {"mode", "for_s"})
    if unknown:
        raise BadFault(f"unknown field {unknown[0]!r}: only mode and for_s are known")
    mode, for_s = fields.get("mode"), fields.get("for_s", 10)
    if not isinstance(mode, str):
        raise BadFault("mode must be a word such as down, slow or off")
    if isinstance(for_s, bool) or not isinstance(for_s, int | float):
        raise BadFault("for_s must be a number of seconds")
    return mode, float(for_s)
