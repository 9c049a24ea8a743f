"""A ward whose groups WeCom may show, and a server that looks for what to tell many times a second."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.features.chat.mirror import mirrors
from tests.features.chat_mirror.ward import Ward, open_ward


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "LOOK_S", 0.02)


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    async with open_ward(tmp_path) as opened:
        yield opened
