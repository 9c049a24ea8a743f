"""A ward whose people may name deputies."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.features.deputies.ward import Ward, open_ward


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    async with open_ward(tmp_path) as opened:
        yield opened
