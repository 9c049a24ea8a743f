"""One running server per module; every test finds its rate limits as if nobody had asked before, and
leaves no sockets: one person may hold 64."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.server.house import House, open_house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_all_day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder: Path = tmp_path_factory.mktemp("house")
    async with open_house(folder) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def house(open_all_day: House) -> AsyncIterator[House]:
    open_all_day.clock.advance(60)
    yield open_all_day
    await open_all_day.hang_up()
