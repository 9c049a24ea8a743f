"""A ward over a real store; WeCom in memory unless a test brings the stand-in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.integrations.wecom.memory import MemoryWeCom
from server.storage import Store
from server.storage.sqlite import SqliteStore
from tests.clocks import ManualClock
from tests.memory import tmp_path
from tests.notify.ward import Ward

__all__ = ["tmp_path"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    store = SqliteStore(tmp_path / "hospital.db", clock=clock)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def phones() -> MemoryWeCom:
    return MemoryWeCom(unknown={"nobody"})


@pytest.fixture
async def ward(store: Store, phones: MemoryWeCom, clock: ManualClock) -> Ward:
    return await Ward.opened(store, phones, clock)
