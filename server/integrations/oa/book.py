"""Who is known, and what the OA was last seen to hold for each: the mirror's memory.

`check` reads one person and, if that is news, has it stored before it is known here. Readings of
one person may overlap (a poll, and somebody opening his list); the one begun later wins, and
changes are told one at a time per person.
"""

import asyncio
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from server.clock import Clock, Millis
from server.integrations.oa import OA, OAError
from server.integrations.oa.budget import Lane
from server.integrations.oa.mirror import Outdated, Seen, WorklistSink
from server.integrations.oa.reading import Depth, PendingReader, ZeroDoubted, changes


@dataclass(slots=True)
class Person:
    """What is known of one person. Moments are of the monotonic clock; the plan is the poller's."""

    person_id: str
    oa_user: str
    due: float
    loaded: bool = False
    seen: Seen | None = None
    counted_at: float = -math.inf
    verified_at: float = -math.inf
    whole_at: float = -math.inf
    doubted_at: float | None = None
    latest: int = 0
    readings: int = 0
    failures: int = 0
    is_visible: bool = False
    reading: asyncio.Task[float] | None = None
    applying: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def lane(self) -> Lane:
        """Whose turn it is among."""
        return Lane.VISIBLE if self.is_visible else Lane.REST


class Book:
    """The people with an OA account, by person id."""

    def __init__(
        self, oa: OA, sink: WorklistSink, clock: Clock, *, is_shared: bool = False
    ) -> None:
        self._is_shared = is_shared
        self.people: dict[str, Person] = {}
        self.trouble = ""
        self.answered_at: Millis | None = None
        self._sink = sink
        self._clock = clock
        self._reader = PendingReader(oa, clock)
        self._numbers = itertools.count(1)

    def take(self, mapping: Mapping[str, str]) -> list[Person]:
        """Follow the directory's mapping; returns the people that are new.

        Whoever got another OA user starts over: what the former one had is no base for news.
        """
        for person_id in [one for one in self.people if one not in mapping]:
            del self.people[person_id]
        new = []
        for person_id, oa_user in mapping.items():
            known = self.people.get(person_id)
            if known is not None and known.oa_user == oa_user:
                continue
            person = Person(person_id, oa_user, 0.0, loaded=known is not None)
            self.people[person_id] = person
            new.append(person)
        return new

    async def load(self, person: Person) -> None:
        """Bring back what was kept: once, or every time where other nodes tell changes too."""
        if not person.loaded:
            kept = await self._sink.load(person.person_id)
            if not person.loaded:
                # What nobody has kept so far another node may keep in the next moment.
                person.loaded, person.seen = kept is not None or not self._is_shared, kept
        elif self._is_shared and person.seen is not None:
            async with person.applying:
                kept = await self._sink.load(person.person_id)
                # Of two that say the same, ours may be the later one: what is no news is not kept.
                if kept is not None and not kept.says_the_same(person.seen):
                    person.seen = kept

    async def check(self, person: Person, depth: Depth, lane: Lane) -> bool:
        """Read a person's pending documents; whether that was news. Raises `OAError`, or what the sink
        raises."""
        try:
            return await self._check(person, depth, lane)
        except Outdated:
            return await self._check(person, depth, lane)

    async def _check(self, person: Person, depth: Depth, lane: Lane) -> bool:
        await self.load(person)
        number, started = next(self._numbers), self._clock.monotonic()
        try:
            read = await self._reader.read(
                person.oa_user, person.seen, person.doubted_at, depth, lane
            )
        except ZeroDoubted:
            if person.doubted_at is None:
                person.doubted_at = started
            self.heard()
            raise
        except OAError as failed:
            self.trouble = failed.sentence
            raise
        self.heard()
        async with person.applying:
            if person.latest > number:
                return False
            is_news = await self._tell(person, read.seen)
            person.latest = number
            person.loaded, person.seen = True, read.seen
            person.doubted_at = None
            person.counted_at = started
            if read.verified:
                person.verified_at = started
            if read.is_whole:
                person.whole_at = started
        return is_news

    async def acted(self, person: Person, request_id: str) -> None:
        """Take a document off a person's list: the OA said so itself. Readings under way are of before."""
        try:
            await self._acted(person, request_id)
        except Outdated:
            await self._acted(person, request_id)

    async def _acted(self, person: Person, request_id: str) -> None:
        await self.load(person)
        async with person.applying:
            seen = person.seen
            if seen is None or request_id not in seen.request_ids:
                return
            items = tuple(item for item in seen.items if item.request_id != request_id)
            left = replace(
                seen, items=items, count=max(len(items), seen.count - 1), as_of=self._clock.now()
            )
            await self._tell(person, left)
            person.latest = next(self._numbers)
            person.seen = left

    async def _tell(self, person: Person, seen: Seen) -> bool:
        before = person.seen
        if before is not None and seen.says_the_same(before):
            return False
        arrived, gone = changes(before, seen)
        await self._sink.changed(person.person_id, before, seen, arrived, gone)
        return True

    def heard(self) -> None:
        """The OA answered something."""
        self.trouble = ""
        self.answered_at = self._clock.now()
