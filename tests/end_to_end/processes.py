"""The server and the stand-ins as processes of their own, to be killed and started again.

Each is the fork of one that has imported the server and done nothing yet: an import takes more of the
processor than all else at a start, and the tests start some fifty. `python -m server` itself is started
in `tests/server/test_process.py`, and by `--workers` in `test_nodes.py`.
"""

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from server.__main__ import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["server.app", "server.sandboxed", "uvloop", __name__])
ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 45.0
STOP_WITHIN_S = 60.0


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def become_server(arguments: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
    """What `python -m server <arguments>` is from its first line on."""
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(main(list(arguments)))


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
        self._process: multiprocessing.process.BaseProcess | None = None
        self._log = folder.parent / f"{folder.name}-{self.port}.log"

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
        told = {**kept, **own, **self.settings}
        self._process = FORKS.Process(
            target=become_server, args=(self._arguments, told, self._log), daemon=True
        )
        self._process.start()

    async def _wait(self, address: str) -> None:
        async with aiohttp.ClientSession() as http, asyncio.timeout(START_WITHIN_S):
            while True:
                assert self._process is not None
                if not self._process.is_alive():
                    raise RuntimeError(f"the server ended at the start: {self.log()[-2000:]}")
                try:
                    async with http.get(address) as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.join()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stopped in the middle of whatever it does, its connections open."""
        assert self._process is not None
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    async def stop(self) -> int | None:
        """Ask it to end, as an operator does; its exit status."""
        assert self._process is not None
        self._process.terminate()
        await asyncio.to_thread(self._process.join, STOP_WITHIN_S)
        return self._process.exitcode

    def close(self) -> None:
        """Whatever happened, leave nothing running."""
        if self.is_running:
            self.kill()
