"""Tables in Markdown that are padded, so that a terminal shows them as well as a page."""

import math
from collections.abc import Sequence

from benchmarks.comparison.results import Answer, Results, Row, answers
from benchmarks.comparison.workloads import Better, Column
from benchmarks.machine import in_words

LEGEND = """\
× says how many times better than Node's Socket.IO a server is in the figure before it; medians of {rounds} \
interleaved rounds (long workloads, python-socketio and C: one). `per CPU s` is per second of processor that \
the server used: other work on the machine hardly moves it. `server` and `client` are cores used. `!` marks \
figures without a single valid round, with the reason; see docs/decisions/0028-a-client-of-our-own.md."""


def report(results: Results) -> str:
    """Everything in Markdown."""
    parts = [in_words(results.machine) + ".", LEGEND.format(rounds=results.size.rounds)]
    parts += [
        f"**{answer.workload.title}** (`{answer.workload.name}`)\n\n{table(answer)}"
        for answer in answers(results)
    ]
    parts += [
        f"{f.session}, round {f.round}, {f.peer} came to no end: {f.reason}"
        for f in results.failures
    ]
    parts.append(
        "\n".join(
            f"- {results.titles[name]}: {version}" for name, version in results.versions.items()
        )
    )
    return "\n\n".join(parts) + "\n"


def table(answer: Answer) -> str:
    """One workload, a row for each server."""
    columns = answer.workload.columns
    has_ratios = any(row.times_better for row in answer.rows)
    head = ["server", *_heads(columns, has_ratios), ""]
    lines = [head, *(_cells(row, columns, has_ratios) for row in answer.rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:-1]), "-" * widths[-1]]
    return "\n".join(_joined(line, widths) for line in (head, rule, *lines[1:]))


def _heads(columns: Sequence[Column], has_ratios: bool) -> list[str]:
    heads = []
    for column in columns:
        heads += [column.title, "×"] if _has_ratio(column, has_ratios) else [column.title]
    return heads


def _has_ratio(column: Column, has_ratios: bool) -> bool:
    return has_ratios and column.better is not Better.NEITHER


def _cells(row: Row, columns: Sequence[Column], has_ratios: bool) -> list[str]:
    cells = [row.title]
    for column in columns:
        cells.append(number(row.values[column.key], column.digits))
        if _has_ratio(column, has_ratios):
            cells.append(times(row.times_better.get(column.key, math.nan)))
    mark = "" if row.is_valid else "! "
    return [*cells, mark + "; ".join(row.remarks)]


def number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"


def times(ratio: float) -> str:
    """A ratio, in as many digits as it deserves."""
    if math.isnan(ratio):
        return "–"
    return f"{ratio:.3f}" if ratio < 0.1 else f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest, last = cells
    middle = (cell.rjust(width) for cell, width in zip(rest, widths[1:-1], strict=True))
    return "| " + " | ".join((first.ljust(widths[0]), *middle, last.ljust(widths[-1]))) + " |"
