"""The heartbeats of many sockets: one timer of the event loop, and nothing to move for a ping or a pong.

A wheel turns once in an interval. A socket stays in the slot it was put into; one hand asks whoever lies
in the slot it comes to, a second hand follows a time-out behind and looks who has not answered. So a ping
costs the ping, and a pong nothing here. Both are early by up to a slot, never late: clients count from
the moment they came.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

log = logging.getLogger("realtime.gateway")

SLOTS: Final = 25
"""A second each of the usual 25. Whoever lies in one is asked together, and the answers come together,
which for thousands costs a fifth less than a few at a time."""
LOOKS: Final = 10
"""Slots in a time-out, at least: who is silent is found to within one of them."""
MOST_SLOTS: Final = 1_000
"""However short the time-out is beside the interval: empty slots take memory."""
SHORTEST_S: Final = 0.001
"""Of a slot: what the loop's clock can tell apart."""
NOWHERE: Final = -1


class Beating(Protocol):
    """What has a heartbeat. Both calls may take it out of the wheel."""

    slot: int
    """Where it lies: the wheel's to write; NOWHERE when it does not."""

    def ask(self) -> None:
        """A ping is due."""
        ...

    def look(self) -> None:
        """The answer to the ping of a time-out ago is due, if there was one."""
        ...


class Wheel:
    """The heartbeats of one server's sockets."""

    __slots__ = ("_behind", "_count", "_next_at", "_slot_s", "_slots", "_timer", "turned")

    def __init__(self, interval_s: float, timeout_s: float) -> None:
        wanted_s = min(interval_s / SLOTS, timeout_s / LOOKS)
        self._slot_s = max(wanted_s, interval_s / MOST_SLOTS, SHORTEST_S)
        self._slots: list[set[Beating]] = [set() for _ in range(round(interval_s / self._slot_s))]
        self._behind = max(1, int(timeout_s / self._slot_s))
        """How many slots the second hand is behind the first."""
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self.turned = 0
        """By how many slots the wheel has turned."""

    def add(self, item: Beating) -> None:
        """Ask after one interval, and then after every further one."""
        self._put(item, self.turned)

    def asked(self, item: Beating) -> None:
        """It is being asked now, beside the order: look after one time-out, ask again an interval later."""
        self.remove(item)
        # Where the first hand comes next: it finds a ping under way, the second is not early.
        self._put(item, self.turned + 1)

    def remove(self, item: Beating) -> None:
        """Do neither any more."""
        if item.slot != NOWHERE:
            self._slots[item.slot].discard(item)
            item.slot = NOWHERE
            self._count -= 1

    def is_over(self, asked_in: int) -> bool:
        """Whether a time-out has passed since the wheel had turned so far."""
        return self.turned - asked_in >= self._behind

    def _put(self, item: Beating, turned: int) -> None:
        item.slot = turned % len(self._slots)
        self._slots[item.slot].add(item)
        self._count += 1
        if self._timer is None:
            self._next_at = asyncio.get_running_loop().time() + self._slot_s
            self._wait()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_at(self._next_at, self._on_time)

    def turn_to(self, now: float) -> None:
        """Ask and look at all who are due by then, in the loop's time."""
        if now - self._next_at > self._behind * self._slot_s / 2:
            # The process was held up. Nobody could be heard meanwhile: that time counts for no one.
            self._next_at = now
        while self._next_at <= now:
            self._next_at += self._slot_s
            self._turn_by_one()

    def _on_time(self) -> None:
        self.turn_to(asyncio.get_running_loop().time())
        if self._count:
            self._wait()
        else:
            self._timer = None

    def _turn_by_one(self) -> None:
        self.turned += 1
        for item in tuple(self._slots[(self.turned - self._behind) % len(self._slots)]):
            _call(item.look)
        for item in tuple(self._slots[self.turned % len(self._slots)]):
            _call(item.ask)


def _call(step: Callable[[], None]) -> None:
    try:
        step()
    except Exception:  # The others' heartbeats must not go with it.
        log.exception("a heartbeat failed")
