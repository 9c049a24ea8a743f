"""One scripted OA and one adapter per module: reading the description takes its time."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from server.integrations.oa.ecology import Ecology
from tests.integrations.oa.scripted import Script, adapter_for


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scripted() -> AsyncIterator[tuple[Script, str, Ecology]]:
    script = Script()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/services/WorkflowService"
    adapter = adapter_for(address)
    await adapter.open()
    yield script, address, adapter
    await adapter.close()
    await runner.cleanup()


@pytest.fixture
def script(scripted: tuple[Script, str, Ecology]) -> Script:
    scripted[0].forget()
    return scripted[0]


@pytest.fixture
def address(scripted: tuple[Script, str, Ecology]) -> str:
    return scripted[1]


@pytest.fixture
def oa(scripted: tuple[Script, str, Ecology]) -> Ecology:
    return scripted[2]
