"""Presence where all hubs live in this process: each is asked."""

from collections.abc import Collection, Sequence
from typing import Protocol

from realtime.application import Reach


class Asked(Protocol):
    """A hub, as far as presence asks it."""

    def reach(self, person_id: str, since: int) -> Reach: ...

    def is_online(self, person_id: str) -> bool: ...


_BEST_FIRST = (Reach.REACHED, Reach.PENDING)


class MemoryPresence:
    """The best answer of any hub counts."""

    def __init__(self, hubs: Sequence[Asked]) -> None:
        self._hubs = tuple(hubs)

    async def reach(self, people: Collection[str], since: int) -> dict[str, Reach]:
        answers = {}
        for person_id in people:
            found = {hub.reach(person_id, since) for hub in self._hubs}
            answers[person_id] = next((best for best in _BEST_FIRST if best in found), Reach.AWAY)
        return answers

    async def online(self, people: Collection[str]) -> set[str]:
        return {
            person_id for person_id in people if any(hub.is_online(person_id) for hub in self._hubs)
        }
