"""A sandbox in a process of its own, to be killed: prints its address, then serves."""

import asyncio
import sys
from pathlib import Path

from aiohttp import web

from server.sandbox.app import sandbox_app
from server.sandbox.config import SandboxConfig
from tests.sandbox.running import PEOPLE


async def serve(data_dir: Path) -> None:
    """Until somebody kills it."""
    runner = web.AppRunner(sandbox_app(SandboxConfig(data_dir=data_dir, people=PEOPLE)))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
