"""The reception, opened for one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.features.account.reception import Reception, open_reception


@pytest.fixture
async def reception(tmp_path: Path) -> AsyncIterator[Reception]:
    async with open_reception(tmp_path) as opened:
        yield opened
