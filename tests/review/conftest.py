"""An office whose people chat, for questions a reviewer asked."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.features import chat
from tests.features.office import Client, Office, open_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path, [chat.feature]) as opened:
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
