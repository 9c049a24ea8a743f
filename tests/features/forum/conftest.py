"""An office with a board: ann and bob read it, cai moderates it, dan may not see it, eve administers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.auth import Role
from server.features import forum
from tests.features.forum.talk import save_board
from tests.features.office import Client, Office, open_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path, [forum.feature]) as opened:
        opened.roles["eve"] = frozenset({Role.STAFF, Role.SYSTEM_ADMIN})
        yield opened


@pytest.fixture
async def board(eve: Client) -> str:
    """The board of ann and bob that cai moderates."""
    return await save_board(eve)
