"""Several nodes over one store: what only one of them may do, and what each has to hear of.

`Leader` is the port: `alone` keeps it where one process owns the store, `elected` by a lease in a store
that several serve. `bulletin` is what every node has to take to heart. Nothing here relies on Redis, nor
on clocks of different machines telling the same time.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from server.nodes.bulletin import BULLETIN
from server.storage import Collection

NODES = Collection("nodes")
"""The lease of the lead, and one document for each node that lives."""

COLLECTIONS = (NODES, BULLETIN)

Run = Callable[[], Awaitable[object]]


class Leader(Protocol):
    """What is done once for the whole hospital, by whichever node leads.

    Promise: of the work under one name at most one node's is running. It is cancelled, and given some
    seconds to end, before another node may begin it; it is begun anew on whichever node leads next. A
    process that was itself stopped for seconds learns that it lost the lead only when it goes on, so
    whatever such work writes carries the version it has read.
    """

    @property
    def is_alone(self) -> bool:
        """Whether no other node can serve this store."""
        ...

    @property
    def leads(self) -> bool:
        """Whether this node leads now."""
        ...

    @property
    def nodes(self) -> int:
        """How many nodes live, this one included."""
        ...

    def keep(self, name: str, run: Run) -> AbstractAsyncContextManager[None]:
        """While the context lasts, let `run` go on for as long as this node leads. It is cancelled to
        end it; when it fails it is logged and begun again."""
        ...

    def share(self, demand: float) -> float:
        """This node's part (0 to 1) of something all nodes have together, now that it wants so much."""
        ...

    async def resign(self) -> None:
        """End the work that is kept, and lead no more: another node may begin at once."""
        ...
