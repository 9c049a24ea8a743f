"""Fixtures of the storage contract: every test that asks for `store` runs once per adapter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.storage import Store
from tests.contracts.storage_adapters import ADAPTERS, NOTES, TALK, OpenStore


@pytest.fixture(params=sorted(ADAPTERS))
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    """How this adapter opens a store in a folder."""
    return ADAPTERS[request.param]


@pytest.fixture
async def store(open_store: OpenStore, tmp_path: Path) -> AsyncIterator[Store]:
    """An open store with the collections `notes` and `talk`, and nothing in them."""
    store = await open_store(tmp_path)
    await store.ensure(NOTES)
    await store.ensure(TALK)
    yield store
    await store.close()
