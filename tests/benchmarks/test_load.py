"""The load client counts right, against our hub and against the least server there can be."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from benchmarks import load
from benchmarks.comparison.validity import judge
from benchmarks.comparison.workloads import QUICK, sessions
from benchmarks.load import Line
from benchmarks.peers import LIMIT, OURS, Peer
from benchmarks.peers.serving import NotServing, serving

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")

SHORT = "seconds=0.2,warm=0"
PEOPLE = 40


async def ask(peer: Peer, *steps: str, people: int = PEOPLE) -> list[Line]:
    async with (
        serving(peer) as server,
        load.crowd(server.port, server.pid, people, ("connect:warm=0", *steps)) as lines,
    ):
        return [line async for line in lines]


def assert_nothing_strange(lines: Sequence[Line]) -> None:
    troubles = ("failed", "lost", "strange", "missing", "doubled", "behind", "unfinished")
    assert [line.get(trouble, 0) for line in lines for trouble in troubles] == [0] * 7 * len(lines)


@pytest.mark.parametrize("peer", [OURS, LIMIT], ids=lambda peer: peer.name)
async def test_everybody_hears_everything_once(peer: Peer) -> None:
    steps = (
        f"fanout:window=1,{SHORT}",
        f"fanout:window=8,senders=5,{SHORT}",
        f"fanout:rate=50,{SHORT}",
    )

    joined, *talks = await ask(peer, *steps)

    assert joined["up"] == PEOPLE
    assert_nothing_strange([joined, *talks])
    assert all(talk["all_heard"] == talk["all_sent"] * PEOPLE > 0 for talk in talks)
    assert all(0 < talk["delivery_p50_ms"] <= talk["delivery_p99_ms"] for talk in talks)


@pytest.mark.parametrize("peer", [OURS, LIMIT], ids=lambda peer: peer.name)
async def test_every_message_in_a_pair_is_delivered_and_acked(peer: Peer) -> None:
    lines = await ask(peer, f"p2p:window=10,{SHORT}", f"p2p:rate=100,{SHORT}")

    assert_nothing_strange(lines)
    closed, at_rate = lines[1:]
    assert closed["all_heard"] == closed["all_sent"] > 0
    assert closed["acked"] > 0
    assert at_rate["all_heard"] == at_rate["all_sent"] > 0


async def test_a_large_message_arrives_whole() -> None:
    lines = await ask(LIMIT, f"fanout:window=2,filler=70000,{SHORT}", people=5)

    assert_nothing_strange(lines)
    assert lines[1]["all_heard"] == lines[1]["all_sent"] * 5 > 0


async def test_the_stuck_are_not_waited_for() -> None:
    lines = await ask(OURS, f"fanout:rate=100,stuck=10,{SHORT}")

    assert_nothing_strange(lines)
    assert lines[1]["all_heard"] == lines[1]["all_sent"] * (PEOPLE - 10) > 0


async def test_those_who_leave_are_gone_and_what_it_cost_is_told() -> None:
    lines = await ask(OURS, "leave:count=30")

    assert_nothing_strange(lines)
    assert (lines[1]["left"], lines[1]["up"], lines[1]["quiet"]) == (30, PEOPLE - 30, 1)
    assert lines[1]["server_s"] > 0


async def join_with_tickets(file: Path, *, shown: Path | None = None) -> Line:
    async with (
        serving(OURS, "--tickets", str(file), str(PEOPLE)) as server,
        load.crowd(
            server.port, server.pid, PEOPLE, [f"connect:warm=0,tickets={shown or file}"]
        ) as lines,
    ):
        return await anext(lines)


async def test_everybody_is_let_in_by_a_ticket_of_their_own(tmp_path: Path) -> None:
    joined = await join_with_tickets(tmp_path / "tickets")

    assert_nothing_strange([joined])
    assert joined["up"] == PEOPLE


async def test_who_shows_no_ticket_of_this_server_is_counted_as_refused(tmp_path: Path) -> None:
    (shown := tmp_path / "wrong").write_text("no-ticket\n" * PEOPLE)

    refused = await join_with_tickets(tmp_path / "tickets", shown=shown)

    assert (refused["up"], refused["failed"]) == (0, PEOPLE)


async def test_too_few_tickets_are_no_step(tmp_path: Path) -> None:
    (shown := tmp_path / "few").write_text("one\n")

    with pytest.raises(load.LoadFailed, match="not a step"):
        await join_with_tickets(tmp_path / "tickets", shown=shown)


async def test_people_whom_the_server_drops_make_a_run_invalid() -> None:
    steps = ("connect:warm=0", *["idle:seconds=0.2"] * 100)
    async with (
        serving(LIMIT) as server,
        load.crowd(server.port, server.pid, PEOPLE, steps) as lines,
    ):
        joined = await anext(lines)
        server.end()
        dropped = [line async for line in until_all_are_lost(lines)]

    assert joined["up"] == PEOPLE
    workload = next(w for s in sessions(QUICK) for w in s.workloads if w.name == "idle")
    assert "40 lost their connection" in judge(workload, dropped[-1]).flaws


async def until_all_are_lost(lines: AsyncIterator[Line]) -> AsyncIterator[Line]:
    async for line in lines:
        yield line
        if line["lost"] == PEOPLE:
            return


async def test_a_server_that_does_not_come_up_is_named_with_its_last_words() -> None:
    broken = Peer("broken", "Broken", lambda port: ("sh", "-c", "echo no luck; exit 3"), str)

    with pytest.raises(NotServing, match="no luck"):
        async with serving(broken):
            pass


async def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(load.LoadFailed, match="not a step: dance"):
        await ask(LIMIT, "dance")


async def test_a_client_that_is_given_up_is_gone() -> None:
    async with serving(LIMIT) as server:
        gone = load.crowd(server.port, server.pid, 1, ("connect", "idle:seconds=60"))
        async with asyncio.timeout(30), gone as lines:
            joined = await anext(lines)

    assert joined["up"] == 1
