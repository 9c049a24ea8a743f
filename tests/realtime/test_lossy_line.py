"""Over a line that loses, delays and swaps what it likes, everybody sees what they may see.

What is shown to somebody is never out of order, never twice, and nothing of a time when they were no member.
Nothing is missing from the moment on at which their page, told of coming in, has loaded the conversation.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from realtime.backplane.memory import MemoryBackplane, MemoryLine
from realtime.gaps import Patience
from realtime.publisher import Publication
from realtime.testing import SocketClient
from tests.realtime.ledger import Ledger
from tests.realtime.ward import Ward, eventually, running_ward

TALKS = ("conversation:1", "conversation:2")
HOMES = {"li": 0, "wu": 0, "xu": 1, "he": 1}
STEPS = 60
QUICK = Patience(hold_s=0.005, again_s=0.0, unsound_s=3600, sweep_s=3600, pause_s=0.005)


class LossyBackplane(MemoryBackplane):
    """Loses a third of what is told, and tells the rest whenever it likes; commits stay whole."""

    def __init__(self, line: MemoryLine, chance: random.Random) -> None:
        super().__init__(line)
        self._chance = chance
        self._late: list[Sequence[Publication]] = []

    def broadcast(self, publications: Sequence[Publication]) -> None:
        if self._chance.random() < 0.67:
            self._late.append(tuple(publications))
        self._chance.shuffle(self._late)
        while self._late and self._chance.random() < 0.6:
            super().broadcast(self._late.pop())

    def lose_the_rest(self) -> None:
        self._late.clear()


class Page:
    """What somebody's screen holds: what it loaded when told of coming in, and what it was shown since."""

    def __init__(self, client: SocketClient, ledger: Ledger) -> None:
        self._client = client
        self._ledger = ledger
        self._applied = 0
        self.shown: dict[str, list[int]] = {talk: [] for talk in TALKS}
        self.loaded = dict.fromkeys(TALKS, 0)

    def apply(self) -> None:
        for name, event in self._client.events[self._applied :]:
            self._applied += 1
            if name == "chat.changed":
                self.loaded[event["key"]] = self._ledger.ends_of(event["key"])
            else:
                self.shown[event["channel"]].append(event["position"])


class Course:
    """People on two nodes who talk, come and go, and what each of them may be shown."""

    def __init__(self, ledger: Ledger, wards: list[Ward], chance: random.Random) -> None:
        self.ledger, self.wards, self._chance = ledger, wards, chance
        self.members = {talk: set(HOMES) for talk in TALKS}
        self.pages: dict[str, Page] = {}
        self.allowed: dict[tuple[str, str], list[int]] = {
            (person_id, talk): [] for person_id in HOMES for talk in TALKS
        }

    async def connect(self) -> None:
        for person_id, home in HOMES.items():
            self.wards[home].application.channels[person_id] = list(TALKS)
            client = await self.wards[home].connect(person_id)
            self.pages[person_id] = Page(client, self.ledger)

    def step(self) -> None:
        """Somebody says something; perhaps somebody comes or goes; by way of either node."""
        talk = self._chance.choice(TALKS)
        self._tell(talk, [self.ledger.store(talk)], self.members[talk])
        if self._chance.random() < 0.4:
            person_id = self._chance.choice(list(HOMES))
            how = "leaves" if person_id in self.members[talk] else "joins"
            told = self.ledger.change(talk, **{how: (person_id,)})
            self._tell(talk, told, self.members[talk] | {person_id})
            self.members[talk] ^= {person_id}

    def _tell(self, talk: str, told: Sequence[Publication], hearers: set[str]) -> None:
        self._chance.choice(self.wards).hub.publish(told)
        for person_id in hearers:
            self.allowed[person_id, talk].append(self.ledger.ends_of(talk))

    def is_whole(self) -> bool:
        """Whether every page holds everything of the conversations its person is in."""
        for page in self.pages.values():
            page.apply()
        return all(
            self.pages[person_id].shown[talk][-1:] == [end]
            or self.pages[person_id].loaded[talk] == end
            for talk in TALKS
            for person_id in self.members[talk]
            for end in [self.ledger.ends_of(talk)]
        )

    def check(self) -> None:
        for (person_id, talk), allowed in self.allowed.items():
            page = self.pages[person_id]
            shown = page.shown[talk]
            assert shown == sorted(set(shown)), "out of order, or twice"
            assert set(shown) <= set(allowed), "shown without a right"
            if person_id in self.members[talk]:
                needed = [at for at in allowed if at > max(page.loaded[talk], 0)]
                assert set(needed) <= set(shown), "missing"


@asynccontextmanager
async def running_course(seed: int) -> AsyncIterator[tuple[Course, list[LossyBackplane]]]:
    chance, line = random.Random(seed), MemoryLine()
    ledger = Ledger({talk: tuple(HOMES) for talk in TALKS})
    plugs = [LossyBackplane(line, chance) for _ in range(2)]
    async with AsyncExitStack() as stack:
        wards = [
            await stack.enter_async_context(
                running_ward(backplane=plug, history=ledger, patience=QUICK)
            )
            for plug in plugs
        ]
        course = Course(ledger, wards, chance)
        await course.connect()
        yield course, plugs


SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(6, 400))]


SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(6, 400))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_everybody_is_shown_what_they_may_see_in_order_and_once(seed: int) -> None:
    pauses = random.Random(-seed)
    async with running_course(seed) as (course, plugs):
        for _ in range(STEPS):
            course.step()
            course.is_whole()
            if pauses.random() < 0.3:
                await asyncio.sleep(pauses.random() * 0.01)
        for plug, ward in zip(plugs, course.wards, strict=True):
            plug.lose_the_rest()
            ward.hub.missed_some()
        await eventually(course.is_whole, 20.0)
        course.check()
