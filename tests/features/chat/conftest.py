"""An office whose people chat."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.features import chat
from tests.features.office import Office, open_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path, [chat.feature]) as opened:
        yield opened
