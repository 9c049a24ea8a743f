"""The comparison as a picture: for every question, how many times better than the measure each server is.

An SVG written by hand, so that nothing needs installing. It brings its own ground and has colours for
light and dark, so that it can be read wherever it is shown. The scale is logarithmic: twice as good is as
far to the right as half as good is to the left.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from benchmarks.comparison.results import MEASURE, Answer, Results, Row, answers
from benchmarks.comparison.table import number, times

SHOWN: Final = {
    "join-hall": ("per_cpu_s", "joins per CPU second"),
    "fanout-room-1": ("per_cpu_s", "deliveries per CPU second"),
    "fanout-room-64": ("per_cpu_s", "deliveries per CPU second"),
    "fanout-hall-4": ("per_cpu_s", "deliveries per CPU second"),
    "fanout-room-rate": ("p99_ms", "ms, p99"),
    "p2p": ("per_cpu_s", "acked per CPU second"),
    "p2p-rate": ("p99_ms", "ms, p99"),
    "idle": ("kb_each", "KB for each"),
    "leave": ("server_s", "CPU seconds"),
}
"""The figure of a workload that is drawn, and its unit in words."""
DRAWN: Final = ("ours", "ws", "stock-uvloop")
"""The measure itself is the line at 1."""

WIDTH: Final = 960
LEFT: Final = 40
RIGHT: Final = 250
TOP: Final = 92
BAR: Final = 16
GAP: Final = 44
LEAST: Final = 0.05
MOST: Final = 40.0

STYLE: Final = """
  svg { --ground: #ffffff; --ink: #1f2328; --soft: #59636e; --rule: #d1d9e0;
        --ours: #0969da; --ws: #8c959f; --stock-uvloop: #bf8700; }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --ink: #f0f6fc; --soft: #9198a1; --rule: #3d444d;
          --ours: #4493f8; --ws: #6e7681; --stock-uvloop: #d29922; }
  }
  text { font: 13px system-ui, sans-serif; fill: var(--ink); }
  .title { font-weight: 600; } .big { font-size: 18px; font-weight: 600; } .soft { fill: var(--soft); }
  .ground { fill: var(--ground); } .rule { stroke: var(--rule); } .one { stroke: var(--soft); }
  .ours { fill: var(--ours); } .ws { fill: var(--ws); } .stock-uvloop { fill: var(--stock-uvloop); }
"""


@dataclass(frozen=True)
class Group:
    """One question with the bars of those who were asked."""

    title: str
    key: str
    unit: str
    digits: int
    bars: tuple[Row, ...]
    measure: Row

    @property
    def height(self) -> int:
        return GAP + BAR * len(self.bars)


def chart(results: Results) -> str:
    """The picture; only questions that the measure was asked too."""
    groups = [group for answer in answers(results) if (group := _group(answer))]
    height = TOP + sum(group.height for group in groups) + 36
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>Yuanxin compared with other servers</title><style>{STYLE}</style>",
        _box("ground", 0, 0, WIDTH, height),
        *_head(results, groups),
        *_scale(height - 30),
    ]
    top = TOP
    for group in groups:
        parts += _draw(group, top)
        top += group.height
    parts += [_text(LEFT, height - 12, _foot(results, groups), "soft"), "</svg>"]
    return "\n".join(parts) + "\n"


def _group(answer: Answer) -> Group | None:
    key, unit = SHOWN.get(answer.workload.name, ("", ""))
    rows = {row.peer: row for row in answer.rows}
    if not key or MEASURE not in rows:
        return None
    bars = tuple(rows[peer] for peer in DRAWN if peer in rows)
    digits = next(column.digits for column in answer.workload.columns if column.key == key)
    return Group(answer.workload.title, key, unit, digits, bars, rows[MEASURE])


def _head(results: Results, groups: Sequence[Group]) -> Iterator[str]:
    yield _text(LEFT, 32, "Times better than Node’s Socket.IO", "big")
    drawn = {bar.peer for group in groups for bar in group.bars}
    x = LEFT
    for peer in (peer for peer in DRAWN if peer in drawn):
        yield _box(peer, x, 48, 12, 12)
        yield _text(x + 18, 59, results.titles[peer], "soft")
        x += 40 + 8 * len(results.titles[peer])


def _foot(results: Results, groups: Sequence[Group]) -> str:
    machine = f"{results.machine['cores']} cores of {results.machine['processor']}, loopback"
    rows = [row for group in groups for row in (group.measure, *group.bars)]
    doubtful = "" if all(row.is_valid for row in rows) else "; ! has no valid round"
    return f"{machine}; {results.versions.get(MEASURE, '')}{doubtful}"


def _scale(bottom: int) -> Iterator[str]:
    """A line for each step; the one at 1 is the measure."""
    for step in (0.1, 0.3, 1, 3, 10, 30):
        x = _place(step)
        kind = "one" if step == 1 else "rule"
        yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{bottom}"/>'
        yield _text(x, TOP - 14, f"{step:g}×", "soft", "middle")


def _place(ratio: float) -> float:
    share = math.log(min(max(ratio, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _draw(group: Group, top: int) -> Iterator[str]:
    measure = number(group.measure.values[group.key], group.digits)
    told = f"{group.title} — {group.unit}; Socket.IO (Node): {measure}{_mark(group.measure)}"
    yield _box("ground", LEFT, top + 8, len(told) * 6.8, 18)
    yield _text(LEFT, top + 22, told, "title")
    for at, row in enumerate(group.bars):
        y, ratio = top + 30 + at * BAR, row.times_better[group.key]
        if math.isnan(ratio):
            yield _text(_place(1) + 6, y + 11, f"no figure{_mark(row)}", "soft")
            continue
        left, right = sorted((_place(1), _place(ratio)))
        width = max(right - left, 2)
        yield _box(row.peer, left, y, width, 12)
        value = f"{times(ratio)}× ({number(row.values[group.key], group.digits)}){_mark(row)}"
        yield _text(max(right, _place(1)) + 6, y + 11, value, "soft")


def _mark(row: Row) -> str:
    return "" if row.is_valid else " !"


def _box(kind: str, x: float, y: float, width: float, height: float) -> str:
    place = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}"'
    return f'<rect class="{kind}" {place} rx="2"/>'


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
