"""What was measured, as it is kept in a file, and the medians that tables and the chart show."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.comparison.validity import judge
from benchmarks.comparison.workloads import Better, Column, Session, Size, Workload, sessions
from benchmarks.load import Line

MEASURE = "node"
"""Ratios are to this peer."""


@dataclass(frozen=True)
class Run:
    """One workload against one server in one round."""

    peer: str
    workload: str
    round: int
    line: Line


@dataclass(frozen=True)
class Failure:
    """A session that came to no end."""

    peer: str
    session: str
    round: int
    reason: str


@dataclass
class Results:
    """Everything that was measured, on one machine, in one go."""

    machine: dict[str, Any]
    size: Size
    titles: dict[str, str]
    """Of the peers, by name, in the order in which they are shown."""
    versions: dict[str, str]
    runs: list[Run] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")


def read(file: Path) -> Results:
    return msgspec.json.decode(file.read_bytes(), type=Results)


@dataclass(frozen=True)
class Row:
    """One server's medians of one workload."""

    peer: str
    title: str
    values: dict[str, float]
    times_better: dict[str, float]
    """Than the measure; above 1 is better, whichever way the figure counts."""
    is_valid: bool
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """All servers beside one another."""

    workload: Workload
    rows: tuple[Row, ...]


def answers(results: Results) -> list[Answer]:
    """Every workload that was measured, in order."""
    all_sessions: Sequence[Session] = sessions(results.size)
    asked = [workload for session in all_sessions for workload in session.workloads]
    return [answer for workload in asked if (answer := _answer(results, workload)).rows]


def _answer(results: Results, workload: Workload) -> Answer:
    rows = [
        _row(workload, peer, title, runs)
        for peer, title in results.titles.items()
        if (runs := [r for r in results.runs if (r.peer, r.workload) == (peer, workload.name)])
    ]
    measure = next((row for row in rows if row.peer == MEASURE), None)
    return Answer(workload, tuple(_beside(row, measure, workload) for row in rows))


def _row(workload: Workload, peer: str, title: str, runs: Sequence[Run]) -> Row:
    """Medians of the valid rounds; of all rounds, with what is wrong with them, when none is valid."""
    judged = [(run, judge(workload, run.line)) for run in runs]
    valid = [(run, judgement) for run, judgement in judged if judgement.is_valid]
    counted = valid or judged
    return Row(
        peer=peer,
        title=title,
        values={c.key: _median(c, [run for run, _ in counted]) for c in workload.columns},
        times_better={},
        is_valid=bool(valid),
        remarks=tuple(dict.fromkeys(w for _, j in counted[:1] for w in (*j.flaws, *j.notes))),
    )


def _median(column: Column, runs: Sequence[Run]) -> float:
    return statistics.median(column.of(run.line) for run in runs)


def _beside(row: Row, measure: Row | None, workload: Workload) -> Row:
    if measure is None:
        return row
    ratios = {
        column.key: _times_better(column, row.values[column.key], measure.values[column.key])
        for column in workload.columns
        if column.better is not Better.NEITHER
    }
    return Row(row.peer, row.title, row.values, ratios, row.is_valid, row.remarks)


def _times_better(column: Column, value: float, measure: float) -> float:
    above, below = (value, measure) if column.better is Better.MORE else (measure, value)
    return above / below if below else float("nan")
