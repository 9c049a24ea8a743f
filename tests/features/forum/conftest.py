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
async def ann(office: Office) -> Client:
    return await office.client("ann")


@pytest.fixture
async def bob(office: Office) -> Client:
    return await office.client("bob")


@pytest.fixture
async def cai(office: Office) -> Client:
    return await office.client("cai")


@pytest.fixture
async def dan(office: Office) -> Client:
    return await office.client("dan")


@pytest.fixture
async def eve(office: Office) -> Client:
    return await office.client("eve")


@pytest.fixture
async def board(eve: Client) -> str:
    """The board of ann and bob that cai moderates."""
    return await save_board(eve)
