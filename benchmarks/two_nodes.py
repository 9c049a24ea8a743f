"""How late does an event reach somebody on another node, and what does the way over Redis cost?

    python -m benchmarks.two_nodes [--rate 2000] [--seconds 5] [--pairs 100] [--rounds 3]

Two bare hubs and a Redis, each a process of its own. Somebody on the first node sends to somebody on the
second, at a fixed rate; lateness is from the sender's write to the receiver's read, both in this process.
Each round is followed by the same between two people of the first node, which shows what of it is the way.
"""

import argparse
import asyncio
import contextlib
import itertools
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import msgspec
import uvloop

from benchmarks.raw_socket import RawSocket
from benchmarks.server_process import processor_s

READY_WITHIN_S = 20.0
TICK_S = 0.001


@dataclass(frozen=True)
class Round:
    """One round's figures; times in milliseconds, processor use in cores."""

    way: str
    told_per_s: float
    lost: int
    p50_ms: float
    p99_ms: float
    sender_cores: float
    receiver_cores: float
    redis_cores: float


class Crowd:
    """Pairs of people, and how late each event came."""

    def __init__(self) -> None:
        self.lateness: list[float] = []

    async def connect(self, port: int, people: Sequence[str]) -> list[RawSocket]:
        return [await self._connected(port, person_id) for person_id in people]

    async def _connected(self, port: int, person_id: str) -> RawSocket:
        loop = asyncio.get_running_loop()
        _, opened = await loop.create_connection(
            lambda: RawSocket(port, person_id, self._heard, lambda *_: None), "127.0.0.1", port
        )
        await asyncio.wait_for(opened.connected, READY_WITHIN_S)
        return opened

    def _heard(self, to: RawSocket, event: bytes) -> None:
        _, body = msgspec.json.decode(event)
        self.lateness.append(time.perf_counter() - body["at"])

    async def send(
        self, pairs: Sequence[tuple[RawSocket, str]], rate: float, seconds: float
    ) -> int:
        """Send at a rate, whatever the answers do; how many were sent."""
        turns = itertools.cycle(pairs)
        began_at, sent = time.perf_counter(), 0
        while (now := time.perf_counter() - began_at) < seconds:
            for _ in range(int(now * rate) - sent):
                sender, to = next(turns)
                sender.send("pm", {"to": to, "at": time.perf_counter(), "text": "x" * 100})
                sent += 1
            await asyncio.sleep(TICK_S)
        return sent


async def measure(
    crowd: Crowd,
    pairs: Sequence[tuple[RawSocket, str]],
    processes: Sequence[int],
    options: argparse.Namespace,
    way: str,
) -> Round:
    await crowd.send(pairs, options.rate, 0.5)
    await quiet(crowd)
    crowd.lateness.clear()
    used = [processor_s(pid) for pid in processes]
    began_at = time.perf_counter()
    sent = await crowd.send(pairs, options.rate, options.seconds)
    took_s = time.perf_counter() - began_at
    await quiet(crowd)
    cores = [(processor_s(pid) - u) / took_s for pid, u in zip(processes, used, strict=True)]
    late = sorted(second * 1000 for second in crowd.lateness)
    p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
    return Round(way, len(late) / took_s, sent - len(late), p50, p99, *cores)


async def quiet(crowd: Crowd) -> None:
    """Wait until nothing more comes."""
    before = -1
    while len(crowd.lateness) > before:
        before = len(crowd.lateness)
        await asyncio.sleep(0.2)


def launched(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


@contextlib.asynccontextmanager
async def started(*command: str, port: int) -> AsyncIterator[int]:
    """A process that listens on a port; its id."""
    process = launched(command)
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while not await listens(port):
                await asyncio.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait(READY_WITHIN_S)


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


async def ask(options: argparse.Namespace) -> list[Round]:
    redis_port, first_port, second_port = free_ports(3)
    hub = (sys.executable, "-m", "benchmarks.hub_server", "--host", "127.0.0.1")
    link = ("--redis", f"redis://127.0.0.1:{redis_port}/0")
    with tempfile.TemporaryDirectory() as folder:
        keep_nothing = ("--port", str(redis_port), "--dir", folder, "--save", "")
        async with (
            started("redis-server", *keep_nothing, port=redis_port) as redis,
            started(*hub, "--port", str(first_port), *link, port=first_port) as first,
            started(*hub, "--port", str(second_port), *link, port=second_port) as second,
        ):
            crowd = Crowd()
            senders = await crowd.connect(first_port, [f"a{n}" for n in range(options.pairs)])
            near = await crowd.connect(first_port, [f"b{n}" for n in range(options.pairs)])
            far = await crowd.connect(second_port, [f"c{n}" for n in range(options.pairs)])
            rounds = []
            for _ in range(options.rounds):
                for way, to in (("other node", "c"), ("same node", "b")):
                    pairs = [(sender, f"{to}{n}") for n, sender in enumerate(senders)]
                    rounds.append(await measure(crowd, pairs, (first, second, redis), options, way))
                    show(rounds[-1])
            for opened in (*senders, *near, *far):
                opened.close()
            return rounds


def show(figures: Round) -> None:
    print(
        f"  {figures.way}: {figures.told_per_s:,.0f}/s, lost {figures.lost}, "
        f"p50 {figures.p50_ms:.2f} ms, p99 {figures.p99_ms:.2f} ms; cores: first node "
        f"{figures.sender_cores:.2f}, second {figures.receiver_cores:.2f}, "
        f"Redis {figures.redis_cores:.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=2_000.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rounds = uvloop.run(ask(options))
    for way in ("other node", "same node"):
        own = [figures for figures in rounds if figures.way == way]
        print(
            f"{way}, median of {len(own)} rounds at {options.rate:,.0f}/s: "
            f"p50 {statistics.median(f.p50_ms for f in own):.2f} ms, "
            f"p99 {statistics.median(f.p99_ms for f in own):.2f} ms"
        )


if __name__ == "__main__":
    main()
