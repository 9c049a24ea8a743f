"""How many durable acked messages a second does the whole server take with 3,000 people connected?

    python -m benchmarks.chat [--people 3000] [--seconds 5] [--rounds 3]

The server runs as a process of its own on one core, everything on: sockets, tickets, rate limits, rights,
validation, the append with fsync, notices owed, events. People are in pairs; each message is acked to its
sender and delivered to both. The client runs on another core and says how busy it was: a round whose
client was above 0.9 of a core says nothing about the server.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import uvloop

from benchmarks.raw_socket import RawSocket
from benchmarks.server_process import own_processor_s, processor_s, served
from server import schema
from server.app import ALL
from server.auth import Session
from server.auth.tokens import digest
from server.clock import Millis, SystemClock
from server.directory import Person
from server.features.chat.documents import direct_id
from server.features.chat.seeding import Talk, seed_talk
from server.storage import Insert
from server.storage.document import to_doc
from server.storage.migrate import migrate
from server.storage.sqlite import SqliteStore

QUICK: Final = "--people 600 --seconds 1.5 --rounds 1"
TEXT = "患者复查结果正常，今日可安排出院，请护理组协助办理。"
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Round:
    """One round's figures; times in milliseconds, processor use in cores."""

    outstanding: int
    acked_per_s: float
    delivered_per_s: float
    p50_ms: float
    p99_ms: float
    server_cores: float
    client_cores: float


async def prepare(folder: Path, people: int) -> list[str]:
    """A store with people in pairs, each signed in; their ids."""
    clock = SystemClock()
    store = SqliteStore(folder / "yuanxin.db", clock=clock)
    await store.open()
    await migrate(store, clock=clock, alone=True)
    await schema.declare(store, ALL)
    ids = [f"p{n:05d}" for n in range(people)]
    now = clock.now()
    for id in ids:
        session = Session(
            id=f"session-{id}",
            person_id=id,
            token_hash=digest(f"token-{id}"),
            created_at=now,
            seen_at=now,
            expires_at=Millis(now + DAY_MS),
        )
        docs = (Person(id=id, name=id), session)
        await store.apply(*(Insert(d.collection.name, to_doc(d)) for d in docs))
    pairs = [Talk("direct", "", (a, b), ()) for a, b in zip(ids[::2], ids[1::2], strict=True)]
    await seed_talk(store, clock, pairs)
    await store.close()
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

        async def one(place: int, id: str) -> None:
            async with limit:
                headers = {"Authorization": f"Bearer token-{id}"}
                url = f"http://127.0.0.1:{port}/api/v1/auth/ticket"
                async with self._http.post(url, headers=headers) as answer:
                    ticket = (await answer.json())["ticket"]
                loop = asyncio.get_running_loop()
                _, opened = await loop.create_connection(
                    lambda: RawSocket(port, ticket, self._event, self._acked), "127.0.0.1", port
                )
                await opened.connected
                self._people[opened] = (id, direct_id(id, self._ids[place ^ 1]))
                self._sockets.append(opened)

        await asyncio.gather(*(one(place, id) for place, id in enumerate(self._ids)))

    def _event(self, socket: RawSocket, name: str, body: dict[str, Any]) -> None:
        self.delivered += name == "chat.sent"

    def _acked(self, socket: RawSocket, number: int, ack: dict[str, Any]) -> None:
        self.latencies.append((time.perf_counter() - self._started.pop((socket, number))) * 1000)
        if not ack["ok"]:
            self.refused.append(ack["error"]["code"])
        if self._sending:
            self._send()

    def _send(self) -> None:
        socket = self._chance.choice(self._sockets)
        _, conversation = self._people[socket]
        self._number += 1
        fields = {
            "conversation_id": conversation,
            "client_id": f"{os.getpid()}-{self._number}",
            "content": {"kind": "text", "text": TEXT},
        }
        self._started[socket, socket.send("chat.send", fields)] = time.perf_counter()

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


async def measure(crowd: Crowd, pid: int, outstanding: int, seconds: float) -> Round:
    server, client, began = processor_s(pid), own_processor_s(), time.perf_counter()
    await crowd.keep(outstanding, seconds)
    took = time.perf_counter() - began
    assert not crowd.refused, f"refused: {crowd.refused[:3]}"
    ordered = sorted(crowd.latencies)
    return Round(
        outstanding=outstanding,
        acked_per_s=len(ordered) / took,
        delivered_per_s=crowd.delivered / took,
        p50_ms=ordered[len(ordered) // 2],
        p99_ms=ordered[len(ordered) * 99 // 100],
        server_cores=(processor_s(pid) - server) / took,
        client_cores=(own_processor_s() - client) / took,
    )


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
            await measure(crowd, server.pid, 64, 1)
            rounds = [
                await measure(crowd, server.pid, outstanding, arguments.seconds)
                for _ in range(arguments.rounds)
                for outstanding in (1, 64, 256)
            ]
            crowd.close()
            return rounds


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(given)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rounds = runner.run(run(arguments))
    print(
        f"{'outstanding':>11} {'acked/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'server':>7} {'client':>7}"
    )
    for outstanding in sorted({r.outstanding for r in rounds}):
        same = [r for r in rounds if r.outstanding == outstanding]
        middle = {k: statistics.median(asdict(r)[k] for r in same) for k in asdict(same[0])}
        print(
            f"{outstanding:>11} {middle['acked_per_s']:>8.0f} {middle['p50_ms']:>7.1f} "
            f"{middle['p99_ms']:>7.1f} {middle['server_cores']:>7.2f} {middle['client_cores']:>7.2f}"
        )
    print(json.dumps([asdict(r) for r in rounds]))


if __name__ == "__main__":
    main()
