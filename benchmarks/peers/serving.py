"""A peer that serves: a process of its own on the first core, gone when the question is answered."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import IO

from benchmarks.machine import cores, free_port
from benchmarks.peers import Peer

READY_WITHIN_S = 30


class NotServing(Exception):
    """A peer did not come up; its last words."""


@dataclass(frozen=True)
class Serving:
    """Where a peer serves; `end` kills it."""

    port: int
    pid: int
    end: Callable[[], None]


@contextlib.asynccontextmanager
async def serving(peer: Peer, *more: str) -> AsyncIterator[Serving]:
    """The peer, once it accepts connections, told `more`. It keeps nothing, so it is killed in the end."""
    port = free_port()
    with tempfile.TemporaryFile() as words:
        process = await asyncio.create_subprocess_exec(
            *peer.command(port),
            *more,
            stdout=words,
            stderr=words,
            preexec_fn=lambda: os.sched_setaffinity(0, {cores().server}),
        )
        try:
            await _accepting(process, port, words)
            yield Serving(port, process.pid, process.kill)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _accepting(process: asyncio.subprocess.Process, port: int, words: IO[bytes]) -> None:
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                return
    except TimeoutError:
        pass
    words.seek(0)
    raise NotServing(words.read()[-500:].decode(errors="replace").strip() or "without a word")
