"""How soon do 500 watchers see what the HIS told, at 50 signed batches a second, and what does it cost?

    python -m benchmarks.dashboard [--watchers 500] [--rate 50] [--seconds 20] [--departments 40]

The server runs as a process of its own on one core, everything on. Leaders watch the whole hospital over
sockets; a HIS posts signed batches of one event at the rate. Latency is from the answer to the HIS until
a watcher holds a figure that includes the event; it contains the wait for the tick, which comes once a
second. At the end every watcher's figures are compared with a recount of what was sent. The client runs
on another core and says how busy it was: above 0.9 of a core the figures say nothing about the server.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import uvloop

from benchmarks.people import connect, prepared_store, signed_in
from benchmarks.raw_socket import RawSocket
from benchmarks.server_process import own_processor_s, processor_s, served
from server.auth import Role
from server.clock import SystemClock
from server.directory import Department, Person
from server.features.dashboard.routes import ADDRESS
from server.integrations.signing import KEY_HEADER, SIGNATURE_HEADER, TIME_HEADER, signature
from server.storage import Insert
from server.storage.document import to_doc

QUICK: Final = "--watchers 100 --seconds 5"
KEY, SECRET = "bench", "worth nothing"
SETTLED_WITHIN_S = 5.0
CHANNEL = "dashboard:hospital"


@dataclass(frozen=True)
class Figures:
    """What was measured; times in milliseconds, processor use in cores."""

    watchers: int
    batches_per_s: float
    updates_per_s: float
    p50_ms: float
    p99_ms: float
    ack_p50_ms: float
    ack_p99_ms: float
    kib_per_watcher_s: float
    server_cores: float
    client_cores: float
    wrong: int


async def prepare(folder: Path, watchers: int, departments: int) -> list[str]:
    """A store with leaders who are signed in, and departments; the ids of the leaders."""
    now = SystemClock().now()
    ids = [f"p{n:05d}" for n in range(watchers)]
    async with prepared_store(folder) as store:
        for n in range(departments):
            department = Department(id=f"d{n:02d}", name=f"第{n}科", order=n)
            await store.apply(Insert(Department.collection.name, to_doc(department)))
        for id in ids:
            leader = Person(id=id, name=id, roles=(Role.STAFF, Role.LEADER))
            await store.apply(*signed_in(leader, now))
    return ids


class Watcher(RawSocket):
    """One leader's page: the figures it shows, and how much came over the line."""

    channels: tuple[str, ...] = (CHANNEL,)

    def __init__(self, port: int, ticket: str, ward: "Ward") -> None:
        super().__init__(port, ticket, self._told, self._answered)
        self._ward = ward
        self.shown: Counter[str] = Counter()
        self.watching: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unanswered = len(self.channels)
        self.updates = 0
        self.bytes = 0

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        super().data_received(data)

    def _answered(self, socket: RawSocket, number: int, answer: bytes) -> None:
        [ack] = msgspec.json.decode(answer)
        assert ack["ok"], ack
        for event in ack["result"]["state"].values():
            self._show(event["values"])
        self._unanswered -= 1
        if not self._unanswered:
            self.watching.set_result(None)

    def watch(self) -> None:
        """Ask for the channels; `watching` is done when all are heard."""
        for channel in self.channels:
            self.send("stream.watch", {"channel": channel})

    def _told(self, socket: RawSocket, told: bytes) -> None:
        name, event = msgspec.json.decode(told)
        if name == "dashboard.updated":
            self.updates += 1
            self._show(event["values"])

    def _show(self, values: dict[str, Any]) -> None:
        for key, value in values.items():
            if value["kind"] == "figures":
                count = value["registered"].get("general", 0)
                self._ward.seen(key, self.shown[key], count)
                self.shown[key] = count


class Ward:
    """The HIS, what it sent, and who watches."""

    page: type[Watcher] = Watcher

    def __init__(self, port: int, http: aiohttp.ClientSession, departments: int) -> None:
        self._port, self._http = port, http
        self._departments = [f"d{n:02d}" for n in range(departments)]
        self._chance = random.Random(1)
        self._acked_at: defaultdict[str, list[float]] = defaultdict(list)
        self.sent: Counter[str] = Counter()
        self.watchers: list[Watcher] = []
        self.latencies: list[float] = []
        self.acks: list[float] = []

    def seen(self, department: str, before: int, now: int) -> None:
        """A watcher shows more than before: each event more was acknowledged at its moment."""
        at, acked = time.perf_counter(), self._acked_at[department]
        for place in range(before, now):
            self.latencies.append(at - acked[place] if place < len(acked) else 0.0)

    async def connect(self, ids: Sequence[str]) -> None:
        limit, port = asyncio.Semaphore(50), self._port

        def page(ticket: str) -> Watcher:
            return self.page(port, ticket, self)

        async def one(id: str) -> None:
            async with limit:
                opened = await connect(self._http, port, id, page)
                opened.watch()
                await opened.watching
                self.watchers.append(opened)

        await asyncio.gather(*(one(id) for id in ids))

    async def send(self, number: int) -> None:
        """One event, signed; counted once it is acknowledged."""
        department = self._chance.choice(self._departments)
        event = {
            "event_id": f"e{number}",
            "kind": "registered",
            "type": "general",
            "at": int(time.time() * 1000),
            "department_id": department,
        }
        body, now = json.dumps({"events": [event]}).encode(), str(int(time.time()))
        headers = {
            KEY_HEADER: KEY,
            TIME_HEADER: now,
            SIGNATURE_HEADER: signature(SECRET, now, body),
        }
        began = time.perf_counter()
        url = f"http://127.0.0.1:{self._port}{ADDRESS}"
        receipt: dict[str, Any] = {}
        while receipt.get("accepted") != 1:
            async with self._http.post(url, data=body, headers=headers) as answer:
                receipt = await answer.json()
            # A door that is too busy, or told too much after a pause of this machine, is asked again.
            assert answer.status in (200, 429, 503), receipt
            await asyncio.sleep(receipt.get("error", {}).get("retry_after_ms", 0) / 1000)
        ended = time.perf_counter()
        self.acks.append(ended - began)
        self._acked_at[department].append(ended)
        self.sent[department] += 1

    async def keep_sending(self, rate: float, seconds: float) -> None:
        """At the rate, whatever the answers take; then wait for the last of them."""
        began, sending = time.perf_counter(), set()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            sending.add(asyncio.create_task(self.send(number)))
        await asyncio.gather(*sending)

    async def settled(self) -> int:
        """How many figures at how many watchers are not what was sent, once things had time to settle."""
        end = time.perf_counter() + SETTLED_WITHIN_S
        while True:
            wrong = sum(
                watcher.shown[d] != self.sent[d]
                for watcher in self.watchers
                for d in self._departments
            )
            if not wrong or time.perf_counter() > end:
                return wrong
            await asyncio.sleep(0.1)

    def close(self) -> None:
        for watcher in self.watchers:
            watcher.close()


async def measure(ward: Ward, pid: int, rate: float, seconds: float) -> Figures:
    server, client, began = processor_s(pid), own_processor_s(), time.perf_counter()
    before = [(watcher.updates, watcher.bytes) for watcher in ward.watchers]
    await ward.keep_sending(rate, seconds)
    took = time.perf_counter() - began
    server_cores = (processor_s(pid) - server) / took
    client_cores = (own_processor_s() - client) / took
    updates = sum(w.updates - u for w, (u, _) in zip(ward.watchers, before, strict=True))
    received = sum(w.bytes - b for w, (_, b) in zip(ward.watchers, before, strict=True))
    wrong = await ward.settled()
    latencies, acks = sorted(ward.latencies), sorted(ward.acks)
    return Figures(
        watchers=len(ward.watchers),
        batches_per_s=len(acks) / took,
        updates_per_s=updates / len(ward.watchers) / took,
        p50_ms=latencies[len(latencies) // 2] * 1000,
        p99_ms=latencies[len(latencies) * 99 // 100] * 1000,
        ack_p50_ms=acks[len(acks) // 2] * 1000,
        ack_p99_ms=acks[len(acks) * 99 // 100] * 1000,
        kib_per_watcher_s=received / len(ward.watchers) / took / 1024,
        server_cores=server_cores,
        client_cores=client_cores,
        wrong=wrong,
    )


async def run(arguments: argparse.Namespace) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        ids = await prepare(Path(folder), arguments.watchers, arguments.departments)
        async with served(Path(folder), YUANXIN_HIS_KEYS=f"{KEY}:{SECRET}") as server:
            ward = Ward(server.port, server.http, arguments.departments)
            await ward.connect(ids)
            figures = await measure(ward, server.pid, arguments.rate, arguments.seconds)
            ward.close()
            return figures


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=500)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--departments", type=int, default=40)
    arguments = parser.parse_args(given)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(run(arguments))
    print(
        f"{figures.watchers} watchers, {figures.batches_per_s:.0f} batches/s: "
        f"{figures.updates_per_s:.2f} updates/s each, {figures.kib_per_watcher_s:.1f} KiB/s each\n"
        f"from ack to watcher: p50 {figures.p50_ms:.0f} ms, p99 {figures.p99_ms:.0f} ms; "
        f"ack: p50 {figures.ack_p50_ms:.0f} ms, p99 {figures.ack_p99_ms:.0f} ms\n"
        f"server {figures.server_cores:.2f} cores, client {figures.client_cores:.2f} cores"
        f"{' (saturated: INVALID)' if figures.client_cores > 0.9 else ''}\n"
        f"figures that are not what a recount gives: {figures.wrong}"
    )
    print(json.dumps(asdict(figures)))
    if figures.wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
