"""What a node has to say, gathered until the wire takes it as one envelope.

Bounded: when more waits than may, all of it is dropped and its number skipped, so that the others know that
something is missing. The same happens to what is said while the wire is down.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from realtime.backplane.redis.envelope import AnyNote, Envelope, sealed
from realtime.backplane.redis.metrics import LineMetrics
from realtime.publisher import Publication

MOST_BYTES = 8 << 20
MOST_NOTES = 10_000
ENVELOPE_BYTES = 256 * 1024
"""An envelope takes nothing more when it is so large; what was published together stays together."""
OVERHEAD = 64
"""What a publication takes besides its body, roughly."""


class Words:
    """Publications and notes on their way to the wire."""

    def __init__(self, head: bytes, metrics: LineMetrics) -> None:
        self.is_open = False
        self.spoken = 0
        """Envelopes since it was opened."""
        self._head = head
        self._metrics = metrics
        self._number = 0
        self._publications: deque[tuple[Sequence[Publication], int]] = deque()
        self._bytes = 0
        self._notes: list[AnyNote] = []
        self._some = asyncio.Event()

    @property
    def are_waiting(self) -> bool:
        """Whether there is something to say."""
        return self._some.is_set()

    def open(self) -> None:
        """The wire is up."""
        self.is_open = True
        self.spoken = 0

    def publish(self, publications: Sequence[Publication]) -> None:
        """Say these together."""
        size = sum(len(publication.body) + OVERHEAD for publication in publications)
        if not self.is_open or self._bytes + size > MOST_BYTES:
            self._drop(len(publications))
            return
        self._publications.append((publications, size))
        self._bytes += size
        self._some.set()

    def note(self, note: AnyNote) -> None:
        """Say this after what was published until now."""
        if not self.is_open or len(self._notes) >= MOST_NOTES:
            self._drop(0)
            return
        self._notes.append(note)
        self._some.set()

    def speak(self) -> None:
        """Send an envelope soon, even an empty one."""
        self._some.set()

    async def wait(self) -> None:
        """Wait until there is something to say."""
        await self._some.wait()

    def seal(self) -> bytes:
        """The next envelope."""
        publications: list[Publication] = []
        size = 0
        while self._publications and size < ENVELOPE_BYTES:
            together, bytes_ = self._publications.popleft()
            publications += together
            size += bytes_
        self._bytes -= size
        notes, self._notes = self._notes, []
        if not self._publications:
            self._some.clear()
        self._number += 1
        self.spoken += 1
        self._metrics.envelopes_sent += 1
        self._metrics.publications_sent += len(publications)
        return sealed(self._head, Envelope(self._number, publications, notes))

    def close(self) -> None:
        """The wire is down: nobody will hear what waits."""
        self.is_open = False
        self._drop(0)

    def _drop(self, further: int) -> None:
        waiting = sum(len(together) for together, _ in self._publications)
        self._metrics.publications_dropped += waiting + further
        self._publications.clear()
        self._notes.clear()
        self._bytes = 0
        self._number += 1
