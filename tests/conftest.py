"""What every test gets: reproducible hypothesis runs, no skip that nobody decided on, and a Redis."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import certifi
import pytest
from hypothesis import settings

from tests.redis_server import RedisServer

KNOWN_SKIPS = ("needs a MongoDB replica set", "needs a C compiler")
"""Reasons a test may give for not running where CI checks; any other skip there is a failure."""

AUTHORITY = str(Path(__file__).parent / "data" / "authority.pem")
"""The one authority that is believed here. Nobody whom a test talks to is vouched for by those of the
world, and reading all of them takes every server that is opened a tenth of a second."""

certifi.where = lambda: AUTHORITY
os.environ["SSL_CERT_FILE"] = AUTHORITY

settings.register_profile("yuanxin", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("yuanxin")


LONG = (
    "test_screens test_dashboard test_documents test_notices test_deputies test_forum test_kills "
    "test_nodes test_wecom test_starting"
).split()
"""Modules that take a minute or so, the longest first."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where workers share the modules, begin with what takes longest: whoever takes a long one at the
    end is waited for by the others."""

    def turn(item: pytest.Item) -> tuple[bool, int]:
        is_short = item.path.parent.name != "end_to_end"
        return is_short, LONG.index(name) if (name := item.path.stem) in LONG else len(LONG)

    if hasattr(config, "workerinput"):
        items.sort(key=turn)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Under CI, turn a skip into a failure: a check that did not run has proved nothing."""
    report = yield
    if report.skipped and "CI" in os.environ and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if not reason.startswith(KNOWN_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped under CI: {reason}"
    return report


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis for everybody who does not kill it; use a name or a database of one's own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.launch()
    asyncio.run(server.answers())
    yield server
    server.kill()


@pytest.fixture
async def own_redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A Redis that may be killed."""
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    server.kill()
