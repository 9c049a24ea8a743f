"""How does the bare hub compare with Node's Socket.IO, with ws, and with stock python-socketio?

    python -m benchmarks.compare [--quick] [--rounds 3] [--peers ours,node] [--workloads 'fanout*,p2p']
    python -m benchmarks.compare --list
    python -m benchmarks.compare --from build/bench/comparison.json --chart docs/img/bench.svg

All servers do the same (`hub_server`), one process each on the first core; one crowd of clients, written
in C, asks from the last. The servers take turns in every round. What was counted is written to
`build/bench/comparison.json`, the tables to `comparison.md` beside it.
"""

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks import load, machine
from benchmarks.comparison.chart import chart
from benchmarks.comparison.results import Failure, Results, Run, answers, read
from benchmarks.comparison.table import number, report
from benchmarks.comparison.validity import judge
from benchmarks.comparison.workloads import FULL, TICKETS, Session, Size, sessions
from benchmarks.comparison.workloads import QUICK as QUICK_SIZE
from benchmarks.load import Line, LoadFailed, NoCompiler
from benchmarks.peers import PEERS, Peer, node
from benchmarks.peers.serving import NotServing, serving

QUICK: Final = "--quick"
QUICK_PEERS: Final = [name for name in PEERS if name != "stock"]
KEPT: Final = ("delivery_p99_ms", "resident_bytes")
"""What a workload knows of the one before it."""
RESULTS: Final = machine.CACHE / "comparison.json"

Turn = tuple[int, Session, Peer]
"""A round, and who is asked what in it."""


def turns(chosen: Sequence[Session], peers: Sequence[Peer]) -> Iterator[Turn]:
    """Who is asked when: the servers follow one another within each session of each round."""
    for round in range(1, max((session.rounds for session in chosen), default=0) + 1):
        for session in (session for session in chosen if round <= session.rounds):
            for peer in peers:
                if peer.name not in session.absent and (round == 1 or not peer.once):
                    yield round, session, peer


async def ask(session: Session, peer: Peer) -> list[Line]:
    """One session with a fresh server: a line for each workload."""
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as folder:
        tickets = str(Path(folder) / "tickets")
        told = ("--tickets", tickets, str(session.people)) if session.has_tickets else ()
        asked = [workload.step.replace(TICKETS, tickets) for workload in session.workloads]
        async with (
            serving(peer, *told) as server,
            load.crowd(server.port, server.pid, session.people, asked) as steps,
        ):
            async for line in steps:
                before = lines[-1] if lines else {}
                lines.append(line | {f"before_{key}": before[key] for key in KEPT if key in before})
    return lines


async def compare(results: Results, order: Sequence[Turn]) -> None:
    """Ask everybody in turn; what is measured is in `results` at once, so that an end loses nothing."""
    began = time.monotonic()
    for done, (round, session, peer) in enumerate(order, 1):
        try:
            lines = await ask(session, peer)
        except (LoadFailed, NotServing) as failure:
            results.failures.append(Failure(peer.name, session.name, round, str(failure)))
            outcome = f"came to no end: {failure}"
        else:
            results.runs += [
                Run(peer.name, workload.name, round, line)
                for workload, line in zip(session.workloads, lines, strict=True)
            ]
            outcome = _outcome(session, lines)
        left = (time.monotonic() - began) / done * (len(order) - done) / 60
        place = f"[{done}/{len(order)}, about {math.ceil(left)} min left]"
        print(f"{place} {session.name}, round {round}, {peer.title}: {outcome}", flush=True)


def _outcome(session: Session, lines: Sequence[Line]) -> str:
    """The figure that each workload is about, marked where the run is invalid."""
    words = []
    for workload, line in zip(session.workloads, lines, strict=True):
        column = workload.columns[0]
        mark = "" if judge(workload, line).is_valid else "!"
        words.append(f"{number(column.of(line), column.digits)}{mark} {column.title}")
    return " · ".join(words)


def chosen_peers(names: str) -> list[Peer]:
    """The peers named; those in Node only if they can be had."""
    peers = [PEERS[name] for name in names.split(",")]
    if any(peer.in_node for peer in peers):
        try:
            node.install()
        except node.NotInstalled as error:
            print(f"Without the peers in Node, which could not be installed: {error}", flush=True)
            peers = [peer for peer in peers if not peer.in_node]
    return peers


def parsed(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="smaller crowds, one round")
    parser.add_argument("--rounds", type=int, help="of the short workloads")
    parser.add_argument("--seconds", type=float, help="that a short workload is measured")
    parser.add_argument("--peers", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--workloads", default="*", help="names or patterns, see --list")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where counts are written")
    parser.add_argument("--from", dest="kept", type=Path, help="measure nothing, show these counts")
    parser.add_argument("--chart", type=Path, help="write a picture (SVG) there")
    parser.add_argument("--list", action="store_true", help="name the workloads and peers")
    options = parser.parse_args(given)
    options.peers = options.peers or ",".join(QUICK_PEERS if options.quick else PEERS)
    if unknown := set(options.peers.split(",")) - set(PEERS):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    return options


def size_of(options: argparse.Namespace) -> Size:
    size = QUICK_SIZE if options.quick else FULL
    wishes = {"rounds": options.rounds, "seconds": options.seconds}
    return replace(size, **{name: wish for name, wish in wishes.items() if wish})


def measured(options: argparse.Namespace, size: Size) -> Results:
    """Ask; an interrupt ends everything that was started, and keeps what was measured."""
    machine.allow_many_files()
    load.program()
    peers = chosen_peers(options.peers)
    results = Results(
        machine.describe(),
        size,
        {peer.name: peer.title for peer in peers},
        {peer.name: peer.versions() for peer in peers},
    )
    order = list(turns(sessions(size, options.workloads.split(",")), peers))
    try:
        asyncio.run(compare(results, order))
    except KeyboardInterrupt:
        print("\nInterrupted; the servers and the client are ended. This much was measured:")
    results.write(options.results)
    return results


def show(results: Results, options: argparse.Namespace) -> None:
    text = report(results)
    print(f"\n{text}")
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.with_suffix(".md").write_text(text, "utf-8")
    if options.chart:
        options.chart.parent.mkdir(parents=True, exist_ok=True)
        options.chart.write_text(chart(results), "utf-8")
        print(f"The chart is in {options.chart}.")
    print(f"Counts and tables are in {options.results} and beside it.")
    print(json.dumps(summary(results), ensure_ascii=False))


def summary(results: Results) -> dict[str, dict[str, dict[str, float | None]]]:
    """The medians, by workload and peer; None for what could not be counted."""
    return {
        answer.workload.name: {
            row.peer: {key: _short(value) for key, value in row.values.items()}
            | {"is_valid": row.is_valid}
            for row in answer.rows
        }
        for answer in answers(results)
    }


def _short(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.4g}")


def list_all(size: Size) -> None:
    for session in sessions(size):
        for workload in session.workloads:
            print(f"{workload.name:16} {workload.title}")
    print()
    for peer in PEERS.values():
        print(f"{peer.name:16} {peer.title}")


def main(given: Sequence[str] | None = None) -> int:
    options = parsed(given)
    if options.list:
        list_all(size_of(options))
        return 0
    try:
        results = read(options.kept) if options.kept else measured(options, size_of(options))
    except NoCompiler as error:
        print(error)
        return 2
    show(results, options)
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
