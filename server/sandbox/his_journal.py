"""What the stand-in HIS has sent or is about to: batches on disk before they go out, and their receipts.

One file a day, a JSON object a line: a batch with where the hospital's life stood after it, or the number
of a batch that was acknowledged. A line that a kill cut short is as if it had never been written.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.sandbox.his_day import Event

KEPT_FILES: Final = 3


@dataclass(frozen=True, slots=True)
class Life:
    """How far the hospital's life has come: the moment in its plan up to which everything is written,
    how far that is ahead of the clock, and which round of planned days it is."""

    cursor: int = 0
    ahead_ms: int = 0
    round: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that go out together."""

    number: int
    events: tuple[Event, ...]


class Journal:
    """The files `his-<day>.jsonl` in a folder. `open` reads what was kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = 0
        self.life = Life()
        self.pending: dict[int, Batch] = {}
        self.readings: dict[str, int] = {}
        """Each department's inpatients as last written."""

    async def open(self) -> None:
        await asyncio.to_thread(self._read)

    def _read(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._files():
            whole = _whole_lines(path)
            if len(whole) < path.stat().st_size:
                os.truncate(path, len(whole))
        for line in self._lines():
            if "acked" in line:
                self.pending.pop(line["acked"], None)
                continue
            batch = Batch(line["batch"], tuple(line["events"]))
            self.pending[batch.number] = batch
            self._numbers = batch.number
            self.life = Life(**line["life"])
            self._note_readings(batch)

    def _lines(self) -> Iterator[dict[str, Any]]:
        for path in self._files():
            for line in _whole_lines(path).splitlines():
                yield json.loads(line)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("his-*.jsonl"))

    async def write(self, day: str, life: Life, events: tuple[Event, ...]) -> Batch:
        """Put a batch on disk; it may go out afterwards."""
        batch = Batch(self._numbers + 1, events)
        facts = {"cursor": life.cursor, "ahead_ms": life.ahead_ms, "round": life.round}
        line = {"batch": batch.number, "life": facts, "events": list(events)}
        await asyncio.to_thread(self._append, day, line)
        self._numbers, self.life = batch.number, life
        self.pending[batch.number] = batch
        self._note_readings(batch)
        return batch

    async def acked(self, day: str, batch: Batch) -> None:
        """Yuanxin has it. If this line is lost the batch goes out again, which changes nothing."""
        if self.pending.pop(batch.number, None) is not None:
            await asyncio.to_thread(self._append, day, {"acked": batch.number})

    def _append(self, day: str, line: dict[str, Any]) -> None:
        path = self._folder / f"his-{day}.jsonl"
        is_new = not path.exists()
        with path.open("ab") as file:
            file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
            file.flush()
            if "batch" in line:
                os.fsync(file.fileno())
        if is_new:
            for old in self._files()[:-KEPT_FILES]:
                old.unlink()

    def _note_readings(self, batch: Batch) -> None:
        for event in batch.events:
            if event["kind"] == "inpatients":
                self.readings[event["department_id"]] = event["value"]

    async def events(self) -> list[Event]:
        """Everything in the files, in the order written: for counting."""
        return await asyncio.to_thread(
            lambda: [event for line in self._lines() for event in line.get("events", ())]
        )


def _whole_lines(path: Path) -> bytes:
    kept = path.read_bytes()
    return kept[: kept.rfind(b"\n") + 1]


Totals = dict[str, dict[str, dict[str, int]]]
"""By day, department, and metric or `metric:type`."""


def totals(events: list[Event], day_of: Callable[[int], str]) -> Totals:
    """What the events amount to, counted afresh; `day_of` gives the day of a moment."""
    cancelled = {event["cancels"] for event in events if "cancels" in event}
    corrected = {event["corrects"]: event for event in events if "corrects" in event}
    counts: Counter[tuple[str, str, str]] = Counter()
    readings: dict[tuple[str, str], tuple[int, str, int]] = {}
    for event in events:
        if event["event_id"] in cancelled or "cancels" in event or "corrects" in event:
            continue
        said = corrected.get(event["event_id"], event)
        day, department = day_of(event["at"]), said["department_id"]
        if said["kind"] == "inpatients":
            reading = (event["at"], event["event_id"], said["value"])
            readings[day, department] = max(reading, readings.get((day, department), (0, "", 0)))
        else:
            name = f"{said['kind']}:{said['type']}" if "type" in said else said["kind"]
            counts[day, department, name] += said.get("count", 1)
    found: Totals = {}
    for (day, department, name), count in counts.items():
        found.setdefault(day, {}).setdefault(department, {})[name] = count
    for (day, department), (_, _, value) in readings.items():
        found.setdefault(day, {}).setdefault(department, {})["inpatients"] = value
    return found
