"""The lobby, opened for one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.features.host.lobby import Lobby, open_lobby


@pytest.fixture
async def lobby(tmp_path: Path) -> AsyncIterator[Lobby]:
    async with open_lobby(tmp_path) as opened:
        yield opened
