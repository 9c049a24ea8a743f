"""The notifier: two steps, repeated for as long as the process lives.

`look_step` finds out who is owed a notice, `send_step` sends what waits. Each may be called by hand, in
any order, as often as one likes; `start` calls them until `stop`. A step that fails is logged and comes
again: what it should have done is in the store.

One notifier at a time works on a store: it removes owed rows in the version it has looked at, and takes
over what a predecessor had on its way. Of several nodes the one that leads runs it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from realtime.presence import Presence
from realtime.tasks import ended
from server.clock import Clock
from server.ids import new_id
from server.integrations.wecom import WeCom, WeComCards
from server.notify.agenda import Agenda
from server.notify.backlog import Backlog
from server.notify.cards import Cards
from server.notify.departures import Departures
from server.notify.duty import Duty
from server.notify.gate import Gate
from server.notify.looking import Looking
from server.notify.metrics import NoticeMetrics
from server.notify.sending import Sending
from server.notify.state import StateWriter
from server.outbox import purge
from server.settings import Settings
from server.storage import Store

logger = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 16
LOOK_EVERY_S: Final = 1.0
SEND_EVERY_S: Final = 0.5
MEASURE_EVERY_S: Final = 5.0
PURGE_EVERY_S: Final = 3_600.0
KEEP_MS: Final = 90 * 24 * 3_600_000
"""How long the ledger remembers notices that have ended."""
SET_BACK_MS: Final = 5_000
AFTER_FAULT_S: Final = 2.0
STOP_WITHIN_S: Final = 4.0


class Notifier:
    """Tells people who are away what they are owed; `wecom` None: everything stays owed.

    `wecom_user_of` gives a person's WeCom user id, None for whoever has none or has left. With `cards`
    and a callback to hear of presses, notices may have buttons.
    """

    def __init__(
        self,
        store: Store,
        presence: Presence,
        wecom: WeCom | None,
        clock: Clock,
        settings: Settings,
        duties: Iterable[Duty],
        wecom_user_of: Callable[[str], str | None],
        registry: CollectorRegistry | None = None,
        cards: WeComCards | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = NoticeMetrics(registry)
        self._metrics.configured.set(wecom is not None)
        self._agenda = Agenda()
        backlog = Backlog()
        by_kind = {duty.kind: duty for duty in duties}
        self._looking = Looking(
            store,
            presence,
            clock,
            by_kind,
            self._agenda,
            backlog,
            self._metrics,
            first_ms=settings.notice_first_seconds * 1000,
            may_send=wecom is not None,
        )
        self._departures: Departures | None = None
        self._cards: Cards | None = None
        if wecom is not None:
            sending = Sending(
                store,
                presence,
                wecom,
                clock,
                by_kind,
                self._metrics,
                agent_id=settings.wecom_agent_id,
                url=settings.url,
                owner=new_id(clock.now()),
                wecom_user_of=wecom_user_of,
                zone=ZoneInfo(settings.his_timezone),
                may_have_buttons=cards is not None and settings.hears_wecom,
            )
            gate = Gate(clock, settings.notice_calls_per_second, MOST_AT_ONCE)
            self._departures = Departures(
                store,
                clock,
                by_kind,
                sending,
                gate,
                self._agenda,
                backlog,
                self._metrics,
                merge_ms=settings.notice_merge_seconds * 1000,
                zone=ZoneInfo(settings.his_timezone),
            )
            if cards is not None:
                self._cards = Cards(
                    store,
                    clock,
                    by_kind,
                    cards,
                    gate,
                    self._metrics,
                    agent_id=settings.wecom_agent_id,
                    wecom_user_of=wecom_user_of,
                )
        self._state = StateWriter(store)
        self._begun = False
        self._ahead_ms = float("-inf")
        self._measured_at = self._purged_at = float("-inf")
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def trouble(self) -> str:
        """Why nothing is being sent just now, in a sentence; empty when nothing stands in the way."""
        return "" if self._departures is None else self._departures.trouble

    def wake(self, person_id: str) -> None:
        """A person's last connection has ended: what was only pending may be due."""
        self._agenda.ended(person_id, self._clock.now())

    async def step(self) -> None:
        """Everything that is due now: look, send, and wait for the calls to end."""
        await self.look_step()
        await self.send_step()
        await self.quiet()

    async def look_step(self) -> bool:
        """Find out who is owed a notice. Says whether more is due at once."""
        self._watch_clock()
        return await self._looking.step()

    async def send_step(self) -> None:
        """Start sending what waits, within the limits."""
        self._watch_clock()
        if self._departures is None:
            return
        if not self._begun:
            await self._departures.begin()
            self._begun = True
        if self._cards is not None:
            # Whoever pressed looks at the card and waits.
            await self._cards.step()
        await self._departures.step()
        await self._keep_house(self._departures)

    def _watch_clock(self) -> None:
        """Moments are stored by the wall clock: when it is set back, nothing may wait for it."""
        ahead_ms = self._clock.now() - self._clock.monotonic() * 1000
        if ahead_ms < self._ahead_ms - SET_BACK_MS:
            logger.warning("the clock was set back; everything that waits is looked at again")
            self._looking.start_over()
            self._begun = False
        self._ahead_ms = ahead_ms

    async def quiet(self) -> None:
        """Until no call is under way."""
        if self._departures is not None:
            await self._departures.quiet()
        if self._cards is not None:
            await self._cards.quiet()

    async def _keep_house(self, departures: Departures) -> None:
        now = self._clock.monotonic()
        if now - self._measured_at >= MEASURE_EVERY_S:
            self._measured_at = now
            await departures.measure()
            await self._state.write(departures.state())
        if now - self._purged_at >= PURGE_EVERY_S:
            self._purged_at = now
            await purge(self._store, self._clock.now() - KEEP_MS)

    # Life

    async def run(self) -> None:
        """Work until cancelled: everything there is is looked at, whoever was at it before."""
        self._looking.start_over()
        self._begun = False
        await self.start()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self.stop()

    async def start(self) -> None:
        """Begin to work. The tasks are this object's; `stop` ends them."""
        self._tasks = [
            asyncio.create_task(self._repeat("look", self._look, LOOK_EVERY_S), name="look"),
            asyncio.create_task(self._repeat("send", self.send_step, SEND_EVERY_S), name="send"),
        ]

    async def stop(self) -> None:
        """Stop looking and starting, let calls under way end within a few seconds."""
        await ended(*self._tasks)
        self._tasks = []
        if self._cards is not None:
            await self._cards.stop()
        if self._departures is not None:
            await self._departures.stop(STOP_WITHIN_S)

    async def _look(self) -> None:
        more = True
        while more:
            more = await self.look_step()
        if self._departures is not None:
            # What was queued just now need not wait for the next turn.
            self._departures.moved.set()

    async def _repeat(self, name: str, step: Callable[[], Awaitable[None]], every_s: float) -> None:
        while True:
            wait_s = every_s
            try:
                await step()
            except Exception:
                logger.exception("a step of the notices failed: %s", name)
                self._metrics.faults.labels(name).inc()
                wait_s = AFTER_FAULT_S
            await self._rest(name, wait_s)

    async def _rest(self, name: str, wait_s: float) -> None:
        if name != "send" or self._departures is None:
            await asyncio.sleep(wait_s)
            return
        moved = self._departures.moved
        try:
            async with asyncio.timeout(wait_s):
                await moved.wait()
        except TimeoutError:
            return
        moved.clear()
