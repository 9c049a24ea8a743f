"""Commands that lost a race and are run again."""

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from realtime.protocol import Command, Nothing
from server.feature import Feature, allow, staff
from server.features import chat
from server.storage import Conflict
from server.work import UnitOfWork
from tests.features.chat.talk import group, say
from tests.features.office import Refusal, open_office


class AskOutside(Command, frozen=True):
    """Wait for another system."""

    wire_name: ClassVar[str] = "outside.ask"


async def test_who_waits_for_another_system_in_a_second_try_holds_up_nobody_else(
    tmp_path: Path,
) -> None:
    tries, waits, answered = 0, asyncio.Event(), asyncio.Event()

    async def ask(command: AskOutside, work: UnitOfWork) -> Nothing:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Conflict("things", "a race was lost")
        waits.set()
        await answered.wait()
        return Nothing()

    outside = Feature("outside", commands=allow(staff, ask))
    async with open_office(tmp_path, [chat.feature, outside]) as office:
        ann, bob = await office.client("ann"), await office.client("bob")
        talk = await group(ann, "bob")
        for _ in range(4):
            await say(ann, talk)
        asking = asyncio.create_task(ann.ask("outside.ask"))
        await waits.wait()

        async with asyncio.timeout(20):  # Marks that cross: all but one are run again.
            marks = (bob.ask("chat.mark_read", conversation_id=talk, seq=n) for n in (2, 3, 4))
            await asyncio.gather(*marks)

        answered.set()
        await asking


async def test_who_loses_every_race_is_refused_after_three_tries(tmp_path: Path) -> None:
    tries = 0

    async def ask(command: AskOutside, work: UnitOfWork) -> Nothing:
        nonlocal tries
        tries += 1
        raise Conflict("things", "a race was lost")

    outside = Feature("outside", commands=allow(staff, ask))
    async with open_office(tmp_path, [outside]) as office:
        with pytest.raises(Refusal, match="conflict"):
            await office.ask("ann", "outside.ask", {})
    assert tries == 3
