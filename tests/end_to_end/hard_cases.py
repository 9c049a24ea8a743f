"""The sandbox's hospital with hard cases in it, and windows onto it: what tests of screens stand on.

A very long name, a text without a gap, a group of 300, a conversation of 3,000 messages, put in before the
server starts.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from server.app import opened_store
from server.clock import SystemClock
from server.directory.seeding import seed_people
from server.features.chat.seeding import Talk, seed_talk
from server.sandbox.hospital import hospital
from server.settings import Settings
from tests.end_to_end.browser import PHONE, REFUSALS, Screen, Window, open_window
from tests.end_to_end.processes import ServerProcess

LONG_NAME = "欧阳" + "青" * 28 + "Maximilian-Alexander" + "子" * 10  # 60 characters
LONG_NAMED, LONELY = "s1500", "s1600"
GAPLESS = "长" * 1_500 + "W" * 1_494 + "👩‍⚕️🙂"
CROWD, ENDLESS = "三百人大群", "三千条消息"
UNREAD = 1_200


def hard_cases() -> list[Talk]:
    crowd = (*(f"s{number:04d}" for number in range(1, 300)), LONG_NAMED)
    writers = ("s0002",) * (3_000 - UNREAD) + ("s0003",) * UNREAD
    endless = tuple(
        (writer, 3_000 - place, f"第{place + 1}条：查房记录")
        for place, writer in enumerate(writers)
    )
    return [
        Talk(
            "group",
            CROWD,
            crowd,
            (
                ("s0002", 90, "请大家看一下新的排班。"),
                (LONG_NAMED, 80, GAPLESS),
                ("s0001", 70, GAPLESS),
                ("s0001", 69, "Please see https://intranet.example/" + "a" * 120),
            ),
        ),
        Talk("direct", "", ("s0001", LONG_NAMED), ((LONG_NAMED, 60, "Hello 您好 🙂" * 40),)),
        Talk("group", ENDLESS, ("s0002", "s0001", "s0003"), endless, unread=UNREAD),
    ]


async def seed(folder: Path) -> None:
    """The sandbox's people with one long name, its conversations, and the hard cases."""
    clock = SystemClock()
    made = hospital()
    people = tuple(
        replace(person, name=LONG_NAME) if person.id == LONG_NAMED else person
        for person in made.people
    )
    talks = [
        Talk(kind=c.kind, title=c.title, people=tuple(c.member_ids), lines=tuple(c.messages))
        for c in made.conversations
    ]
    async with opened_store(Settings(data_dir=folder), clock) as store:
        await seed_people(store, replace(made, people=people), clock)
        await seed_talk(store, clock, [*talks, *hard_cases()])


@dataclass(slots=True)
class House:
    """What the tests of this module share."""

    server: ServerProcess
    browser: Browser
    pictures: Path
    groups: dict[str, str]

    @asynccontextmanager
    async def window(
        self,
        account: str,
        screen: Screen = PHONE,
        forgiven: Sequence[re.Pattern[str]] = (),
        **also: Any,
    ) -> AsyncIterator[Window]:
        """A window in which somebody has signed in, with nothing to complain of at the end."""
        window = await open_window(self.browser, self.server.url, screen, **also)
        try:
            if account:
                await window.come_in(account)
            yield window
            window.forgive(REFUSALS, *forgiven)
            assert window.complaints == []
            assert window.foreign == []
        finally:
            await window.close()
