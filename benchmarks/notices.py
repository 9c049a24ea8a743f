"""What do notices cost while 1,500 conversations are busy, and how soon is a long queue empty?

Busy: every conversation changes about three times a second (its owed row is written again each time),
twenty people follow each, and all of them are connected but have not yet proved it: the worst case for
looking. Reported is the time the notifier takes per second of that, and how long it kept the event loop
from others. Queue: 10,000 notices for 1,000 people who are away, WeCom answering at once, no rate set.

    python -m benchmarks.notices [--seconds 20] [--queue 10000]
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from realtime.application import Reach
from server.clock import Millis, SystemClock
from server.integrations.wecom.memory import MemoryWeCom
from server.notify import Claim, Draft, Notifier
from server.notify.state import SenderState
from server.notify.wishes import Wishes
from server.outbox import DOCUMENTS, Owed
from server.settings import Settings
from server.storage import Op, Put, Store
from server.storage.document import to_doc
from server.storage.sqlite import SqliteStore

QUICK: Final = "--seconds 4 --queue 3000"
CONVERSATIONS = 1_500
MEMBERS = 20
AWAY = 1_000


class Duty:
    """Answers from memory: measured is the notifier, not a feature."""

    kind = "chat"

    def __init__(self, members: int) -> None:
        self.people = [f"s{number:04}" for number in range(members)]
        self.told: set[tuple[str, str]] = set()
        self.first_at = 0

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        return {row.subject: self._claims(row) for row in owed}

    def _claims(self, row: Owed) -> list[Claim]:
        return [
            Claim(person, upto=1, first_at=self.first_at, newest_at=row.at)
            for person in self.people
            if (row.subject, person) not in self.told
        ]

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        return Draft("产科一组", "张三 发来一条新消息", f"/c/{subject}", upto=1, newest_at=0)

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        self.told.update((subject, person) for person in upto)
        return []


class Everybody:
    """All in the same reach."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def reach(self, people: Collection[str], since: int) -> dict[str, Reach]:
        return dict.fromkeys(people, self._reach)

    async def online(self, people: Collection[str]) -> set[str]:
        return set(people)


def owed(number: int, now: Millis) -> Put:
    row = Owed(id=f"chat:c{number}", kind="chat", subject=f"c{number}", at=now, due_at=now)
    return Put("owed", to_doc(row), None)


async def busy(store: Store, seconds: int) -> dict[str, float]:
    """Figures of looking, in milliseconds."""
    clock = SystemClock()
    duties = [Duty(MEMBERS)]
    notifier = Notifier(store, Everybody(Reach.PENDING), None, clock, Settings(), duties, str)
    lags: list[float] = []
    stop = asyncio.Event()

    async def write() -> None:
        number = 0
        while not stop.is_set():
            ops = [owed((number + step) % CONVERSATIONS, clock.now()) for step in range(250)]
            await store.apply(*ops)
            number += 250
            await asyncio.sleep(0.05)

    async def lag() -> None:
        while not stop.is_set():
            due = time.perf_counter() + 0.005
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter() - due)

    async def look() -> float:
        spent = 0.0
        for _ in range(seconds):
            begun = time.perf_counter()
            while await notifier.look_step():
                pass
            spent += time.perf_counter() - begun
            await asyncio.sleep(max(0.0, 1.0 - (time.perf_counter() - begun)))
        return spent

    tasks = [asyncio.create_task(write()), asyncio.create_task(lag())]
    await asyncio.sleep(1)
    quiet, lags[:] = sorted(lags), []
    spent = await look()
    stop.set()
    await asyncio.gather(*tasks)
    lags.sort()
    figures = {
        "looking_ms_per_s": spent / seconds * 1000,
        "lag_p99_ms": lags[int(len(lags) * 0.99)] * 1000,
        "quiet_lag_p99_ms": quiet[int(len(quiet) * 0.99)] * 1000,
    }
    print(f"  {CONVERSATIONS} conversations of {MEMBERS}, rows written about 5,000 times a second")
    print(f"  looking takes {figures['looking_ms_per_s']:.0f} ms of each second (waiting included)")
    print(
        f"  loop lag p99 {figures['lag_p99_ms']:.1f} ms, without looking "
        f"{figures['quiet_lag_p99_ms']:.1f} ms"
    )
    return figures


async def queue(store: Store, notices: int) -> dict[str, float]:
    """How long queueing took, and how many were sent in a second."""
    clock = SystemClock()
    settings = Settings(notice_calls_per_second=10_000)
    duty, phones = Duty(AWAY), MemoryWeCom()
    notifier = Notifier(store, Everybody(Reach.AWAY), phones, clock, settings, [duty], str)
    await store.apply(*(owed(number, clock.now()) for number in range(notices // AWAY)))
    begun = time.perf_counter()
    await notifier.look_step()
    queued = time.perf_counter()
    await notifier.start()
    while len(phones.calls) < notices:
        await asyncio.sleep(0.05)
    sent = time.perf_counter()
    await notifier.stop()
    figures = {"queued_s": queued - begun, "sent_per_s": notices / (sent - queued)}
    print(f"  {notices} notices queued in {figures['queued_s']:.1f} s")
    print(f"  and sent in {sent - queued:.1f} s: {figures['sent_per_s']:.0f} a second")
    return figures


async def measure(seconds: int, notices: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    for part, size in ((busy, seconds), (queue, notices)):
        with tempfile.TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder) / "hospital.db", clock=SystemClock())
            await store.open()
            for kind in (*DOCUMENTS, Wishes, SenderState):
                await store.ensure(kind.collection)
            figures |= await part(store, size)
            await store.close()
    return figures


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="that conversations are busy")
    parser.add_argument("--queue", type=int, default=10_000, help="notices, a multiple of 1,000")
    options = parser.parse_args(given)
    print(json.dumps(asyncio.run(measure(options.seconds, options.queue))))


if __name__ == "__main__":
    main()
