"""How soon does a document put on the OA's desk show as a badge on open pages, at how many calls to the OA?

    python -m benchmarks.oa_badge [--people 1600] [--seconds 90] [--rate 1] [--only webhook|polling]
                                  [--webhook-calls 5] [--polling-calls 20] [--visible 80]

Everybody is connected, on a real socket each, and has something waiting. Documents are put on the desk of
the stand-in OA at the rate, each for one person; latency is from then until that person's socket is told
`todos.counted`. Two ways are measured, each with a server started anew on what was known before:

    webhook   all pages are on screen; the OA calls out for each change; --webhook-calls a second at most.
              Straight after a start everybody is still read once, so the calls stand at their bound.
    polling   --visible pages are on screen, the others hidden; nothing calls out; --polling-calls a second.
              For the hidden ones the period is worked out (people / what is left of the calls) and stands
              beside the one measured, from how many of them were read meanwhile.

Server on the first core, stand-in and client on the last, all in processes of their own. The client says
how busy it was: above 0.9 of a core the figures say nothing about the server.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
import uvloop

from benchmarks.machine import allow_many_files, describe, free_port, in_words
from benchmarks.oa_desk import Desk, desk
from benchmarks.people import connect, prepared_store, signed_in
from benchmarks.raw_socket import RawSocket
from benchmarks.server_process import Served, own_processor_s, processor_s, served
from server.clock import SystemClock
from server.directory import Person

QUICK: Final = "--people 300 --seconds 15 --visible 40"
SECRET = "worth nothing"
AT_ONCE = 50
READ_WITHIN_S = 300.0
TOLD_WITHIN_S = 60.0
POLL_S = 3


@dataclass(frozen=True)
class Figures:
    """What was measured in one way; seconds, and processor use in cores."""

    way: str
    people: int
    on_screen: int
    calls_allowed_per_s: int
    documents: int
    missing: int
    p50_s: float
    p99_s: float
    worst_s: float
    calls_per_minute: float
    hidden_period_expected_s: float | None
    hidden_period_measured_s: float | None
    server_cores: float
    client_cores: float


class Page(RawSocket):
    """One person's page, on screen or not."""

    def __init__(self, port: int, ticket: str) -> None:
        super().__init__(port, ticket, self._told, lambda *_: None)
        self.put_at: float | None = None
        self.badge: asyncio.Future[float] | None = None

    def expect(self) -> "asyncio.Future[float]":
        """Seconds from now until the badge is told."""
        self.put_at = time.perf_counter()
        self.badge = asyncio.get_running_loop().create_future()
        return self.badge

    def _told(self, socket: RawSocket, told: bytes) -> None:
        if told.startswith(b'["todos.counted"') and self.badge and not self.badge.done():
            assert self.put_at is not None
            self.badge.set_result(time.perf_counter() - self.put_at)


async def prepare(folder: Path, people: int) -> list[str]:
    """A store with people who are signed in and have an account in the OA; their ids."""
    now = SystemClock().now()
    ids = [f"p{number:05d}" for number in range(1, people + 1)]
    async with prepared_store(folder) as store:
        for number, id in enumerate(ids, 1):
            await store.apply(*signed_in(Person(id=id, name=id, oa_user_id=str(number)), now))
    return ids


class Ward:
    """Everybody's pages."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self.pages: dict[int, Page] = {}

    async def connect(self, ids: Sequence[str], on_screen: int) -> None:
        limit, port = asyncio.Semaphore(AT_ONCE), self._server.port

        async def one(number: int, id: str) -> None:
            async with limit:
                page = await connect(self._server.http, port, id, partial(Page, port))
                if number <= on_screen:
                    page.send("stream.visible", {"visible": True})
                self.pages[number] = page

        await asyncio.gather(*(one(number, id) for number, id in enumerate(ids, 1)))

    def close(self) -> None:
        for page in self.pages.values():
            page.close()


async def metric(server: Served, name: str) -> float:
    async with server.http.get(f"http://127.0.0.1:{server.port}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


async def until(server: Served, name: str, wanted: float, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while await metric(server, name) != wanted:
            await asyncio.sleep(0.3)


def say(words: str) -> None:
    print(words, flush=True)


async def first_reading(folder: Path, base: Desk, people: int) -> None:
    """Give everybody something that waits, and have a server read it."""
    numbers = range(1, people + 1)
    for begin in range(0, people, 200):
        await base.put("关于年终总结的通知", numbers[begin : begin + 200])
    settings = {"YUANXIN_OA_ENDPOINT": base.endpoint, "YUANXIN_OA_CALLS_PER_SECOND": "5000"}
    async with served(folder, **settings) as server:
        await until(server, "oa_people", people, READ_WITHIN_S)
        await until(server, "oa_people_not_read", 0, READ_WITHIN_S)


async def keep_putting(
    base: Desk, ward: Ward, numbers: Sequence[int], rate: float, seconds: float
) -> tuple[list[float], int]:
    """Documents at the rate, each for somebody who expects none; latencies, and how many never came."""
    chance, began = random.Random(1), time.perf_counter()
    chosen: list[int] = []
    while len(chosen) < rate * seconds:
        chosen += chance.sample(numbers, k=len(numbers))
    waiting: dict[asyncio.Future[float], int] = {}
    for count, number in enumerate(chosen[: int(rate * seconds)]):
        await asyncio.sleep(max(0.0, began + count / rate - time.perf_counter()))
        if any(who == number and not badge.done() for badge, who in waiting.items()):
            continue
        waiting[ward.pages[number].expect()] = number
        await base.put("关于做好冬季呼吸道疾病防控的通知", [number])
    await asyncio.wait(waiting, timeout=TOLD_WITHIN_S)
    told = sorted(badge.result() for badge in waiting if badge.done())
    return told, len(waiting) - len(told)


async def measure(
    way: str, base: Desk, ward: Ward, server: Served, options: argparse.Namespace
) -> Figures:
    """One way, once everybody is connected."""
    calls_allowed = options.webhook_calls if way == "webhook" else options.polling_calls
    on_screen = options.people if way == "webhook" else options.visible
    await until(server, "oa_people_on_screen", on_screen, READ_WITHIN_S)
    # What the pages coming on screen has begun is not what is asked about.
    await asyncio.sleep(2 * POLL_S if way == "webhook" else 4 * on_screen / calls_allowed)
    await base.calls()
    used, own, began = processor_s(server.pid), own_processor_s(), time.perf_counter()
    told, missing = await keep_putting(
        base, ward, range(1, on_screen + 1), options.rate, options.seconds
    )
    took = time.perf_counter() - began
    server_cores = (processor_s(server.pid) - used) / took
    client_cores = (own_processor_s() - own) / took
    calls, counted = await base.calls()
    hidden = options.people - on_screen
    of_hidden = sum(count for user, count in counted.items() if user > on_screen)
    left = max(calls_allowed / 20, calls_allowed - on_screen / POLL_S)
    return Figures(
        way=way,
        people=options.people,
        on_screen=on_screen,
        calls_allowed_per_s=calls_allowed,
        documents=len(told),
        missing=missing,
        p50_s=told[len(told) // 2],
        p99_s=told[len(told) * 99 // 100],
        worst_s=told[-1],
        calls_per_minute=calls / took * 60,
        hidden_period_expected_s=hidden / left if hidden else None,
        hidden_period_measured_s=hidden * took / of_hidden if of_hidden else None,
        server_cores=server_cores,
        client_cores=client_cores,
    )


async def one_way(
    way: str,
    folder: Path,
    ids: Sequence[str],
    http: aiohttp.ClientSession,
    options: argparse.Namespace,
) -> Figures:
    """A server started anew, everybody connected, measured."""
    port = free_port()
    is_told = way == "webhook"
    target = (f"http://127.0.0.1:{port}/oa/changed", SECRET, "oa") if is_told else ()
    calls = options.webhook_calls if is_told else options.polling_calls
    async with desk(folder, http, options.people, *target) as base:
        settings = {
            "YUANXIN_HTTP_PORT": str(port),
            "YUANXIN_OA_ENDPOINT": base.endpoint,
            "YUANXIN_OA_CALLS_PER_SECOND": str(calls),
            "YUANXIN_OA_WEBHOOK_KEYS": f"oa:{SECRET}",
        }
        async with served(folder, **settings) as server:
            ward = Ward(server)
            say(f"{way}: {options.people} people connect")
            await ward.connect(ids, options.people if is_told else options.visible)
            say(f"{way}: documents, {options.rate:g} a second for {options.seconds:g} s")
            figures = await measure(way, base, ward, server, options)
            ward.close()
            return figures


async def run(options: argparse.Namespace) -> list[Figures]:
    async with aiohttp.ClientSession() as http:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ids = await prepare(folder, options.people)
            say("a first server reads what waits for everybody")
            async with desk(folder, http, options.people) as base:
                await first_reading(folder, base, options.people)
            ways = [options.only] if options.only else ["webhook", "polling"]
            return [await one_way(way, folder, ids, http, options) for way in ways]


def told(figures: Figures) -> str:
    """In words."""
    words = (
        f"{figures.way}: {figures.on_screen} of {figures.people} pages on screen, at most "
        f"{figures.calls_allowed_per_s} calls/s\n"
        f"  from desk to badge: p50 {figures.p50_s:.2f} s, p99 {figures.p99_s:.2f} s, "
        f"worst {figures.worst_s:.2f} s, of {figures.documents} documents; {figures.missing} never came\n"
        f"  {figures.calls_per_minute:.0f} calls a minute; server {figures.server_cores:.3f} cores, "
        f"client {figures.client_cores:.2f} cores"
        f"{' (saturated: INVALID)' if figures.client_cores > 0.9 else ''}"
    )
    if figures.hidden_period_expected_s is None:
        return words
    measured = figures.hidden_period_measured_s
    return (
        f"{words}\n  pages not on screen are read every {figures.hidden_period_expected_s:.0f} s by "
        f"arithmetic, {'not once' if measured is None else f'every {measured:.0f} s'} by count"
    )


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=1_600)
    parser.add_argument("--visible", type=int, default=80)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--webhook-calls", type=int, default=5)
    parser.add_argument("--polling-calls", type=int, default=20)
    parser.add_argument("--only", choices=("webhook", "polling"))
    options = parser.parse_args(given)
    allow_many_files()
    say(in_words(describe()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answers = runner.run(run(options))
    for figures in answers:
        say(told(figures))
    say(json.dumps([asdict(figures) for figures in answers]))
    if any(figures.missing for figures in answers):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
