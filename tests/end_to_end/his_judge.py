"""Judges whether figures survived: `python his_judge.py FOLDER`, a program that knows nothing of the server.

`sent.jsonl` holds what a HIS sent: one batch a line, and lines that say which were acknowledged.
`counted.json` holds what Yuanxin counts, by department and metric, `told.json` what its channel says.

`lost_or_doubled` counts the metrics that are not what the acknowledged batches, and some whole ones of
those still without an answer, amount to; `told_wrong` those the channel says otherwise.
"""

import json
import sys
from collections import Counter
from itertools import chain, combinations
from pathlib import Path
from typing import Any

Event = dict[str, Any]
Counts = Counter[tuple[str, str]]


def recount(events: list[Event]) -> Counts:
    """Every fact once, by department and metric."""
    every = {event["event_id"]: event for event in events}
    cancelled = {event["cancels"] for event in every.values() if "cancels" in event}
    latest: dict[str, Event] = {}
    for event in every.values():
        if "corrects" in event:
            before = latest.get(event["corrects"], event)
            latest[event["corrects"]] = max(
                before, event, key=lambda one: (one["at"], one["event_id"])
            )
    counts: Counts = Counter()
    for id, event in every.items():
        if "cancels" in event or "corrects" in event or id in cancelled:
            continue
        said = latest.get(id, event)
        metric = f"{said['kind']}:{said['type']}" if "type" in said else said["kind"]
        counts[said["department_id"], metric] += said.get("count", 1)
    return counts


def flat(nested: dict[str, dict[str, int]]) -> Counts:
    return Counter(
        {(where, metric): n for where, of in nested.items() for metric, n in of.items() if n}
    )


def differences(one: Counts, other: Counts) -> int:
    return sum(one[key] != other[key] for key in one.keys() | other.keys())


def judge(folder: Path) -> dict[str, int]:
    batches: dict[int, list[Event]] = {}
    acked: set[int] = set()
    for line in (folder / "sent.jsonl").read_text().splitlines():
        said = json.loads(line)
        if "acked" in said:
            acked.add(said["acked"])
        else:
            batches[said["batch"]] = said["events"]
    counted = flat(json.loads((folder / "counted.json").read_text()))
    told = flat(json.loads((folder / "told.json").read_text()))
    open_ones = sorted(batches.keys() - acked)
    possible = chain.from_iterable(combinations(open_ones, n) for n in range(len(open_ones) + 1))
    best = min(
        differences(counted, recount([e for n in (*sorted(acked), *some) for e in batches[n]]))
        for some in possible
    )
    return {
        "lost_or_doubled": best,
        "told_wrong": differences(counted, told),
        "batches": len(batches),
        "unanswered": len(open_ones),
    }


if __name__ == "__main__":
    print(json.dumps(judge(Path(sys.argv[1]))))
