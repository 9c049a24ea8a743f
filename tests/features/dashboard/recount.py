"""What figures a set of events makes, counted afresh and by other means than the server's.

The zone is China's: eight hours ahead, always.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

Event = dict[str, Any]
Sums = tuple[Counter[tuple[str, str, str, int]], dict[tuple[str, str, int], int]]
"""Counts by day, department, metric and hour; last readings by day, department and hour."""

HOUR_MS = 3_600_000
EAST_MS = 8 * HOUR_MS


def recount(events: Iterable[Event]) -> Sums:
    """Count every fact once."""
    every = {event["event_id"]: event for event in events}
    counts: Counter[tuple[str, str, str, int]] = Counter()
    readings: dict[tuple[str, str, int], tuple[int, str, int]] = {}
    for id, original in every.items():
        if "corrects" in original or "cancels" in original:
            continue
        if any(other.get("cancels") == id for other in every.values()):
            continue
        corrections = [other for other in every.values() if other.get("corrects") == id]
        said = max(corrections, key=lambda e: (e["at"], e["event_id"]), default=original)
        at = original["at"]
        day, hour = day_of(at), (at + EAST_MS) // HOUR_MS % 24
        where = said["department_id"]
        if said["kind"] == "inpatients":
            reading = (at, id, said["value"])
            readings[day, where, hour] = max(reading, readings.get((day, where, hour), (0, "", 0)))
        else:
            kind = f"{said['kind']}:{said['type']}" if "type" in said else said["kind"]
            counts[day, where, kind, hour] += said.get("count", 1)
    return counts, {place: value for place, (_, _, value) in readings.items()}


def day_of(at: int) -> str:
    """The day in China."""
    return datetime.fromtimestamp((at + EAST_MS) / 1000, UTC).date().isoformat()


def stored(docs: Iterable[dict[str, Any]]) -> Sums:
    """What the server keeps, in the same form."""
    counts: Counter[tuple[str, str, str, int]] = Counter()
    readings: dict[tuple[str, str, int], int] = {}
    for doc in docs:
        place = doc["day"], doc["department_id"]
        for kind, hours in doc.get("counts", {}).items():
            for hour, count in enumerate(hours):
                if count:
                    counts[(*place, kind, hour)] = count
        for hour, reading in doc.get("readings", {}).items():
            readings[(*place, int(hour))] = reading["value"]
    return counts, readings
