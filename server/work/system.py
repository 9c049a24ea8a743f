"""Units of work that the server does by itself, without a person's command: pollers, ingests, deliveries."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from realtime.publisher import Publisher
from server.auth.actor import SYSTEM, Actor
from server.clock import Clock
from server.storage import Conflict, Duplicate, Store
from server.work.unit import UnitOfWork

ATTEMPTS = 5
R = TypeVar("R")


class SystemWork:
    """Opens units of work for the server itself, and does them again when a race was lost."""

    def __init__(self, store: Store, publisher: Publisher, clock: Clock) -> None:
        self._store = store
        self._publisher = publisher
        self._clock = clock

    async def do(self, change: Callable[[UnitOfWork], Awaitable[R]], actor: Actor = SYSTEM) -> R:
        """Run a change and commit it; what it answers. `actor` is somebody who acts past the commands: who
        is just signing in.

        The change is run again, from reading on, while others change the same. Raises what
        `Store.apply` raises but Repeated; Conflict and Duplicate only after several attempts.
        """
        for further in reversed(range(ATTEMPTS)):
            work = UnitOfWork(self._store, actor, self._clock.now())
            answer = await change(work)
            try:
                await work.commit(self._publisher)
            except (Conflict, Duplicate):
                if not further:
                    raise
            else:
                return answer
        raise AssertionError("the last attempt answers or raises")
