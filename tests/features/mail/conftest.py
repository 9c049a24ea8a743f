"""An office whose people write mail to one another."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.features import mail
from tests.features.mail.post import BY_HAND
from tests.features.office import Office, open_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path, [mail.feature]) as opened:
        yield opened


@pytest.fixture
async def slow_office(tmp_path: Path) -> AsyncIterator[Office]:
    """One in which mail is delivered when the test says so."""
    async with open_office(tmp_path, [BY_HAND]) as opened:
        yield opened
