"""The server dies while figures come in, again and again: each acknowledged event counts, and once.

A HIS of our own sends for two departments, the stand-in for all the others; a judge outside compares.
"""

import asyncio
import hashlib
import hmac
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.processes import ServerProcess
from tests.end_to_end.senders import sign_in

JUDGE = Path(__file__).with_name("his_judge.py")
LEADER = "s0002"
KEY, SECRET = "hospital", "known to both"
DEPARTMENTS = ("check-ups", "outpatients")
TYPES = ("general", "expert", "special", "emergency", "online")
AT_ONCE = 3
HEALED_WITHIN_S = 5.0
DAY_S = 86_400

pytestmark = pytest.mark.timeout(600)


class Hospital:
    """A HIS that notes every batch before it sends it and every answer it gets."""

    def __init__(self, http: aiohttp.ClientSession, url: str, folder: Path, seed: int) -> None:
        self._http, self._url = http, url
        self._sent = (folder / "sent.jsonl").open("a", encoding="utf-8")
        self._chance = random.Random(seed)
        self._numbers = 0
        self._originals: list[dict[str, Any]] = []
        self.unanswered: dict[int, list[dict[str, Any]]] = {}
        self.acked = 0

    def close(self) -> None:
        self._sent.close()

    def note(self, **line: Any) -> None:
        self._sent.write(json.dumps(line) + "\n")
        self._sent.flush()

    async def send_until_it_dies(self) -> None:
        """A few batches at a time, until none is answered any more."""
        await asyncio.gather(*(self._keep_sending() for _ in range(AT_ONCE)))

    async def _keep_sending(self) -> None:
        while await self._send(*self._batch()):
            pass

    async def send_again(self) -> None:
        """What has no answer yet."""
        for number, events in list(self.unanswered.items()):
            assert await self._send(number, events)

    def _batch(self) -> tuple[int, list[dict[str, Any]]]:
        self._numbers += 1
        events = [self._event(f"{self._numbers}-{n}") for n in range(self._chance.randint(1, 60))]
        self.unanswered[self._numbers] = events
        self.note(batch=self._numbers, events=events)
        return self._numbers, events

    def _event(self, id: str) -> dict[str, Any]:
        chance = self._chance
        kind = chance.choice(["registered", "called", "seen", "operations"])
        event: dict[str, Any] = {
            "event_id": id,
            "kind": kind,
            "at": int(time.time() * 1000),
            "department_id": chance.choice(DEPARTMENTS),
            "count": chance.randint(1, 9),
        }
        if kind != "operations":
            event["type"] = chance.choice(TYPES)
        if self._originals and chance.random() < 0.2:
            event[chance.choice(["corrects", "cancels"])] = chance.choice(self._originals)[
                "event_id"
            ]
        else:
            self._originals.append(event)
        return event

    async def _send(self, number: int, events: list[dict[str, Any]]) -> bool:
        body = json.dumps({"events": events}).encode()
        now = str(int(time.time()))
        made = hmac.new(SECRET.encode(), now.encode() + b"\n" + body, hashlib.sha256)
        headers = {
            "X-Yuanxin-Key": KEY,
            "X-Yuanxin-Time": now,
            "X-Yuanxin-Signature": made.hexdigest(),
        }
        place = f"{self._url}/api/v1/his/events"
        try:
            async with self._http.post(place, data=body, headers=headers) as answer:
                receipt = await answer.json()
        except aiohttp.ClientError:
            return False
        if answer.status == 429:
            # A quick machine sends faster than the door opens.
            await asyncio.sleep(receipt["error"]["retry_after_ms"] / 1000)
            return await self._send(number, events)
        assert answer.status == 200, receipt
        assert receipt["accepted"] + receipt["repeated"] == len(events), receipt
        self.note(acked=number)
        del self.unanswered[number]
        self.acked += receipt["accepted"]
        return True


class Watch:
    """What a leader sees, written down for the judge."""

    def __init__(self, http: aiohttp.ClientSession, server: ServerProcess, token: str) -> None:
        self._http, self._server, self._token = http, server, token

    async def ask(self, name: str, **fields: Any) -> dict[str, Any]:
        """The result of a command, when the server has time for it."""
        headers = {"Authorization": f"Bearer {self._token}"}
        place = f"{self._server.url}/api/v1/commands/{name}"
        while True:
            async with self._http.post(place, json=fields, headers=headers) as answer:
                body: dict[str, Any] = await answer.json()
            if body["ok"]:
                result: dict[str, Any] = body["result"]
                return result
            assert body["error"]["code"] == "rate_limited", body
            await asyncio.sleep(body["error"]["retry_after_ms"] / 1000)

    async def counted(self) -> dict[str, dict[str, int]]:
        """By department and `metric:type`, of yesterday and today."""
        today = (await self.ask("dashboard.scopes"))["today"]
        yesterday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - DAY_S + 8 * 3600))
        found: dict[str, dict[str, int]] = {}
        for type in TYPES:
            shown = await self.ask("dashboard.range", from_day=yesterday, to_day=today, type=type)
            for row in shown["departments"]:
                of = found.setdefault(row["department_id"], {})
                of["operations"] = row["operations"]
                of |= {f"{m}:{type}": row[m] for m in ("registered", "called", "seen")}
        return {where: found.get(where, {}) for where in DEPARTMENTS}

    async def told(self) -> dict[str, dict[str, int]]:
        """The same from the channel's state."""
        state = (await self.ask("stream.watch", channel="dashboard:hospital"))["state"]
        found = {}
        for where in DEPARTMENTS:
            values = state.get(where, {"values": {where: {}}})["values"][where]
            found[where] = {
                f"{metric}:{type}": n
                for metric in ("registered", "called", "seen")
                for type, n in values.get(metric, {}).items()
            } | {"operations": values.get("operations", 0)}
        return found

    async def judged(self, folder: Path) -> dict[str, int]:
        """The verdict, asked until the channel has healed or its time is over."""
        end = time.monotonic() + HEALED_WITHIN_S
        (folder / "counted.json").write_text(json.dumps(await self.counted()))
        while True:
            (folder / "told.json").write_text(json.dumps(await self.told()))
            verdict = await asyncio.to_thread(verdict_on, folder)
            if not verdict["told_wrong"] or time.monotonic() > end:
                return verdict
            await asyncio.sleep(0.3)

    async def stand_in_agrees(self) -> bool:
        """Whether the stand-in's own count is what its departments show, once all it wrote is sent."""
        place = f"{self._server.sandbox_url}/his/totals"
        async with asyncio.timeout(60):
            while True:
                async with self._http.get(place) as answer:
                    own = await answer.json()
                shown = await self.ask(
                    "dashboard.range", from_day=min(own["days"]), to_day=max(own["days"])
                )
                theirs = {row["department_id"]: row for row in shown["departments"]}
                if not own["pending"] and all(
                    sum(n for key, n in counts.items() if key.partition(":")[0] == metric)
                    == theirs[where][metric]
                    for where, counts in own["days"][max(own["days"])].items()
                    for metric in ("registered", "called", "seen", "operations")
                ):
                    return True
                await asyncio.sleep(0.3)


def verdict_on(folder: Path) -> dict[str, int]:
    """What the judge says, asked as the separate program it is."""
    run = subprocess.run([sys.executable, str(JUDGE), str(folder)], capture_output=True)
    assert run.stdout, run.stderr.decode()
    verdict: dict[str, int] = json.loads(run.stdout)
    return verdict


async def run_and_kill(folder: Path, kills: int, seed: int) -> int:
    """Kill the server `kills` times while figures come in; how many events were acknowledged."""
    chance = random.Random(seed)
    notes = folder / "notes"
    notes.mkdir()
    server = ServerProcess(
        folder / "server", "run", "--sandbox", settings={"YUANXIN_HIS_KEYS": f"{KEY}:{SECRET}"}
    )
    await server.start()
    async with aiohttp.ClientSession() as http:
        hospital = Hospital(http, server.url, notes, seed)
        try:
            watch = Watch(http, server, await sign_in(http, server.url, LEADER))
            for _ in range(kills):
                sending = asyncio.create_task(hospital.send_until_it_dies())
                await asyncio.sleep(chance.uniform(0.5, 2.5))
                server.kill()
                await sending
                await server.start()
                verdict = await watch.judged(notes)
                assert verdict["lost_or_doubled"] == verdict["told_wrong"] == 0, verdict
                await hospital.send_again()
            verdict = await watch.judged(notes)
            assert verdict["lost_or_doubled"] == verdict["told_wrong"] == 0, verdict
            assert verdict["unanswered"] == 0
            assert await watch.stand_in_agrees()
            return hospital.acked
        finally:
            hospital.close()
            server.close()


async def test_figures_survive_when_the_server_dies(tmp_path: Path) -> None:
    assert await run_and_kill(tmp_path, kills=2, seed=20260105) > 200


@pytest.mark.nightly
async def test_figures_survive_ten_deaths(tmp_path: Path) -> None:
    assert await run_and_kill(tmp_path, kills=10, seed=7) > 1_000
