"""How much slower is chat while 20 people open lists of 100 rows in the OA?

    python -m benchmarks.oa_lists [--people 20] [--rows 100] [--seconds 6] [--rounds 3] [--calls 20]

The server runs as a process of its own on one core, everything on. Beside it an OA of few words answers at
once, with rows as long as real ones. People chat at a rate, in turn while nothing else happens and while all
readers open a list, all its pages one after the other, again and again. Every page is a call to the OA, whose
answer is 27 kB of XML. The product asks an OA 20 times a second unless told otherwise, which is what most of
a list waits for; with --calls 200 reading answers is measured and not waiting for a turn. An ack's time
counts from when its message was due. Quiet and busy rounds take turns, and the ratio of their 99th
percentiles, middle by middle, is the answer. On a machine shared with others only the processor time a page
costs can be compared: what the server used in busy rounds beyond the quiet ones.
"""

import argparse
import asyncio
import json
import multiprocessing
import re
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import uvloop
from aiohttp import web

from benchmarks import chat
from benchmarks.crowd import talk
from benchmarks.people import bearer, prepared_store
from benchmarks.server_process import Served, processor_s, served
from server.storage import Patch

QUICK: Final = "--seconds 3 --rounds 1"
PAGE_ROWS: Final = 20
CHATTING: Final = 100
_ASKED = re.compile(r"get(\w+)WorkflowRequest(Count|List)")
_NUMBER = re.compile(r"in(\d)>(-?\d+)<")
_NIL: Final = (
    "forwardButtonName", "messageType", "rejectButtonName", "remark", "subbackButtonName",
    "submitButtonName", "subnobackButtonName", "workflowDetailTableInfos", "workflowHtmlShow",
    "workflowHtmlTemplete", "workflowMainTableInfo", "workflowPhrases", "workflowRequestLogs",
)  # fmt: skip


@dataclass(frozen=True)
class Round:
    """One round's figures; times in milliseconds, processor use in seconds."""

    busy: bool
    p50_ms: float
    p99_ms: float
    server_s: float
    pages: int
    page_p50_ms: float


# The OA


def row(number: int) -> str:
    """A row of a list with all that one build of the original puts into it."""
    said = {
        "canEdit": "false",
        "canView": "false",
        "createTime": "2026-01-05 07:00:00",
        "creatorId": "9",
        "creatorName": "李四",
        "currentNodeId": "2",
        "currentNodeName": "科室负责人审批",
        "lastOperateTime": "2026-01-05 08:30:00",
        "lastOperatorName": "王五",
        "mustInputRemark": "false",
        "needAffirmance": "false",
        "receiveTime": "2026-01-05 08:30:00",
        "requestId": str(number),
        "requestLevel": "1",
        "requestName": f"关于添置心电监护仪及配套耗材的请示（第{number}号）",
        "status": "科室负责人审批",
    }
    base = {
        "workflowId": "31",
        "workflowName": "设备采购申请",
        "workflowTypeId": "4",
        "workflowTypeName": "后勤设备",
    }
    elements = {name: f"<{name}>{value}</{name}>" for name, value in said.items()}
    elements |= {name: f'<{name} xsi:nil="true"/>' for name in _NIL}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in base.items())
    elements["workflowBaseInfo"] = f"<workflowBaseInfo>{inner}</workflowBaseInfo>"
    return (
        '<WorkflowRequestInfo xmlns="http://webservices.workflow.weaver">'
        f"{''.join(elements[name] for name in sorted(elements))}</WorkflowRequestInfo>"
    )


def answer(operation: str, out: str) -> bytes:
    return (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body>'
        f'<a:{operation}Response xmlns:a="webservices.services.weaver.com.cn"><a:out>{out}</a:out>'
        f"</a:{operation}Response></soap:Body></soap:Envelope>"
    ).encode()


def serve_oa(rows: int, told: Connection) -> None:
    """Run the OA; tells its port."""
    pages = {
        page: "".join(row(10_000 + n) for n in range(rows)[(page - 1) * PAGE_ROWS :][:PAGE_ROWS])
        for page in range(1, -(-rows // PAGE_ROWS) + 1)
    }

    async def serve(request: web.Request) -> web.Response:
        body = await request.text()
        asked = _ASKED.search(body)
        assert asked is not None
        out = str(rows)
        if asked[2] == "List":
            numbers = dict(_NUMBER.findall(body))
            out = pages.get(int(numbers["0"]), "")
        return web.Response(body=answer(asked[0], out), content_type="text/xml", charset="utf-8")

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/oa", serve)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        told.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


@asynccontextmanager
async def an_oa(rows: int) -> AsyncIterator[int]:
    """Its port."""
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe()
    process = spawning.Process(target=serve_oa, args=(rows, there), daemon=True)
    process.start()
    try:
        yield await asyncio.to_thread(here.recv)
    finally:
        process.terminate()
        process.join()


# The readers


class Readers:
    """People who open a list and all its pages, again and again."""

    def __init__(self, server: Served, ids: Sequence[str], rows: int) -> None:
        self._server, self._ids = server, ids
        self._pages = -(-rows // PAGE_ROWS)
        self.took: list[float] = []

    async def read(self, until: float) -> None:
        await asyncio.gather(*(self._reads(id, until) for id in self._ids))

    async def _reads(self, id: str, until: float) -> None:
        while time.perf_counter() < until:
            for page in range(1, self._pages + 1):
                began = time.perf_counter()
                while not await self._page(id, page):
                    await asyncio.sleep(0.2)
                self.took.append((time.perf_counter() - began) * 1000)
                # As fast as somebody scrolls, and after what is kept of a page is too old.
                await asyncio.sleep(1.0)

    async def _page(self, id: str, page: int) -> bool:
        url = f"http://127.0.0.1:{self._server.port}/api/v1/commands/todos.list"
        fields = {"state": "started", "page": page}
        async with self._server.http.post(url, json=fields, headers=bearer(id)) as response:
            told = (await response.json()).get("result")
            if response.status == 429:
                return False
            assert response.status == 200, told
            assert len(told["items"]) == PAGE_ROWS, told
            return True


async def prepare(folder: Path, people: int) -> tuple[list[str], list[str]]:
    """Those who chat, and those who read and have somebody in the OA."""
    chatting = await chat.prepare(folder, CHATTING, "c")
    reading = await chat.prepare(folder, people + people % 2, "r")
    async with prepared_store(folder) as store:
        for number, id in enumerate(reading, 1):
            await store.apply(Patch("people", id, {"oa_user_id": str(number)}))
    return chatting, reading


async def run(options: argparse.Namespace) -> list[Round]:
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory() as folder:
        chatting, reading = await prepare(Path(folder), options.people)
        async with (
            an_oa(options.rows) as port,
            served(
                Path(folder),
                YUANXIN_OA_ENDPOINT=f"http://127.0.0.1:{port}/oa",
                YUANXIN_OA_CALLS_PER_SECOND=str(options.calls),
            ) as server,
        ):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as aside:
                for number in range(2 * options.rounds):
                    readers = Readers(server, reading[: options.people], options.rows)
                    rounds.append(
                        await measure(server, readers, chatting, aside, options, number % 2 == 1)
                    )
    return rounds


async def measure(
    server: Served,
    readers: Readers,
    chatting: Sequence[str],
    aside: ProcessPoolExecutor,
    options: argparse.Namespace,
    busy: bool,
) -> Round:
    """Chat alone, or beside the readers."""
    rate, seconds = options.chat_rate, options.seconds
    talking = asyncio.get_running_loop().run_in_executor(
        aside, partial(talk, server.port, chatting, rate, seconds)
    )
    used, began = processor_s(server.pid), time.perf_counter()
    reading = asyncio.create_task(
        readers.read(began + seconds + 3) if busy else asyncio.sleep(0)  # talk warms up first
    )
    acks = await talking
    await reading
    server_s = processor_s(server.pid) - used
    took = sorted(readers.took)
    return Round(
        busy=busy,
        p50_ms=acks[len(acks) // 2],
        p99_ms=acks[len(acks) * 99 // 100],
        server_s=server_s,
        pages=len(took),
        page_p50_ms=took[len(took) // 2] if took else 0.0,
    )


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--chat-rate", type=float, default=200)
    options = parser.parse_args(given)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rounds = runner.run(run(options))
    middle: dict[bool, dict[str, float]] = {}
    for busy in (False, True):
        same = [asdict(one) for one in rounds if one.busy == busy]
        middle[busy] = {name: statistics.median(one[name] for one in same) for name in same[0]}
        told = middle[busy]
        print(
            f"{'lists' if busy else 'quiet':>6}: p50 {told['p50_ms']:.1f} ms, "
            f"p99 {told['p99_ms']:.1f} ms, server {told['server_s']:.2f} s of processor, "
            f"{told['pages']:.0f} pages, one in {told['page_p50_ms']:.0f} ms"
        )
    ratio = middle[True]["p99_ms"] / middle[False]["p99_ms"]
    more_s = middle[True]["server_s"] - middle[False]["server_s"]
    page_ms = more_s * 1000 / max(1.0, middle[True]["pages"])
    print(
        f"p99 with lists is {ratio:.2f} of the quiet one; a page costs {page_ms:.1f} ms of processor"
    )
    answer = {"ratio": ratio, "page_ms": page_ms, "rounds": [asdict(one) for one in rounds]}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
