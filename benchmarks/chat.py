"""How many durable acked messages a second does the whole server take with 3,000 people connected?

    python -m benchmarks.chat [--people 3000] [--seconds 5] [--rounds 3] [--rate 2000]

The server runs as a process of its own on one core, everything on: sockets, tickets, rate limits, rights,
validation, the append with fsync, notices owed, events. People are in pairs; each message is acked to its
sender and delivered to both. Asked in two ways: with 1, 64 and 256 messages outstanding, each ack sending
the next; and at a rate, whatever the acks take, where an ack's time counts from when the message was due.
The rate begins when the server has done what the loads before it left, and is kept four times as long, so
that the looks at who was reached, ten seconds after a message, are part of it.
The client runs on another core and says how busy it was: a round whose client was above 0.9 of a core says
nothing about the server. On a shared machine only what was acked per second of the server's own processor
time can be compared.
"""

import argparse
import asyncio
import json
import math
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import aiohttp
import uvloop

from benchmarks.people import connect, prepared_store, signed_in
from benchmarks.raw_socket import RawSocket
from benchmarks.server_process import own_processor_s, processor_s, served
from server.clock import SystemClock
from server.directory import Person
from server.features.chat.documents import direct_id
from server.features.chat.seeding import Talk, seed_talk

QUICK: Final = "--people 600 --seconds 1.5 --rounds 1"
RATED_FOR: Final = 4
QUIET_WITHIN_S: Final = 60.0
IDLE: Final = 0.05
"""Of a core: what thousands of connections take that say nothing."""
TEXT = "患者复查结果正常，今日可安排出院，请护理组协助办理。"


@dataclass(frozen=True)
class Round:
    """One round's figures; times in milliseconds, processor use in cores."""

    load: str
    acked_per_s: float
    acked_per_processor_s: float
    delivered_per_s: float
    p50_ms: float
    p99_ms: float
    server_cores: float
    client_cores: float


async def prepare(folder: Path, people: int, prefix: str = "p") -> list[str]:
    """A store with people in pairs, each signed in; their ids."""
    clock = SystemClock()
    ids = [f"{prefix}{n:05d}" for n in range(people)]
    pairs = [Talk("direct", "", (a, b), ()) for a, b in zip(ids[::2], ids[1::2], strict=True)]
    async with prepared_store(folder) as store:
        for id in ids:
            await store.apply(*signed_in(Person(id=id, name=id), clock.now()))
        await seed_talk(store, clock, pairs)
    return ids


class Crowd:
    """Everybody's sockets, and a number of messages kept outstanding."""

    def __init__(self, port: int, ids: Sequence[str], http: aiohttp.ClientSession) -> None:
        self._port, self._ids, self._http = port, ids, http
        self._chance = random.Random(1)
        self._started: dict[tuple[RawSocket, int], float] = {}
        self._people: dict[RawSocket, tuple[str, str]] = {}
        self._sockets: list[RawSocket] = []
        self._sending = False
        self._number = 0
        self.latencies: list[float] = []
        self.delivered = 0
        self.refused: list[str] = []

    async def connect(self) -> None:
        """Everybody connects, fifty at a time."""
        limit, port = asyncio.Semaphore(50), self._port

        def page(ticket: str) -> RawSocket:
            return RawSocket(port, ticket, self._event, self._acked)

        async def one(place: int, id: str) -> None:
            async with limit:
                opened = await connect(self._http, port, id, page)
                self._people[opened] = (id, direct_id(id, self._ids[place ^ 1]))
                self._sockets.append(opened)

        await asyncio.gather(*(one(place, id) for place, id in enumerate(self._ids)))

    def _event(self, socket: RawSocket, told: bytes) -> None:
        self.delivered += told.startswith(b'["chat.sent"')

    def _acked(self, socket: RawSocket, number: int, ack: bytes) -> None:
        self.latencies.append((time.perf_counter() - self._started.pop((socket, number))) * 1000)
        if not ack.startswith(b'[{"ok":true'):
            self.refused.append(ack.decode())
        if self._sending:
            self._send()

    def _send(self, due_at: float | None = None) -> None:
        socket = self._chance.choice(self._sockets)
        _, conversation = self._people[socket]
        self._number += 1
        fields = {
            "conversation_id": conversation,
            "client_id": f"{os.getpid()}-{self._number}",
            "content": {"kind": "text", "text": TEXT},
        }
        number = socket.send("chat.send", fields)
        self._started[socket, number] = time.perf_counter() if due_at is None else due_at

    async def pace(self, rate: float, seconds: float) -> None:
        """Send at a rate for so long, then wait for the last ack."""
        self.latencies, self.delivered = [], 0
        began, sent = time.perf_counter(), 0
        while (now := time.perf_counter()) < began + seconds:
            while began + sent / rate <= now:
                self._send(began + sent / rate)
                sent += 1
            await asyncio.sleep(0.001)
        while self._started:
            await asyncio.sleep(0.01)

    async def keep(self, outstanding: int, seconds: float) -> None:
        """Keep so many messages on their way for so long, then wait for the last ack."""
        self.latencies, self.delivered, self._sending = [], 0, True
        for _ in range(outstanding):
            self._send()
        await asyncio.sleep(seconds)
        self._sending = False
        while self._started:
            await asyncio.sleep(0.01)

    def close(self) -> None:
        for opened in self._sockets:
            opened.close()


async def measure(crowd: Crowd, pid: int, load: str, doing: Awaitable[None]) -> Round:
    """What the server did while the crowd was doing something."""
    server, client, began = processor_s(pid), own_processor_s(), time.perf_counter()
    await doing
    took = time.perf_counter() - began
    server_s = processor_s(pid) - server
    assert not crowd.refused, f"refused: {crowd.refused[:3]}"
    ordered = sorted(crowd.latencies)
    return Round(
        load=load,
        acked_per_s=len(ordered) / took,
        acked_per_processor_s=len(ordered) / server_s,
        delivered_per_s=crowd.delivered / took,
        p50_ms=ordered[len(ordered) // 2],
        p99_ms=ordered[len(ordered) * 99 // 100],
        server_cores=server_s / took,
        client_cores=(own_processor_s() - client) / took,
    )


async def quiet(pid: int) -> None:
    """Wait until the server has done what the load before left it to do."""
    async with asyncio.timeout(QUIET_WITHIN_S):
        before, now = -math.inf, processor_s(pid)
        while now - before > IDLE:
            await asyncio.sleep(1)
            before, now = now, processor_s(pid)


async def run(arguments: argparse.Namespace) -> list[Round]:
    """All rounds, the sizes interleaved."""
    with tempfile.TemporaryDirectory() as folder:
        ids = await prepare(Path(folder), arguments.people)
        async with served(Path(folder)) as server:
            crowd = Crowd(server.port, ids, server.http)
            began = time.perf_counter()
            await crowd.connect()
            took = time.perf_counter() - began
            print(f"{len(ids)} connected with tickets in {took:.1f} s", flush=True)
            await crowd.keep(64, 1)
            rounds = []
            for _ in range(arguments.rounds):
                for outstanding in (1, 64, 256):
                    keeping = crowd.keep(outstanding, arguments.seconds)
                    rounds.append(await measure(crowd, server.pid, f"{outstanding}", keeping))
                await quiet(server.pid)
                pacing = crowd.pace(arguments.rate, arguments.seconds * RATED_FOR)
                load = f"{arguments.rate:.0f}/s"
                rounds.append(await measure(crowd, server.pid, load, pacing))
            crowd.close()
            return rounds


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=2_000)
    arguments = parser.parse_args(given)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rounds = runner.run(run(arguments))
    print(f"{'load':>7} {'acked/s':>8} {'per CPU s':>9} {'p50 ms':>7} {'p99 ms':>7} server client")
    for load in dict.fromkeys(r.load for r in rounds):
        same = [asdict(r) for r in rounds if r.load == load]
        middle = {k: statistics.median(r[k] for r in same) for k in same[0] if k != "load"}
        print(
            f"{load:>7} {middle['acked_per_s']:>8.0f} {middle['acked_per_processor_s']:>9.0f} "
            f"{middle['p50_ms']:>7.1f} {middle['p99_ms']:>7.1f} {middle['server_cores']:>6.2f} "
            f"{middle['client_cores']:>6.2f}"
        )
    print(json.dumps([asdict(r) for r in rounds]))


if __name__ == "__main__":
    main()
