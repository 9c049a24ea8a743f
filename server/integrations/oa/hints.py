"""For whom something changed, by the OA's webhook, and who is not read yet.

Each person stands here once, however often he was hinted at. Whoever has a page on screen goes first, then
whoever was hinted at last: in a flood the newest news is the one somebody looks for. Those who wait longest
are read in their ordinary turn at the latest, so nobody is forgotten.

OAs tell of a change and only then commit it: a reading that found nothing new is followed by a count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.integrations.oa.reading import CONFIRM_S, Depth

AGAIN_S: Final = 3.0
OTHERS_S: Final = 3.0
"""Time for a node that has the person on screen to read first, where several nodes hear of a hint."""
TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Hint:
    """Read this person, not before `due`."""

    due: float
    depth: Depth = "first_page"
    tries: int = 1


class Hints:
    """The hints that are to be acted on, newest last."""

    def __init__(self) -> None:
        self._waiting: dict[str, Hint] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, person_id: str) -> bool:
        return person_id in self._waiting

    def add(self, person_id: str, hint: Hint) -> None:
        """As the newest one; the former hint at the same person is part of it."""
        self._waiting.pop(person_id, None)
        self._waiting[person_id] = hint

    def drop(self, person_id: str) -> None:
        self._waiting.pop(person_id, None)

    def take(self, now: float, urgency: Callable[[str], int | None]) -> tuple[str, Hint] | None:
        """Whom to read now: of the least urgency number the newest; None as a number is not now."""
        best: tuple[int, str] | None = None
        for person_id in reversed(self._waiting):
            if self._waiting[person_id].due > now:
                continue
            number = urgency(person_id)
            if number is not None and (best is None or number < best[0]):
                best = number, person_id
                if number == 0:
                    break
        return None if best is None else (best[1], self._waiting.pop(best[1]))

    def next_due(self, now: float) -> float:
        """Seconds until another hint is due; 1 at most."""
        return min((max(0.01, hint.due - now) for hint in self._waiting.values()), default=1.0)


def after_nothing(hint: Hint, now: float) -> Hint | None:
    """What follows a reading that found nothing new: one count, in case the OA told too early."""
    return Hint(now + AGAIN_S, "count", hint.tries + 1) if hint.tries == 1 else None


def after_doubt(hint: Hint, now: float) -> Hint | None:
    """What follows a zero that is not believed yet."""
    return Hint(now + CONFIRM_S, hint.depth, hint.tries + 1) if hint.tries < TRIES else None
