"""The hub is tested on the loop it serves on; what leans on a loop's own ways, on both there are."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

ON_BOTH = ("test_front", "test_protocol")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    served: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop}
    return served | {"asyncio": asyncio.new_event_loop} if item.path.stem in ON_BOTH else served
