"""What is being done for one socket at once, and the wait until it is less."""

import asyncio
from collections.abc import Callable


class Workload:
    """Tasks at work. Whoever waits here is woken when one ends, and by `wake`, and then looks again."""

    __slots__ = ("_less", "at_once", "in_flight", "on_less")

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.in_flight = 0
        self.on_less: Callable[[], None] | None = None
        """Called whenever it has become less, for whoever does not wait in a task."""
        self._less: asyncio.Future[None] | None = None

    @property
    def is_full(self) -> bool:
        return self.in_flight >= self.at_once

    def add(self, task: "asyncio.Task[None]") -> None:
        """Count a task until it ends."""
        self.begin()
        task.add_done_callback(self.end)

    def begin(self) -> None:
        """Count something that is no task until its `end`."""
        self.in_flight += 1

    def end(self, _: object = None) -> None:
        """It has ended."""
        self.in_flight -= 1
        self.wake()

    def wake(self) -> None:
        """Something has become less, or ended."""
        less, self._less = self._less, None
        if less is not None:
            less.set_result(None)
        if self.on_less is not None:
            self.on_less()

    async def less(self) -> None:
        """Wait until something has become less."""
        if self._less is None:
            self._less = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._less)
