"""Asking the other nodes how far something has come to their people.

A question is over when every node that may have these people has answered, or after a moment: whoever was
silent has nothing to say, and its people are away.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from realtime.application import Reach

MOST = 1_000
"""Questions open at once; further ones are not asked, so that their people are away elsewhere."""
_BEST_FIRST = (Reach.REACHED, Reach.PENDING, Reach.AWAY)


def better(one: Reach, other: Reach) -> Reach:
    """The better of two answers about a person."""
    return min(one, other, key=_BEST_FIRST.index)


class Question:
    """One question under way."""

    def __init__(self, nodes: set[str]) -> None:
        self._waits_for = nodes
        self._over = asyncio.Event()
        self.found: dict[str, Reach] = {}

    def answered(self, node_id: str, found: Mapping[str, Reach]) -> None:
        """A node has said what it knows."""
        for person_id, reach in found.items():
            self.found[person_id] = better(reach, self.found.get(person_id, Reach.AWAY))
        self._waits_for.discard(node_id)
        if not self._waits_for:
            self._over.set()

    async def wait(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self._over.wait()
        except TimeoutError:
            pass


class Questions:
    """The questions of this node that wait for answers."""

    def __init__(self) -> None:
        self._open: dict[int, Question] = {}
        self._last = 0

    async def ask(
        self, nodes: Iterable[str], tell: Callable[[int], None], within_s: float
    ) -> Mapping[str, Reach]:
        """Put a question by `tell`, which is given its id, and gather what these nodes answer."""
        waits_for = set(nodes)
        if not waits_for or len(self._open) >= MOST:
            return {}
        self._last += 1
        id, question = self._last, Question(waits_for)
        self._open[id] = question
        try:
            tell(id)
            await question.wait(within_s)
        finally:
            del self._open[id]
        return question.found

    def answered(self, id: int, node_id: str, found: Mapping[str, Reach]) -> None:
        """An answer has come, perhaps too late."""
        question = self._open.get(id)
        if question is not None:
            question.answered(node_id, found)
