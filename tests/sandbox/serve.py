"""A sandbox in a process of its own, to be killed or to be out of the way: prints its address, then serves.

What differs from the ordinary one is written into a file beforehand (`Told`) and named as the second
argument.
"""

import asyncio
import sys
from pathlib import Path

import msgspec
from aiohttp import web

from server.clock import SystemClock
from server.sandbox.app import sandbox_app
from server.sandbox.config import SandboxConfig, SandboxPerson
from tests.clocks import SharedClock
from tests.sandbox.running import PEOPLE


class Told(msgspec.Struct, frozen=True):
    """What a sandbox of its own process is told."""

    people: tuple[SandboxPerson, ...] = PEOPLE
    clock: str = ""
    """The file of a shared clock; none: the machine's own."""
    token_calls: int = 0
    slow_s: float = 12.0


async def serve(data_dir: Path, told: Told) -> None:
    """Until somebody kills it."""
    config = SandboxConfig(
        data_dir=data_dir,
        people=told.people,
        clock=SharedClock(Path(told.clock)) if told.clock else SystemClock(),
        seed_documents=0,
        token_calls=told.token_calls,
        slow_s=told.slow_s,
    )
    runner = web.AppRunner(sandbox_app(config))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


def main(data_dir: str, told: str = "") -> None:
    """Serve as the command line says."""
    orders = msgspec.json.decode(Path(told).read_bytes(), type=Told) if told else Told()
    asyncio.run(serve(Path(data_dir), orders))


if __name__ == "__main__":
    main(*sys.argv[1:])
