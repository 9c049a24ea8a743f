"""How often each person is read, and how deeply: the arithmetic of `poller.py`.

What a budget of B calls/s allows. A reading is one count; looking at the documents is one page more.
Visible people (V of them) are looked at in every reading while that takes at most 70 % of B, which is V ≤
0.35 · B · poll_s (21 people at B = 20 and 3 s); beyond, every k-th reading, k up to 20, so that one done
and one arrived is seen within k · poll_s. From V = B · poll_s on the period grows to V / B seconds.
Everybody else waits N / (B - calls for visible people), at most N / (B / 20): one call in twenty is
theirs. Of them every third reading looks at the documents, if any wait. Every person's whole list is read
again every `WHOLE_S`, or at every fourth reading where these are rare, which heals what moved between two
pages.

While the webhook is relied on (`is_rare`) visible people, and the rest, are read so rarely that each take
a tenth of B, but nobody waits longer than `FLOOR_S` nor is read more often than every `RARELY_S`: 1,600
open pages cost two calls a second, and two for each change. When it falls silent, or something is found
that it did not tell, all are read at the old pace from the next second on.
"""

import math
import zlib
from collections.abc import Callable, Collection, Sized
from typing import Final

from server.clock import Clock
from server.integrations.oa.book import Person
from server.integrations.oa.budget import Budget
from server.integrations.oa.reading import Depth

WHOLE_S: Final = 300.0
REST_LOOKS_EVERY: Final = 3
MOST_RARELY_LOOKED: Final = 20
VISIBLE_BACK_OFF_S: Final = 5.0
REST_BACK_OFF_S: Final = 300.0

SHARE_OF_RARE: Final = 0.1
"""The part of the calls by which visible people, and by which the rest, are read while the webhook tells."""
RARELY_S: Final = 60.0
FLOOR_S: Final = 900.0


class Pace:
    """`on_screen` and `people` are the poller's own. `is_rare` while the webhook is relied on."""

    def __init__(
        self,
        clock: Clock,
        budget: Budget,
        on_screen: Collection[str],
        people: Sized,
        poll_s: float,
        rest_s: float,
        chance: Callable[[], float],
    ) -> None:
        self.is_rare = False
        self._clock, self._budget = clock, budget
        self._on_screen, self._people = on_screen, people
        self._poll_s, self._rest_s, self._chance = poll_s, rest_s, chance

    @property
    def on_appearing_s(self) -> float:
        """How old a reading may be when a person's page comes on screen."""
        return RARELY_S if self.is_rare else self._poll_s

    def period(self, person: Person) -> float:
        """Seconds between two readings of a person. Who is not known for sure is never read rarely."""
        period_s = self._poll_s if person.is_visible else self._rest_s
        if not self.is_rare or person.seen is None or person.doubted_at is not None:
            return period_s
        among = len(self._on_screen) if person.is_visible else len(self._people)
        rarely_s = among / (SHARE_OF_RARE * self._budget.calls_per_second)
        return max(period_s, min(FLOOR_S, max(RARELY_S, rarely_s)))

    def depth(self, person: Person) -> Depth:
        """What the next reading in turn looks at."""
        # Not all at once: people whom a start has read together would double their round together.
        apart = zlib.crc32(person.person_id.encode())
        whole_s = max(WHOLE_S, 4 * self.period(person)) * (0.7 + 0.3 * (apart % 100) / 100)
        if self._clock.monotonic() >= person.whole_at + whole_s:
            return "whole"
        every = self._looks_every() if person.is_visible else REST_LOOKS_EVERY
        return "first_page" if (person.readings + apart) % every == 0 else "count"

    def _looks_every(self) -> int:
        """Every how many readings of a visible person the documents are looked at."""
        visible = len(self._on_screen)
        spare = 0.7 * self._budget.calls_per_second * self._poll_s - visible
        every = math.ceil(visible / spare) if spare > 0 else MOST_RARELY_LOOKED
        return max(1, min(MOST_RARELY_LOOKED, every))

    def back_off(self, person: Person) -> float:
        """Seconds until a person is tried again with whom there was trouble."""
        person.failures += 1
        cap_s = VISIBLE_BACK_OFF_S if person.is_visible else REST_BACK_OFF_S
        wait_s: float = min(cap_s, self.period(person) * 2 ** min(person.failures, 10))
        return wait_s * (0.5 + self._chance() / 2)
