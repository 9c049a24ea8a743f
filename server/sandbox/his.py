"""The stand-in HIS: a hospital's day that goes on, told to Yuanxin in signed batches.

Life is a plan (`his_day.py`) of which each step writes what has happened since the last into a journal
(`his_journal.py`), and only then sends it; what is not acknowledged is sent again, under the same ids, also
after a kill. On a fresh day it begins at midnight and catches up in steps. While Yuanxin does not answer,
little is written ahead: the rest of life waits and is caught up with later.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import random
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web

from server.clock import Clock
from server.sandbox.config import HisTarget, SandboxConfig, SandboxDepartment
from server.sandbox.faults import Faults
from server.sandbox.his_day import HOUR_MS, Event, Happening, plan_day
from server.sandbox.his_journal import Journal, Life, totals

STEP_S: Final = 1.0
CATCH_UP_S: Final = 0.4
"""Between two steps while behind: slow enough to leave the machine to others."""
EVENTS_PER_STEP: Final = 400
MOST_PENDING: Final = 200
READING_MS: Final = 2_000
"""Every so often one department counts its inpatients, in turn; while catching up, all every hour."""
BEHIND_MS: Final = 60_000
FASTEST: Final = 3_600
LONGEST_WAIT_S: Final = 3.0
TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
OUT_OF_ORDER_AFTER: Final = 3
PLANS_KEPT: Final = 3
PATH: Final = "/api/v1/his/events"

log = logging.getLogger(__name__)


class HisStandIn:
    """The hospital's life and its sender: `running` takes a `step` and a `send` again and again."""

    def __init__(self, config: SandboxConfig, target: HisTarget) -> None:
        self._clock: Clock = config.clock
        self._departments: Sequence[SandboxDepartment] = config.departments
        self._target = target
        self._zone = ZoneInfo(target.timezone)
        self.journal = Journal(config.state_dir)
        self._http: aiohttp.ClientSession | None = None
        self._plans: dict[tuple[int, int], list[Happening]] = {}
        self._chance = random.Random()
        self._speed = 1.0
        self._stepped_at = 0
        self._in_turn = 0
        self._sent_at = float("-inf")
        self._failures = 0
        self.counts = {"accepted": 0, "repeated": 0, "refused": 0}
        self.last_answer = ""
        self.faults = Faults(("late", "duplicate", "out_of_order", "silent"), self._clock)

    async def open(self) -> None:
        """Read what was kept; a day that has nothing yet begins at midnight."""
        await self.journal.open()
        self._stepped_at = self._clock.now()
        cursor = max(self.journal.life.cursor, self._midnight(self._clock.now()) - 1)
        self.journal.life = replace(self.journal.life, cursor=cursor)
        self._http = aiohttp.ClientSession(timeout=TIMEOUT)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Live and tell while the context lasts."""
        await self.open()
        task = asyncio.create_task(self._run(), name="the stand-in HIS")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.close()

    async def _run(self) -> None:
        while True:
            behind = False
            try:
                behind = await self.step()
                await self.send()
            except OSError as fault:
                self._failed(f"the journal cannot be written: {fault.strerror}")
            wait_s = CATCH_UP_S if behind else STEP_S
            await asyncio.sleep(min(LONGEST_WAIT_S, wait_s * 2**self._failures))

    # Life

    async def step(self) -> bool:
        """Write what has happened since the last step, at most an hour and as much as fits; whether more
        is left."""
        now = self._clock.now()
        life = self._next_round(now)
        ahead = life.ahead_ms + int((self._speed - 1) * (now - self._stepped_at))
        self._stepped_at = now
        if len(self.journal.pending) >= MOST_PENDING:
            self.journal.life = replace(life, ahead_ms=ahead)
            return False
        upto = max(life.cursor, min(now + ahead, life.cursor + HOUR_MS))
        found = await self._happened(life.cursor, upto, life.round)
        if len(found) > EVENTS_PER_STEP:
            upto = found[EVENTS_PER_STEP - 1].at
            found = found[: bisect_right(found, upto, key=lambda one: one.at)]
        reached = Life(cursor=upto, ahead_ms=ahead, round=life.round)
        if found:
            events = tuple({**one.event, "at": min(one.at, now)} for one in found)
            await self.journal.write(self.day(now), reached, events)
        else:
            self.journal.life = reached
        return now + ahead - upto > BEHIND_MS

    def _next_round(self, now: int) -> Life:
        """Back in the clock's time the rest of the day's plan has happened: other patients come."""
        life = self.journal.life
        if self._speed == 1 and life.ahead_ms:
            return Life(cursor=now, ahead_ms=0, round=life.round + 1)
        return life

    async def _happened(self, after: int, upto: int, round: int) -> list[Happening]:
        """What the plan and the wards hold between two moments, the second included."""
        found = self._readings(after, upto)
        for midnight in self._midnights(after, upto):
            plan = await self._plan(midnight, round)
            place = bisect_right(plan, after, key=lambda one: one.at)
            end = bisect_right(plan, upto, key=lambda one: one.at)
            found += plan[place:end]
        return sorted(found, key=lambda one: one.at)

    async def _plan(self, midnight: int, round: int) -> list[Happening]:
        key = midnight, round
        if key not in self._plans:
            weekday = datetime.fromtimestamp(midnight / 1000, self._zone).weekday()
            self._plans[key] = await asyncio.to_thread(
                plan_day, midnight, weekday, self._departments, round
            )
            for old in sorted(self._plans)[:-PLANS_KEPT]:
                del self._plans[old]
        return self._plans[key]

    def _readings(self, after: int, upto: int) -> list[Happening]:
        """Inpatients as somebody counts them: the departments in turn, or all of them by the hour."""
        wards = [(n, d) for n, d in enumerate(self._departments) if d.beds]
        if upto - after > BEHIND_MS:
            hours = range((after // HOUR_MS + 1) * HOUR_MS, upto + 1, HOUR_MS)
            return [self._reading(n, d, at) for at in hours for n, d in wards]
        found = []
        for at in range((after // READING_MS + 1) * READING_MS, upto + 1, READING_MS):
            number, ward = wards[self._in_turn % len(wards)]
            self._in_turn += 1
            found.append(self._reading(number, ward, at))
        return found

    def _reading(self, number: int, ward: SandboxDepartment, at: int) -> Happening:
        before = self.journal.readings.get(ward.department_id, round(ward.beds * 0.88))
        moved = before + self._chance.choice((-1, -1, 0, 0, 1, 1))
        value = max(ward.beds // 2, min(ward.beds, moved))
        self.journal.readings[ward.department_id] = value
        event = {
            "event_id": f"i{number}.{at}",
            "kind": "inpatients",
            "department_id": ward.department_id,
            "value": value,
        }
        return Happening(at, event)

    def _midnight(self, at: int) -> int:
        there = datetime.fromtimestamp(at / 1000, self._zone)
        return int(there.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)

    def _midnights(self, after: int, upto: int) -> Iterable[int]:
        """When the days begin whose plans reach into this time: the day before is not over yet."""
        day = datetime.fromtimestamp(after / 1000, self._zone) - timedelta(days=1)
        midnight = self._midnight(int(day.timestamp() * 1000))
        while midnight <= upto:
            yield midnight
            midnight = self._midnight(midnight + 36 * HOUR_MS)

    def day(self, at: int) -> str:
        return datetime.fromtimestamp(at / 1000, UTC).astimezone(self._zone).date().isoformat()

    # Telling

    async def send(self) -> None:
        """Send what is due, in the way the switch says; nothing for a period is an empty batch."""
        mode = self.faults.mode
        pending = list(self.journal.pending.values())
        if mode == "silent":
            return
        if mode == "out_of_order":
            pending = pending[::-1] if len(pending) >= OUT_OF_ORDER_AFTER else []
        for batch in pending if mode != "late" else ():
            events = batch.events[::-1] if mode == "out_of_order" else batch.events
            for _ in range(2 if mode == "duplicate" else 1):
                if not await self._post(events):
                    return
            await self.journal.acked(self.day(self._clock.now()), batch)
        if self._clock.monotonic() - self._sent_at >= self._target.period_s:
            await self._post(())

    async def _post(self, events: Sequence[Event]) -> bool:
        """Whether Yuanxin has it."""
        assert self._http is not None, "open it first"
        body = json.dumps({"events": list(events)}).encode()
        answer: dict[str, Any] = {}
        try:
            async with self._http.post(
                self._target.url + PATH, data=body, headers=self._signed(body)
            ) as response:
                status = response.status
                if status == 200:
                    answer = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            return self._failed(type(fault).__name__)
        if status != 200:
            return self._failed(f"HTTP {status}")
        self._failures = 0
        self._sent_at = self._clock.monotonic()
        self.last_answer = "200"
        self.counts["accepted"] += answer["accepted"]
        self.counts["repeated"] += answer["repeated"]
        self.counts["refused"] += len(answer["refused"])
        return True

    def _failed(self, why: str) -> bool:
        if self.last_answer != why:
            log.info("the HIS's batches do not get through", extra={"why": why})
        self.last_answer = why
        self._failures = min(self._failures + 1, 5)
        return False

    def _signed(self, body: bytes) -> dict[str, str]:
        time = str(self._clock.now() // 1000)
        key = self._target.secret.encode()
        made = hmac.new(key, time.encode() + b"\n" + body, hashlib.sha256)
        return {
            "X-Yuanxin-Key": self._target.key_id,
            "X-Yuanxin-Time": time,
            "X-Yuanxin-Signature": made.hexdigest(),
        }

    # What one may ask of it

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/his/faults", self.faults.show),
            web.post("/his/faults", self.faults.turn),
            web.get("/his/totals", self._totals),
            web.get("/his/state", self._state),
            web.post("/his/speed", self._turn_speed),
        ]

    async def _totals(self, request: web.Request) -> web.Response:
        """GET /his/totals: a recount of everything written in the last days, for judging."""
        days = totals(await self.journal.events(), self.day)
        return web.json_response({"days": days, "pending": self.pending_events()})

    async def _state(self, request: web.Request) -> web.Response:
        """GET /his/state: what the page shows."""
        return web.json_response(
            {
                **self.counts,
                "pending": self.pending_events(),
                "speed": self._speed,
                "life": self._clock.now() + self.journal.life.ahead_ms,
                "zone": self._target.timezone,
                "last_answer": self.last_answer,
            }
        )

    def pending_events(self) -> int:
        return sum(len(batch.events) for batch in self.journal.pending.values())

    async def _turn_speed(self, request: web.Request) -> web.Response:
        """POST /his/speed {"speed": 60}: how fast life goes on; 1 goes back to the clock's time."""
        try:
            fields = json.loads(await request.read())
            speed = fields["speed"]
            if isinstance(speed, bool) or not 1 <= speed <= FASTEST or len(fields) != 1:
                raise ValueError
        except (ValueError, TypeError, KeyError):
            sentence = f'the body must be {{"speed": n}} with n from 1 to {FASTEST}.'
            return web.json_response({"error": sentence}, status=400)
        self._speed = float(speed)
        return await self._state(request)
