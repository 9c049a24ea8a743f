"""A scripted WeCom and a clock moved by hand."""

from collections.abc import AsyncIterator

import pytest

from tests.clocks import ManualClock
from tests.integrations.wecom.scripted import Scripted, scripted_wecom


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def wecom(clock: ManualClock) -> AsyncIterator[Scripted]:
    async with scripted_wecom(clock) as scripted:
        yield scripted
