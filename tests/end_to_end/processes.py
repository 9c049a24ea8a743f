"""The server and the stand-ins as processes of their own, to be killed and started again."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 45.0
STOP_WITHIN_S = 60.0


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """`python -m server <arguments>` with a folder and ports of its own."""

    def __init__(
        self, folder: Path, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self._arguments = arguments
        self.settings = dict(settings or {})
        """Told at the next start."""
        self._process: subprocess.Popen[bytes] | None = None
        self._log = (folder.parent / f"{folder.name}-{self.port}.log").open("ab")

    async def start(self, ready: str | None = None) -> None:
        """Start it and wait until `ready` (its /readyz if not given) answers 200."""
        self._spawn()
        await self._wait(ready or f"{self.url}/readyz")

    def _spawn(self) -> None:
        own = {
            "YUANXIN_DATA_DIR": str(self.folder),
            "YUANXIN_HTTP_PORT": str(self.port),
            "YUANXIN_SANDBOX_PORT": str(self.sandbox_port),
            "YUANXIN_PUBLIC_URL": self.url,
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith("YUANXIN_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "server", *self._arguments],
            cwd=ROOT,
            env={**kept, **own, **self.settings},
            stdout=self._log,
            stderr=self._log,
        )

    async def _wait(self, address: str) -> None:
        async with aiohttp.ClientSession() as http, asyncio.timeout(START_WITHIN_S):
            while True:
                assert self._process is not None
                if self._process.poll() is not None:
                    raise RuntimeError(f"the server ended at the start: {self.log()[-2000:]}")
                try:
                    async with http.get(address) as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    def log(self) -> str:
        """What it has printed."""
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    async def stop(self) -> int:
        """Ask it to end, as an operator does; its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, STOP_WITHIN_S)

    def close(self) -> None:
        """Whatever happened, leave nothing running."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._log.close()
