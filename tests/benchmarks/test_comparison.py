"""What is made of the counts: which runs count, medians, ratios, the tables and the picture."""

import math
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.compare import turns
from benchmarks.comparison.chart import chart
from benchmarks.comparison.results import Failure, Results, Run, answers, read
from benchmarks.comparison.table import report
from benchmarks.comparison.validity import judge
from benchmarks.comparison.workloads import FULL, QUICK, Workload, sessions
from benchmarks.load import Line
from benchmarks.peers import PEERS

WORKLOADS = {workload.name: workload for s in sessions(FULL) for workload in s.workloads}
FANOUT = WORKLOADS["fanout-room-1"]


def line(**told: float) -> Line:
    """A second of a quiet machine in which a fan-out kept the server busy."""
    usual = {
        "took_s": 1.0, "server_s": 0.9, "client_s": 0.3, "server_disturbed_s": 0.01,
        "client_disturbed_s": 0.01, "stolen_s": 0.0, "resident_empty_bytes": 50e6,
        "resident_before_bytes": 60e6, "resident_bytes": 60e6, "up": 1000.0, "failed": 0.0, "lost": 0.0,
        "cut": 0.0, "strange": 0.0, "sent": 100.0, "heard": 100_000.0, "delivery_p50_ms": 5.0,
        "delivery_p99_ms": 10.0, "missing": 0.0, "behind": 0.0, "doubled": 0.0,
    }  # fmt: skip
    return {**usual, **told}


def results(*runs: Run) -> Results:
    titles = {name: peer.title for name, peer in PEERS.items()}
    machine = {
        "cores": 2, "processor": "a processor", "memory_gib": 4, "system": "Linux", "python": "3.11",
        "yuanxin": "abc", "load": 0.1,
    }  # fmt: skip
    return Results(machine, FULL, titles, dict.fromkeys(titles, "1.0"), list(runs))


def test_a_quiet_run_with_a_busy_server_is_valid() -> None:
    judgement = judge(FANOUT, line(), cores=2)

    assert (judgement.is_valid, judgement.notes) == (True, ())


@pytest.mark.parametrize(
    ("told", "flaw"),
    [
        ({"client_s": 0.95}, "client saturated, used 95% of its core"),
        ({"server_disturbed_s": 0.3}, "too noisy, server held up for 30%"),
        ({"client_disturbed_s": 0.2}, "too noisy, client held up for 20%"),
        ({"stolen_s": 0.5}, "too noisy, 25% stolen from the machine"),
        ({"lost": 2}, "2 lost their connection"),
        ({"doubled": 1}, "1 deliveries came twice"),
        ({"behind": 7}, "7 deliveries or acks of the step before were late"),
    ],
)
def test_a_run_that_says_nothing_about_the_server_is_invalid(told: Line, flaw: str) -> None:
    assert judge(FANOUT, line(**told), cores=2).flaws == (flaw,)


def test_other_work_takes_time_but_neither_memory_nor_processor() -> None:
    judgement = judge(WORKLOADS["idle"], line(server_disturbed_s=0.3, stolen_s=0.5), cores=2)

    assert judgement.is_valid
    assert judgement.notes == ("too noisy, server held up for 30%, 25% stolen from the machine",)


def test_on_one_core_no_run_is_valid() -> None:
    assert judge(FANOUT, line(), cores=1).flaws == ("client and server share the only core",)


def test_a_server_that_does_not_keep_up_is_a_finding() -> None:
    judgement = judge(WORKLOADS["fanout-room-rate"], line(heard=20_000), cores=2)

    assert judgement.is_valid
    assert judgement.notes == ("overload, kept 40% of what was offered",)


def test_invalid_rounds_are_left_out_of_the_median() -> None:
    counted = (90_000, 110_000, 1_000_000)
    runs = [Run("ours", FANOUT.name, n, line(heard=heard)) for n, heard in enumerate(counted, 1)]
    runs[2].line["client_s"] = 0.99

    (answer,) = answers(results(*runs))

    assert answer.rows[0].values["per_s"] == 100_000
    assert (answer.rows[0].is_valid, answer.rows[0].remarks) == (True, ())


def test_without_a_valid_round_the_figures_are_marked() -> None:
    measured = results(Run("ours", FANOUT.name, 1, line(client_s=0.99)))

    assert "! client saturated, used 99% of its core" in report(measured)


def test_a_ratio_above_one_is_better_whichever_way_the_figure_counts() -> None:
    leave = WORKLOADS["leave"]
    measured = results(
        Run("ours", FANOUT.name, 1, line(heard=300_000)),
        Run("node", FANOUT.name, 1, line(heard=100_000)),
        Run("ours", leave.name, 1, line(server_s=0.1)),
        Run("node", leave.name, 1, line(server_s=0.4)),
    )

    fanout, left = answers(measured)

    assert fanout.rows[0].times_better["per_s"] == pytest.approx(3)
    assert left.rows[0].times_better["server_s"] == pytest.approx(4)
    assert left.rows[1].times_better["server_s"] == 1


def test_without_the_measure_there_are_figures_and_no_ratios() -> None:
    text = report(results(Run("ours", FANOUT.name, 1, line())))

    assert "100,000" in text
    assert "| × |" not in text


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    measured = results(Run("ours", FANOUT.name, 1, line()))
    measured.failures.append(Failure("node", "room", 1, "no luck"))

    measured.write(tmp_path / "kept.json")

    assert read(tmp_path / "kept.json") == measured
    assert "room, round 1, node came to no end: no luck" in report(measured)


def test_the_picture_is_whole_and_names_who_is_in_it() -> None:
    runs = [
        Run(peer, workload.name, 1, line(heard=heard, ack_p99_ms=1.0, acked=5.0))
        for workload in WORKLOADS.values()
        for peer, heard in (("ours", 400_000), ("node", 100_000), ("stock-uvloop", 0))
    ]

    picture = chart(results(*runs))

    ElementTree.fromstring(picture)  # noqa: S314
    assert "Yuanxin" in picture
    assert "4.00×" in picture
    assert "nan" not in picture


def test_servers_take_turns_within_a_round() -> None:
    room = next(session for session in sessions(FULL) if session.name == "room")

    order = [(round, peer.name) for round, _, peer in turns([room], list(PEERS.values()))]

    assert [name for round, name in order if round == 1] == list(PEERS)
    assert [name for round, name in order if round == 2] == ["ours", "node", "ws"]
    assert [round for round, _ in order] == sorted(round for round, _ in order)


def test_workloads_are_chosen_by_pattern_and_joining_comes_first() -> None:
    chosen = sessions(QUICK, ["fanout-room*", "idle"])

    assert [[w.name for w in session.workloads] for session in chosen] == [
        ["join-room", "fanout-room-1", "fanout-room-4", "fanout-room-64", "fanout-room-rate"],
        ["join-idle", "idle"],
    ]


def test_a_figure_that_was_not_counted_is_nothing_rather_than_wrong() -> None:
    stuck: Workload = WORKLOADS["slow-some"]
    against_quiet = next(column for column in stuck.columns if column.key == "against_quiet")

    assert math.isnan(against_quiet.of(line()))
    assert against_quiet.of(line(before_delivery_p99_ms=5.0)) == 2
