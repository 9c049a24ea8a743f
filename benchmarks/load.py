"""The load client in `client/`: compiled where it is needed, run against one server, read line by line.

A client in Python would be slower than the servers it is to measure. Whoever has no C compiler is told
so; the other benchmarks do not need one.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import CACHE, cores

SOURCES = Path(__file__).parent / "client"
STEP_WITHIN_S = 300

Line = dict[str, Any]
"""What the client counted and used in one step; see `client/steps.c` for the names."""


class NoCompiler(Exception):
    """This machine has no C compiler."""

    def __init__(self) -> None:
        super().__init__(
            "the load client is written in C and there is no `cc` here; "
            "on Debian: apt-get install gcc libc6-dev"
        )


class LoadFailed(Exception):
    """The client gave up; its last words."""


def program() -> Path:
    """The client, compiled from the sources as they are now."""
    sources = sorted(SOURCES.glob("*.[ch]"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    made = CACHE / f"load-{digest[:12]}"
    if not made.exists():
        _compile([source for source in sources if source.suffix == ".c"], made)
    return made


def _compile(sources: Sequence[Path], made: Path) -> None:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise NoCompiler
    made.parent.mkdir(parents=True, exist_ok=True)
    # Beside it and renamed: two who compile at once both get a whole program.
    with tempfile.TemporaryDirectory(dir=made.parent) as folder:
        half = Path(folder) / "load"
        subprocess.run([compiler, "-O2", "-std=gnu11", "-o", half, *sources], check=True)
        half.rename(made)


@contextlib.asynccontextmanager
async def crowd(
    port: int, pid: int, people: int, steps: Sequence[str]
) -> AsyncIterator[AsyncIterator[Line]]:
    """Run the steps against a server, on the last core; a line for each step as it ends."""
    process = await asyncio.create_subprocess_exec(
        program(),
        *map(str, (port, pid, people, *steps)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {cores().client}),
    )
    try:
        async with contextlib.aclosing(_lines(process, len(steps))) as lines:
            yield lines
    finally:
        with contextlib.suppress(ProcessLookupError):
            if process.returncode is None:
                process.kill()
        await process.wait()


async def _lines(process: asyncio.subprocess.Process, count: int) -> AsyncGenerator[Line, None]:
    assert process.stdout is not None
    assert process.stderr is not None
    for _ in range(count):
        try:
            async with asyncio.timeout(STEP_WITHIN_S):
                line = await process.stdout.readline()
        except TimeoutError:
            raise LoadFailed(f"a step did not end within {STEP_WITHIN_S} s") from None
        if not line:
            raise LoadFailed((await process.stderr.read()).decode().strip() or "without a word")
        yield json.loads(line)
    await process.wait()  # It has nothing left to do; killed now, it would be reaped by two.
