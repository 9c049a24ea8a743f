"""`run --workers N`: a parent that keeps N serving processes at one port.

Each worker is a node of its own, as if it ran on another machine: they meet in the store and in Redis, and
the kernel shares connections out among them (SO_REUSEPORT). The parent serves nothing. It starts a worker
that died again, the later the oftener, and passes on what it is told: on SIGTERM all of them leave, and
what has not left in time is killed.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final

from server.settings import BadSetting, Settings

log = logging.getLogger(__name__)

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
STEADY_S: Final = 60.0
"""A worker that lived so long is started again without delay."""
LEAVES_WITHIN_S: Final = 25.0
"""Beside the time of draining."""
ORPHANED_S: Final = 1.0


def check(count: int, settings: Settings, *, sandbox: bool) -> None:
    """Raises BadSetting when there cannot be several workers."""
    if count < 1:
        raise BadSetting("--workers must be 1 or more")
    if count == 1:
        return
    if not settings.storage_url.startswith("mongodb"):
        raise BadSetting(
            "several workers need a store that several processes may own: "
            "set YUANXIN_STORAGE_URL to a MongoDB replica set, or run one worker"
        )
    if not settings.redis_url:
        raise BadSetting("several workers need a Redis between them: set YUANXIN_REDIS_URL")
    if settings.http_port == 0:
        raise BadSetting("several workers need one port to share: set YUANXIN_HTTP_PORT")
    if sandbox:
        raise BadSetting(
            "--sandbox serves one process; run the stand-ins beside the workers with "
            "`python -m server sandbox`"
        )


class Worker:
    """One serving process, started again when it dies."""

    def __init__(self, number: int, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.number = number
        self._command = command
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._wait_s = FIRST_WAIT_S

    async def run(self, leaving: asyncio.Event) -> None:
        """Until it was told to leave and has left."""
        while not leaving.is_set():
            began = time.monotonic()
            try:
                status: object = await self._live(leaving)
            except OSError as fault:
                # No memory or no processes left: the others serve on meanwhile.
                status = str(fault)
            if leaving.is_set():
                return
            lived_s = time.monotonic() - began
            wait_s = self._next_wait(lived_s)
            log.error(
                "a worker ended; it is started again",
                extra={"worker": self.number, "status": status, "in_s": wait_s},
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await leaving.wait()

    async def _live(self, leaving: asyncio.Event) -> int:
        """Start it and wait for its end; its status. Raises OSError when it cannot be started."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command, env=dict(self._environment)
        )
        if leaving.is_set():
            self.send(signal.SIGTERM)
        status = await self._process.wait()
        self._process = None
        return status

    def _next_wait(self, lived_s: float) -> float:
        if lived_s >= STEADY_S:
            self._wait_s = FIRST_WAIT_S
            return 0.0
        wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, LONGEST_WAIT_S)
        return wait_s

    def send(self, number: signal.Signals) -> None:
        """Pass a signal on, if it lives."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


async def orphaned(parent: int) -> None:
    """Return when the parent, as it called itself, has died: a worker whom nobody looks after leaves too,
    also one that was still starting then."""
    while os.getppid() == parent:  # noqa: ASYNC110  (nothing tells of it)
        await asyncio.sleep(ORPHANED_S)


async def supervise(count: int, settings: Settings, leaving: asyncio.Event) -> None:
    """Keep so many workers until `leaving`, then see them off."""
    command = [sys.executable, "-m", "server", "run", "--parent", str(os.getpid()), "--worker"]
    workers = [Worker(n, [*command, str(n)], os.environ) for n in range(count)]
    tasks = [asyncio.create_task(worker.run(leaving)) for worker in workers]
    stopping = asyncio.create_task(leaving.wait())
    try:
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        await _see_off(workers, tasks, settings.drain_seconds + LEAVES_WITHIN_S)
    finally:
        leaving.set()
        for worker in workers:
            worker.send(signal.SIGKILL)
        await asyncio.gather(stopping, *tasks)


async def _see_off(
    workers: Sequence[Worker], tasks: Sequence["asyncio.Task[None]"], within_s: float
) -> None:
    for worker in workers:
        worker.send(signal.SIGTERM)
    _, late = await asyncio.wait(tasks, timeout=within_s)
    if late:
        log.error("workers did not leave in time and are killed", extra={"workers": len(late)})
