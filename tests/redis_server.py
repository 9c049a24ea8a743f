"""A Redis of the tests' own: a real `redis-server` on a free port, which may be killed and started again."""

import asyncio
import socket
import subprocess
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError


class RedisServer:
    """`redis-server` in a folder, keeping nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def launch(self) -> None:
        """Start it without waiting for it."""
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "no",
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        with (self._folder / "redis.log").open("ab") as log:
            # It ends with us, also when a run of tests is killed.
            command = ["setpriv", "--pdeathsig", "KILL", "redis-server", *arguments]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    async def start(self) -> None:
        """Start it and wait until it answers."""
        self.launch()
        await self.answers()

    async def answers(self) -> None:
        """Wait until it answers."""
        async with asyncio.timeout(20), Redis.from_url(self.url) as redis:
            while True:
                try:
                    await redis.ping()
                    return
                except (RedisError, OSError):
                    await asyncio.sleep(0.01)

    def kill(self) -> None:
        """End it as a power cut would; it does not matter whether it still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
