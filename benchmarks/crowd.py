"""How much slower is chat while 3,000 pages watch a busy dashboard and a busy board, and are they right?

    python -m benchmarks.crowd [--watchers 3000] [--rate 50] [--seconds 15] [--chat-rate 200]

The server runs as a process of its own on one core, everything on. Leaders watch the whole hospital and a
board over one socket each. People beside them chat at a rate, first while nothing else happens, then while
a HIS posts signed batches of one event at its rate and somebody writes a post every second. At the end
every watcher's figures are compared with a recount of what was sent, and its posts with what was written:
exit code 1 says that something was wrong. An ack's time counts from when its message was due. The clients
run on another core, those who chat in a process of their own, so that an ack is not read behind what
thousands of watchers hear; above 0.9 of a core the figures say nothing about the server.
"""

import argparse
import asyncio
import json
import multiprocessing
import tempfile
import time
from collections.abc import Awaitable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import aiohttp
import msgspec
import uvloop

from benchmarks import chat, dashboard
from benchmarks.people import bearer, prepared_store
from benchmarks.raw_socket import RawSocket
from benchmarks.server_process import Served, own_processor_s, processor_s, served
from server.directory.audience import Audience
from server.features.forum.documents import Board
from server.storage import Insert
from server.storage.document import to_doc

CHATTING = 200
BOARD = Board(id="b1", title="院内公告", audience=Audience(everybody=True), order=1)
SETTLED_WITHIN_S = 10.0
WARM_S = 2.0

T = TypeVar("T")


@dataclass(frozen=True)
class Figures:
    """What was measured; times in milliseconds, processor use in cores."""

    watchers: int
    events: int
    posts: int
    chat_per_s: float
    quiet_p50_ms: float
    quiet_p99_ms: float
    crowd_p50_ms: float
    crowd_p99_ms: float
    seen_p50_ms: float
    seen_p99_ms: float
    quiet_server_cores: float
    crowd_server_cores: float
    crowd_client_cores: float
    wrong_figures: int
    wrong_posts: int


class Onlooker(dashboard.Watcher):
    """A page that shows the hospital's figures and the newest posts of a board."""

    channels = (dashboard.CHANNEL, BOARD.channel)

    def __init__(self, port: int, ticket: str, ward: dashboard.Ward) -> None:
        super().__init__(port, ticket, ward)
        self.posts: list[int] = []

    def _told(self, socket: RawSocket, told: bytes) -> None:
        if told.startswith(b'["forum.posted"'):
            self.posts.append(msgspec.json.decode(told)[1]["post"]["number"])
        else:
            super()._told(socket, told)


class Ward(dashboard.Ward):
    """The HIS, and those who watch its figures and the board."""

    page = Onlooker

    async def write(self, person_id: str, number: int) -> None:
        """A post, over HTTP."""
        fields = {"board_id": BOARD.id, "client_id": f"post-{number}", "text": chat.TEXT}
        url = f"http://127.0.0.1:{self._port}/api/v1/commands/forum.post"
        async with self._http.post(url, json=fields, headers=bearer(person_id)) as answer:
            assert answer.status == 200, await answer.text()

    async def keep_writing(self, people: Sequence[str], seconds: float) -> None:
        """A post every second, each by somebody else."""
        for number in range(int(seconds)):
            await asyncio.gather(self.write(people[number], number), asyncio.sleep(1))

    async def misread(self, posts: int) -> int:
        """How many watchers did not see every post once and in order, after time to settle."""
        expected, wrong = list(range(1, posts + 1)), 0
        for _ in range(int(SETTLED_WITHIN_S * 10)):
            pages = [page for page in self.watchers if isinstance(page, Onlooker)]
            wrong = sum(page.posts != expected for page in pages)
            if not wrong:
                break
            await asyncio.sleep(0.1)
        return wrong


async def prepare(folder: Path, watchers: int) -> tuple[list[str], list[str]]:
    """Leaders, people who chat, and a board; the ids of both kinds of people."""
    leaders = await dashboard.prepare(folder, watchers, 40)
    chatting = await chat.prepare(folder, CHATTING, "c")
    async with prepared_store(folder) as store:
        await store.apply(Insert(Board.collection.name, to_doc(BOARD)))
    return leaders, chatting


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[len(ordered) * percent // 100]


def talk(port: int, ids: Sequence[str], rate: float, seconds: float) -> list[float]:
    """Chat at a rate, in a process of its own: times of the acks in milliseconds, in order."""
    return uvloop.run(_talk(port, ids, rate, seconds))


async def _talk(port: int, ids: Sequence[str], rate: float, seconds: float) -> list[float]:
    async with aiohttp.ClientSession() as http:
        crowd = chat.Crowd(port, ids, http)
        await crowd.connect()
        await crowd.pace(rate, WARM_S)
        await crowd.pace(rate, seconds)
        crowd.close()
        assert not crowd.refused, f"refused: {crowd.refused[:3]}"
        return sorted(crowd.latencies)


async def measure(
    server: Served,
    ward: Ward,
    chatting: Sequence[str],
    people: Sequence[str],
    options: argparse.Namespace,
) -> Figures:
    """Chat alone, then chat beside everything."""
    rate, seconds, posts = options.chat_rate, options.seconds, int(options.seconds + WARM_S)
    loop = asyncio.get_running_loop()

    async def cores(doing: Awaitable[T]) -> tuple[T, float, float]:
        """What it gave, and the cores that the server and this process used meanwhile."""
        used, own, began = processor_s(server.pid), own_processor_s(), time.perf_counter()
        given = await doing
        took = time.perf_counter() - began
        return given, (processor_s(server.pid) - used) / took, (own_processor_s() - own) / took

    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as aside:
        talking = partial(loop.run_in_executor, aside, talk, server.port, chatting, rate, seconds)
        quiet, quiet_cores, _ = await cores(talking())
        everything = asyncio.gather(
            talking(),
            ward.keep_sending(options.rate, posts),
            ward.keep_writing(people, posts),
        )
        (busy, *_), busy_cores, client_cores = await cores(everything)
    wrong_figures = await ward.settled()
    seen = sorted(ward.latencies)
    return Figures(
        watchers=len(ward.watchers),
        events=len(ward.acks),
        posts=posts,
        chat_per_s=rate,
        quiet_p50_ms=_percentile(quiet, 50),
        quiet_p99_ms=_percentile(quiet, 99),
        crowd_p50_ms=_percentile(busy, 50),
        crowd_p99_ms=_percentile(busy, 99),
        seen_p50_ms=_percentile(seen, 50) * 1000,
        seen_p99_ms=_percentile(seen, 99) * 1000,
        quiet_server_cores=quiet_cores,
        crowd_server_cores=busy_cores,
        crowd_client_cores=client_cores,
        wrong_figures=wrong_figures,
        wrong_posts=await ward.misread(posts),
    )


async def run(options: argparse.Namespace) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        leaders, chatting = await prepare(Path(folder), options.watchers)
        keys = f"{dashboard.KEY}:{dashboard.SECRET}"
        async with served(Path(folder), YUANXIN_HIS_KEYS=keys) as server:
            ward = Ward(server.port, server.http, 40)
            await ward.connect(leaders)
            figures = await measure(server, ward, chatting, leaders, options)
            ward.close()
            return figures


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=3_000)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--chat-rate", type=float, default=200)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(run(parser.parse_args(given)))
    print(
        f"{figures.watchers} watchers of both, {figures.events} events, {figures.posts} posts, "
        f"chat {figures.chat_per_s:.0f}/s\n"
        f"chat alone: p50 {figures.quiet_p50_ms:.1f} ms, p99 {figures.quiet_p99_ms:.1f} ms, "
        f"server {figures.quiet_server_cores:.2f} cores\n"
        f"in the crowd: p50 {figures.crowd_p50_ms:.1f} ms, p99 {figures.crowd_p99_ms:.1f} ms, "
        f"server {figures.crowd_server_cores:.2f} cores, client {figures.crowd_client_cores:.2f} cores"
        f"{' (saturated: INVALID)' if figures.crowd_client_cores > 0.9 else ''}\n"
        f"from the HIS's ack to a watcher: p50 {figures.seen_p50_ms:.0f} ms, "
        f"p99 {figures.seen_p99_ms:.0f} ms\n"
        f"not what a recount gives: {figures.wrong_figures} figures, "
        f"{figures.wrong_posts} watchers' posts"
    )
    print(json.dumps(asdict(figures)))
    if figures.wrong_figures or figures.wrong_posts:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
