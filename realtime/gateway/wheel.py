"""Deadlines of many sockets: one timer of the event loop for all of them.

Time is cut into slots, and a socket lies in the slot its deadline falls into. Moving a deadline costs a
set's `discard` and `add`; the loop is asked for one timer while anything lies here at all. A deadline is
kept early by up to a slot, so that several in a row are not late together.
"""

import asyncio
import logging
from typing import Protocol

log = logging.getLogger("realtime.gateway")


class Due(Protocol):
    """What has a deadline, one at a time."""

    slot: int
    """Where its deadline lies: the wheel's to write. 0 when it has none."""

    def due(self) -> None:
        """The deadline has come; a new one may be set."""
        ...


class Wheel:
    """The deadlines of one server's sockets."""

    __slots__ = ("_next", "_slot_s", "_slots", "_timer")

    def __init__(self, slot_s: float) -> None:
        self._slot_s = slot_s
        self._slots: dict[int, set[Due]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0
        """The slot the timer is set for."""

    def set(self, item: Due, after_s: float) -> None:
        """Give a deadline, instead of the one there was."""
        self.clear(item)
        now = asyncio.get_running_loop().time()
        item.slot = max(int((now + after_s) / self._slot_s), int(now / self._slot_s) + 1)
        self._slots.setdefault(item.slot, set()).add(item)
        if self._timer is None or item.slot < self._next:
            self._turn_at(item.slot)

    def clear(self, item: Due) -> None:
        """Forget the deadline, if there is one."""
        slot, item.slot = self._slots.get(item.slot), 0
        if slot is not None:
            slot.discard(item)

    def _call(self, item: Due) -> None:
        try:
            item.due()
        except Exception:  # The others' deadlines must not go with it.
            log.exception("a deadline could not be acted on")

    def _turn_at(self, slot: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = slot
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(slot * self._slot_s, self._turn)

    def _turn(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time() / self._slot_s
        for number in sorted(number for number in self._slots if number <= now):
            for item in self._slots.pop(number):
                # What came due before it may have moved it, or ended it.
                if item.slot == number:
                    item.slot = 0
                    self._call(item)
        if self._slots:
            self._turn_at(min(self._slots))
