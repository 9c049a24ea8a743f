"""The work that comes with the lead: begun, begun again after a failure, ended and awaited."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from realtime.tasks import ended

if TYPE_CHECKING:
    from server.nodes import Run

log = logging.getLogger(__name__)

AGAIN_S: Final = 2.0
"""How long after a failure work is begun again."""
ENDS_WITHIN_S: Final = 4.5
"""When work that was cancelled is cancelled again: later than any work lets its calls go on, so that it
leaves none behind, and sooner than another node may begin it."""


class Charges:
    """Work by name, running between `begin` and `end`."""

    def __init__(self) -> None:
        self.is_on = False
        self._kept: dict[str, Run] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def keep(self, name: str, run: "Run") -> AsyncIterator[None]:
        """Have this work among the others while the context lasts."""
        self._kept[name] = run
        if self.is_on:
            self._start(name)
        try:
            yield
        finally:
            del self._kept[name]
            await self._end([name])

    def begin(self) -> None:
        """Start everything there is, and from now on what comes."""
        self.is_on = True
        for name in self._kept:
            self._start(name)

    async def end(self) -> None:
        """Cancel everything and wait until it has ended."""
        self.is_on = False
        await self._end(list(self._tasks))

    def _start(self, name: str) -> None:
        self._tasks[name] = asyncio.create_task(_carried(name, self._kept[name]), name=name)

    async def _end(self, names: list[str]) -> None:
        tasks = [task for name in names if (task := self._tasks.pop(name, None)) is not None]
        await ended(*tasks, again_s=ENDS_WITHIN_S)


async def _carried(name: str, run: "Run") -> None:
    while True:
        try:
            await run()
        except Exception:
            log.exception("background work failed", extra={"work": name})
        await asyncio.sleep(AGAIN_S)
