"""Asking a writer in a process of its own for acks, and killing it while it writes."""

import asyncio
import os
import sys
from pathlib import Path

from server.storage import Doc, Store

ROOT = Path(__file__).parents[2]


async def write_until_killed(turn: int, acks: int, *where: str) -> list[tuple[str, int, str]]:
    """Every ack that a writer told before it was killed, at least so many."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests/storage/dying_writer.py"),
        *(str(turn), *where),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(acks)]
    process.kill()
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    whole = [line.decode().split() for line in lines if line.endswith(b"\n")]
    return [(stream, int(seq), id) for stream, seq, id in whole]


async def everything(store: Store, coll: str) -> dict[str, Doc]:
    docs: dict[str, Doc] = {}
    after: str | None = None
    while page := await store.scan(coll, after, limit=2_000):
        docs |= {doc["_id"]: doc for doc in page}
        after = page[-1]["_id"]
    return docs
