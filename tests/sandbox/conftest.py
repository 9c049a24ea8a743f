"""A sandbox whose time the test moves by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clocks import ManualClock
from tests.sandbox.running import RunningSandbox, running_sandbox


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def sandbox(tmp_path: Path, clock: ManualClock) -> AsyncIterator[RunningSandbox]:
    async with running_sandbox(tmp_path, clock) as running:
        yield running
