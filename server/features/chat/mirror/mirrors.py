"""The part that tells WeCom of groups, on the node that leads.

Every second the mirrors that are on are compared with where their logs end; a group that is behind, has a
call under way, or was not compared for a while goes on. Groups go side by side, one call at a time each,
within a rate and a throttle of their own (notices have theirs). What is to be told is in the store before
it is told, so a kill loses nothing: whoever leads next reads on.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry

from realtime.channel import conversation_channel
from server.clock import Clock
from server.directory import Directory
from server.features.chat.mirror.documents import MOST_MIRRORS, Call, Mirror
from server.features.chat.mirror.metrics import MirrorMetrics
from server.features.chat.mirror.offering import offered
from server.features.chat.mirror.outcomes import Setback, setback_of
from server.features.chat.mirror.quota import Quota
from server.features.chat.mirror.telling import Next, Telling
from server.http.health import Check
from server.integrations.wecom import (
    GroupChats,
    Misconfigured,
    Paused,
    RefusedByWeCom,
    WeComError,
)
from server.nodes import Leader
from server.notify.gate import Gate
from server.settings import Settings
from server.storage import Store
from server.storage.document import from_doc
from server.work import LogReader, SystemWork

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
CALLS_A_SECOND: Final = 20
CALLS_AT_ONCE: Final = 4
TURN: Final = 50
"""Calls of one group in a row before others have their turn."""
CALL_S: Final = 35.0
COMPARE_S: Final = 600.0
"""How often a group is compared although nothing happened in it: people's accounts change too."""
END_WITHIN_S: Final = 4.0


class Mirrors:
    """`look` begins what is due, `quiet` waits for it; `run` does both until cancelled."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telling: Telling,
        groups: GroupChats,
        quota: Quota,
        metrics: MirrorMetrics,
    ) -> None:
        self._metrics = metrics
        metrics.held.set_function(lambda: bool(self.trouble))
        self._store = store
        self._clock = clock
        self._telling = telling
        self._groups = groups
        self._quota = quota
        self._gate = Gate(clock, CALLS_A_SECOND, CALLS_AT_ONCE)
        self._turns: dict[str, asyncio.Task[None]] = {}
        self._waits: dict[str, float] = {}
        self._compared: dict[str, float] = {}
        self._is_ending = False
        self._holding: Setback | None = None
        self.trouble = ""

    async def run(self) -> None:
        """Tell until cancelled; calls under way may end."""
        self._is_ending = False
        self._quota.forget()
        self._compared.clear()
        try:
            while True:
                try:
                    await self.look()
                except Exception:
                    log.exception("groups in WeCom cannot be looked at")
                await asyncio.sleep(LOOK_S)
        finally:
            await self._end()

    async def _end(self) -> None:
        self._is_ending = True
        turns = list(self._turns.values())
        if turns:
            _, late = await asyncio.wait(turns, timeout=END_WITHIN_S)
            for turn in late:
                turn.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def quiet(self) -> None:
        """Until nothing is under way."""
        while self._turns:
            await asyncio.wait(list(self._turns.values()))

    async def look(self) -> None:
        """Begin the turns of groups that have something to tell."""
        docs = await self._store.find(Mirror.collection.name, "on", (True,), limit=MOST_MIRRORS)
        mirrors = [from_doc(Mirror, doc) for doc in docs]
        if self._gate.misconfigured and any(map(_is_tried_again, mirrors)):
            self._gate.succeeded()
        due = await self._due(mirrors)
        await self._say_why(mirrors, due)
        for id in due:
            if len(self._turns) >= CALLS_AT_ONCE or not self._gate.room():
                break
            if id not in self._turns:
                self._turns[id] = turn = asyncio.create_task(self._turn(id), name=f"group {id}")
                turn.add_done_callback(partial(self._ended, id))

    async def _say_why(self, mirrors: Iterable[Mirror], due: Collection[str]) -> None:
        """While all calls are held back, groups that wait say so."""
        if self._holding is None or not self._gate.is_held:
            return
        for mirror in mirrors:
            if mirror.id in due and not mirror.trouble:
                await self._telling.held(mirror.id, self._holding)

    def _ended(self, id: str, turn: asyncio.Task[None]) -> None:
        self._turns.pop(id, None)

    async def _due(self, mirrors: Iterable[Mirror]) -> list[str]:
        now, now_s = self._clock.now(), self._clock.monotonic()
        waiting = [
            mirror
            for mirror in mirrors
            if mirror.due_at <= now and self._waits.get(mirror.id, 0.0) <= now_s
        ]
        channels = {mirror.id: conversation_channel(mirror.id) for mirror in waiting}
        ends = await LogReader(self._store).ends(list(channels.values())) if channels else {}
        due = [
            mirror
            for mirror in waiting
            if mirror.call is not None
            or ends.get(channels[mirror.id], (0, 0))[0] > mirror.position
            or now_s - self._compared.get(mirror.id, float("-inf")) >= COMPARE_S
        ]
        # Whoever failed longest ago is tried first.
        return [mirror.id for mirror in sorted(due, key=lambda mirror: mirror.due_at)]

    async def _turn(self, id: str) -> None:
        try:
            for _ in range(TURN):
                if self._is_ending or not await self._step(id):
                    return
        except Exception:
            log.exception("a group was not told to WeCom", extra={"conversation_id": id})
            self._waits[id] = self._clock.monotonic() + LOOK_S

    async def _step(self, id: str) -> bool:
        """Plan and make one call; whether there may be more to do."""
        if not self._gate.room():
            return False
        self._gate.begin()
        called = False
        try:
            planned = await self._telling.plan(id)
            if planned.call is None:
                self._rest(id, planned.wait_s, more=planned.more)
                return planned.more
            called = True
            return await self._call(id, planned, planned.call)
        finally:
            self._gate.end(called=called)

    def _rest(self, id: str, wait_s: float, *, more: bool) -> None:
        now = self._clock.monotonic()
        self._waits.pop(id, None)
        if wait_s:
            self._waits[id] = now + wait_s
        elif not more:
            self._compared[id] = now

    async def _call(self, id: str, planned: Next, call: Call) -> bool:
        try:
            async with asyncio.timeout(CALL_S):
                await self._groups.call(call.kind, call.request.encode())
        except Exception as fault:
            return await self._failed(id, planned, call, fault)
        self._gate.succeeded()
        self._holding, self.trouble = None, ""
        self._metrics.calls.labels(call.kind, "taken").inc()
        await self._telling.took(id, call)
        return True

    async def _failed(self, id: str, planned: Next, call: Call, fault: Exception) -> bool:
        log.info("WeCom did not take a call: %s", fault, extra={"conversation_id": id})
        setback = setback_of(fault, call.kind, planned.failures)
        if setback.is_worth_asking and call.kind != "send":
            setback = await self._asked(planned, call, setback)
        self._metrics.calls.labels(call.kind, setback.trouble or "known").inc()
        match fault:
            case Paused():
                self._gate.pause(fault.seconds)
                self._holding, self.trouble = setback, str(fault)
            case Misconfigured():
                self._gate.misconfigure()
                self._holding, self.trouble = setback, str(fault)
            case RefusedByWeCom():
                self._gate.succeeded()
                self._holding, self.trouble = None, ""
            case _:
                self._gate.failed(id)
                self._holding = setback
                self.trouble = str(fault) or type(fault).__name__
        await self._telling.turned(id, call, setback)
        return bool(setback.found or setback.left_out or setback.is_unfit)

    async def _asked(self, planned: Next, call: Call, setback: Setback) -> Setback:
        """Whether the group is there already, or other than we thought (whose account is deleted leaves
        it), or who it is that WeCom will not have in it."""
        try:
            found = await self._groups.look(planned.chat_id)
            if found is not None and (call.kind == "create" or not found.holds(planned.users)):
                return replace(setback, found=found)
            out = [user for user in call.adding if not await self._groups.may_join(user)]
        except WeComError:
            return setback
        return replace(setback, left_out=tuple(out))


def _is_tried_again(mirror: Mirror) -> bool:
    """Whether its owner wants the configuration tried at once."""
    return mirror.trouble == "settings" and mirror.due_at == 0


@asynccontextmanager
async def mirroring(
    store: Store,
    system: SystemWork,
    clock: Clock,
    directory: Directory,
    settings: Settings,
    groups: GroupChats,
    leader: Leader,
    registry: CollectorRegistry,
) -> AsyncIterator[Mirrors]:
    """Groups are told to WeCom while the context lasts, on the node that leads."""
    quota = Quota(clock)
    telling = Telling(system, clock, directory, settings, groups, quota)
    mirrors = Mirrors(store, clock, telling, groups, quota, MirrorMetrics(registry))
    async with leader.keep("groups in WeCom", mirrors.run):
        yield mirrors


async def mirrors_check(mirrors: Mirrors, settings: Settings, groups: GroupChats) -> Check:
    """Whether groups reach WeCom."""
    if offered("", settings, groups) == "nothing":
        return Check(False, "not offered")
    return Check(not mirrors.trouble, mirrors.trouble)
