"""When a run says something about the server, and when only about the client or the machine.

A run with a `flaw` is invalid: its figures are left out as long as another round of the same has none,
and marked where it has to be shown. What is merely `noted` belongs to the finding: a server that does not
keep up is no fault of the measurement.
"""

import os
from dataclasses import dataclass
from typing import Final

from benchmarks.comparison.workloads import Workload
from benchmarks.load import Line

CLIENT_FULL: Final = 0.9
"""Of a core. From there on the client may be what is measured."""
MOST_DISTURBED: Final = 0.1
"""Of the time, in which other work held the server or the client up."""
MOST_STOLEN: Final = 0.1
"""Of the machine, taken by other machines on the same hardware."""
KEEPS_UP: Final = 0.97
"""Of what was offered; a little is on its way when the time is over."""


@dataclass(frozen=True)
class Judgement:
    flaws: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_valid(self) -> bool:
        return not self.flaws


def judge(workload: Workload, line: Line, cores: int | None = None) -> Judgement:
    """What is wrong with a run, and what is to be said about it."""
    count = cores or len(os.sched_getaffinity(0))
    flaws, notes = _flaws(line, count), _notes(workload, line)
    # Other work takes time from a server; what it uses itself stays nearly the same.
    noise = _noise(line, count)
    if workload.is_timed:
        flaws += noise
    else:
        notes += noise
    return Judgement(tuple(flaws), tuple(notes))


def _flaws(line: Line, cores: int) -> list[str]:
    """What makes the figures of any workload doubtful."""
    counts = {
        "never joined": line["failed"],
        "lost their connection": line["lost"],
        "deliveries came twice": line.get("doubled", 0),
        "packets were not understood": line["strange"],
        "deliveries or acks of the step before were late": line.get("behind", 0),
    }
    flaws = [f"{count:.0f} {what}" for what, count in counts.items() if count]
    if (share := line["client_s"] / max(line["took_s"], 1e-9)) > CLIENT_FULL:
        flaws.append(f"client saturated, used {share:.0%} of its core")
    return flaws if cores > 1 else [*flaws, "client and server share the only core"]


def _noise(line: Line, cores: int) -> list[str]:
    """How other work on the machine got into the way."""
    took = max(line["took_s"], 1e-9)
    shares = (
        (line["server_disturbed_s"] / took, MOST_DISTURBED, "server held up for {:.0%}"),
        (line["client_disturbed_s"] / took, MOST_DISTURBED, "client held up for {:.0%}"),
        (line["stolen_s"] / took / cores, MOST_STOLEN, "{:.0%} stolen from the machine"),
    )
    found = [words.format(share) for share, most, words in shares if share > most]
    return [f"too noisy, {', '.join(found)}"] if found else []


def _notes(workload: Workload, line: Line) -> list[str]:
    notes = []
    if workload.offered_per_s and "heard" in line:
        kept = line["heard"] / line["took_s"] / workload.offered_per_s
        if kept < KEEPS_UP:
            notes.append(f"overload, kept {kept:.0%} of what was offered")
    if line.get("missing"):
        notes.append(f"{line['missing']:,.0f} deliveries still owed 8 s after the end")
    if line.get("quiet") == 0:
        notes.append("not quiet after 60 s")
    return notes
