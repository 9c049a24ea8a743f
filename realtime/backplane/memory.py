"""Several hubs in one process, as if they were nodes; also the backplane of a node that is alone."""

import asyncio
from collections.abc import Callable, Sequence

from realtime.backplane import Receiver
from realtime.errors import Closing
from realtime.publisher import Publication


class MemoryLine:
    """What the nodes of one process are plugged into."""

    def __init__(self) -> None:
        self._receivers: dict[MemoryBackplane, Receiver] = {}

    def plug(self) -> "MemoryBackplane":
        """One more node's plug; it hears nothing before it is started."""
        return MemoryBackplane(self)

    def join(self, plug: "MemoryBackplane", receiver: Receiver) -> None:
        self._receivers[plug] = receiver

    def leave(self, plug: "MemoryBackplane") -> None:
        self._receivers.pop(plug, None)

    def tell_others(self, plug: "MemoryBackplane", what: Callable[[Receiver], None]) -> None:
        """In a later step of the loop, as a wire between nodes would, and in order."""
        if plug in self._receivers:
            asyncio.get_running_loop().call_soon(self._tell, plug, what)

    def _tell(self, plug: "MemoryBackplane", what: Callable[[Receiver], None]) -> None:
        for other, receiver in list(self._receivers.items()):
            if other is not plug:
                what(receiver)


class MemoryBackplane:
    """One node's plug into a MemoryLine."""

    def __init__(self, line: MemoryLine | None = None) -> None:
        self._line = line or MemoryLine()

    async def start(self, receiver: Receiver) -> None:
        self._line.join(self, receiver)

    async def stop(self) -> None:
        self._line.leave(self)

    def broadcast(self, publications: Sequence[Publication]) -> None:
        told = tuple(publications)
        self._line.tell_others(self, lambda receiver: receiver.deliver(told))

    def need(self, channel: str, needed: bool) -> None:
        """Everybody here is told everything."""

    async def announced(self) -> None:
        """There is nothing to wait for."""

    @property
    def is_sound(self) -> bool:
        return True

    def disconnect(
        self, person_id: str, reason: Closing, session_ids: frozenset[str] | None
    ) -> None:
        self._line.tell_others(
            self, lambda receiver: receiver.close_connections(person_id, reason, session_ids)
        )
