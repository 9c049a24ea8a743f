"""A server to measure: a process of its own on core 0, asked from the last core, ended with the question."""

import asyncio
import os
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

READY_WITHIN_S = 30
ENDS_WITHIN_S = 20


@dataclass(frozen=True)
class Served:
    """A running server, and a way to ask it over HTTP."""

    port: int
    pid: int
    http: aiohttp.ClientSession


@asynccontextmanager
async def served(folder: Path, **settings: str) -> AsyncIterator[Served]:
    """A server over a data folder, once it is ready; settings by their full names, and any free port."""
    os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})
    port = int(settings.get("YUANXIN_HTTP_PORT", 0)) or _free_port()
    process = _start(folder, port, settings)
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as http:
            await _ready(http, port)
            yield Served(port, process.pid, http)
    finally:
        process.terminate()
        process.wait(ENDS_WITHIN_S)


def _start(folder: Path, port: int, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "server", "run"],
        env={
            **os.environ,
            "YUANXIN_DATA_DIR": str(folder),
            "YUANXIN_HTTP_PORT": str(port),
            "YUANXIN_LOG_LEVEL": "warning",
            **settings,
        },
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {0}),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _ready(http: aiohttp.ClientSession, port: int) -> None:
    async with asyncio.timeout(READY_WITHIN_S):
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)


def processor_s(pid: int) -> float:
    """Seconds of processor a process has used, all its threads; counted in nanoseconds, since ticks are
    not kept well on virtual machines."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def own_processor_s() -> float:
    """Seconds of processor this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_mib(pid: int) -> float:
    """What a process holds in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
