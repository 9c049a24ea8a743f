"""Who has so much waiting that the limit of a minute holds them up.

They go ahead of the queue whenever their minute allows: a minute in which somebody with two hundred
notices got none, because a thousand others stood in front, cannot be made up for. They are few at a time,
so that everybody else's turn comes too.

In memory, and only roughly right: nothing depends on it but the order.
"""

from dataclasses import dataclass
from typing import Final

from server.notify.throttle import PERSON_LIMITS

MUCH: Final = PERSON_LIMITS[0][0]
MOST_AHEAD: Final = 20


@dataclass(slots=True)
class _Waiting:
    """What one person has waiting: how many notices, since when, and when the next may go."""

    since: int
    count: int = 0
    opens_at: int = 0
    was_held: bool = False


class Backlog:
    """Notices that wait, counted by person."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()

    def queued(self, person_id: str, created_at: int) -> None:
        """A notice waits."""
        waiting = self._waiting.setdefault(person_id, _Waiting(created_at))
        waiting.since = min(waiting.since, created_at)
        waiting.count += 1

    def ended(self, person_id: str) -> None:
        """A notice waits no more."""
        waiting = self._waiting.get(person_id)
        if waiting is not None:
            waiting.count -= 1
            if waiting.count <= 0:
                del self._waiting[person_id]

    def held(self, person_id: str, created_at: int, until: int) -> None:
        """A person's limit is reached; nothing of what waits may go before this moment."""
        waiting = self._waiting.setdefault(person_id, _Waiting(created_at, count=1))
        waiting.since = min(waiting.since, created_at)
        waiting.opens_at, waiting.was_held = until, True

    def nothing_ready(self, person_id: str) -> None:
        """Nothing of this person's was found that could go: the count was wrong, or it goes elsewhere."""
        self._waiting.pop(person_id, None)

    def ahead(self, now: int) -> list[tuple[str, int]]:
        """Who goes ahead now, and since when the oldest of theirs waits; those with most first."""
        much = [
            (waiting.count, id, waiting)
            for id, waiting in self._waiting.items()
            if waiting.was_held or waiting.count > MUCH
        ]
        much.sort(key=lambda each: each[:2], reverse=True)
        return [
            (id, waiting.since) for _, id, waiting in much[:MOST_AHEAD] if waiting.opens_at <= now
        ]

    def held_people(self, now: int) -> int:
        """How many people wait for the end of their minute or hour."""
        return sum(waiting.opens_at > now for waiting in self._waiting.values())
