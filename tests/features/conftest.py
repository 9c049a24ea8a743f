"""Features are tested over a store in memory: it is the same store, its disk is tested elsewhere.

A folder that has an `office` has its people with it, each with a page that is open.
"""

import pytest

from tests.features.office import Client, Office
from tests.memory import tmp_path

__all__ = ["tmp_path"]


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
