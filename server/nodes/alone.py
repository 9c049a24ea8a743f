"""The only node of a store that belongs to one process: it always leads, and has everything."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from server.nodes import Run
from server.nodes.charges import Charges


class Alone:
    """Keeps the promise of `Leader` at no cost."""

    is_alone = True
    nodes = 1

    def __init__(self) -> None:
        self._charges = Charges()
        self._charges.begin()

    @property
    def leads(self) -> bool:
        return self._charges.is_on

    def keep(self, name: str, run: Run) -> AbstractAsyncContextManager[None]:
        return self._charges.keep(name, run)

    def share(self, demand: float) -> float:
        return 1.0

    async def resign(self) -> None:
        await self._charges.end()


@asynccontextmanager
async def alone() -> AsyncIterator[Alone]:
    """The only node, until it ends."""
    leader = Alone()
    try:
        yield leader
    finally:
        await leader.resign()
