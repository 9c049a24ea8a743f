"""Keeping the directory and WeCom's contacts together, in the one direction that is set.

`run` compares everything: by hand, and every night on the node that leads. `take` looks at what one
callback was about; `follow` is what the leading node does all the time. A reading that fails, or that
names nobody, changes nothing; removals beyond the bound wait for somebody's word.
"""

import asyncio
import logging
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.auth.sessions import Sessions
from server.clock import Clock, Millis
from server.directory.directory import Directory, read_all
from server.directory.documents import Department, Person, WeComChange
from server.directory.wecom_giving import Giving
from server.directory.wecom_inward import InwardPlan, plan_inward
from server.directory.wecom_outward import OutwardPlan, plan_outward
from server.directory.wecom_plan import Conflict, Reading
from server.directory.wecom_reading import (
    NothingRead,
    Patience,
    Reader,
    Tell,
    read_member,
    read_party,
)
from server.directory.wecom_report import (
    inward_counts,
    outward_counts,
    said_all,
    shown_inward,
    shown_outward,
)
from server.directory.wecom_state import (
    MOST_LINES,
    Outcome,
    SyncState,
    change_state,
    kept_state,
    note_removed_before,
)
from server.directory.wecom_taking import Taking
from server.integrations.wecom import RefusedByWeCom, WeComError
from server.integrations.wecom.contacts import Contacts
from server.storage import StorageError, Store
from server.storage.document import from_doc
from server.work import SystemWork, UnitOfWork

log = logging.getLogger(__name__)

FROM_WECOM, TO_WECOM, OFF = "from_wecom", "to_wecom", "off"
LOOK_S: Final = 2.0
AGAIN_S: Final = 600.0
MOST_TRIES: Final = 6
"""Of one night; then it waits for the next."""
NIGHT_HOURS: Final = 6
READING_LASTS_S: Final = 3_600.0
AT_ONCE: Final = 50
NOBODY: Final = "WeCom answered well and named nobody: nothing was changed"


class DirectorySync:
    """One direction, or none. Runs and changes follow one another; nothing overlaps."""

    def __init__(
        self,
        store: Store,
        system: SystemWork,
        clock: Clock,
        directory: Directory,
        sessions: Sessions,
        contacts: Contacts | None,
        *,
        direction: str,
        hour: int,
        zone: ZoneInfo,
        patience: Patience | None = None,
    ) -> None:
        self.direction = direction if contacts is not None else OFF
        self.progress = ""
        """What a run is doing now; empty when none is."""
        self.runs: Counter[tuple[str, str]] = Counter()
        """How many runs this node has made, by what began them and how they ended."""
        self._store = store
        self._system = system
        self._clock = clock
        self._contacts = contacts
        self._directory = directory
        self._patience = patience or Patience()
        self._taking = Taking(system, directory, sessions)
        self._hour = hour
        self._zone = zone
        self._one_at_a_time = asyncio.Lock()
        self._reader: Reader | None = None
        self._reading_since = 0.0

    async def state(self) -> SyncState:
        """What is kept of the runs so far."""
        return await kept_state(self._store)

    # A whole run

    async def run(
        self,
        trigger: str,
        *,
        apply: bool,
        confirmed: bool = False,
        tell: Tell = lambda line: None,
        show: Tell = lambda line: None,
    ) -> Outcome:
        """Compare everything, and do what differs if told to. `tell` hears the progress, `show` the plan."""

        def told(line: str) -> None:
            self.progress = line
            tell(line)

        async with self._one_at_a_time:
            began_at = self._clock.now()
            try:
                outcome = await self._whole(trigger, began_at, apply, confirmed, told, show)
            except WeComError as fault:
                outcome = self._failed(trigger, began_at, str(fault))
            except StorageError as fault:
                self._reader = None
                outcome = self._failed(trigger, began_at, f"the store: {fault}")
            except NothingRead:
                self._reader = None
                outcome = self._failed(trigger, began_at, NOBODY)
            finally:
                self.progress = ""
            self.runs[trigger, outcome.result] += 1
            if apply:
                await self._keep(outcome)
        return outcome

    async def _whole(
        self, trigger: str, began_at: Millis, apply: bool, confirmed: bool, tell: Tell, show: Tell
    ) -> Outcome:
        people, departments = await self._everybody()
        assert self._contacts is not None, "a direction is set only with contacts"
        if self._reader is None or self._clock.monotonic() - self._reading_since > READING_LASTS_S:
            self._reader = Reader(self._contacts, self._patience, tell)
            self._reading_since = self._clock.monotonic()
        # A failure leaves the reader here, and the next try goes on where this one ended.
        reading = await self._reader.read(people, departments)
        self._reader = None
        plan: InwardPlan | OutwardPlan
        if self.direction == FROM_WECOM:
            plan = plan_inward(people, departments, reading)
        else:
            plan = plan_outward(people, departments, reading)
        note_removed_before(plan.removal, await self.state(), self._clock.now())
        lines, counts = _reported(plan)
        for line in lines:
            show(line)
        found: list[Conflict] = []
        held = plan.removal.held and not confirmed
        if apply:
            found = await self._apply(plan, removing=not held, tell=tell)
        counts["conflicts"] += len(found)
        return Outcome(
            direction=self.direction,
            trigger=trigger,
            began_at=began_at,
            ended_at=self._clock.now(),
            result="shown" if not apply else "held" if held else "done",
            counts=counts,
            lines=said_all([*plan.conflicts, *found])[:MOST_LINES],
        )

    async def _apply(
        self, plan: InwardPlan | OutwardPlan, *, removing: bool, tell: Tell
    ) -> list[Conflict]:
        if isinstance(plan, InwardPlan):
            return await self._taking.apply(plan, removing=removing)
        assert self._contacts is not None, "a direction is set only with contacts"
        giving = Giving(self._system, self._directory, self._contacts, self._patience)
        return await giving.apply(plan, removing=removing, tell=tell)

    async def _everybody(self) -> tuple[list[Person], list[Department]]:
        return await read_all(self._store, Person), await read_all(self._store, Department)

    def _failed(self, trigger: str, began_at: Millis, why: str) -> Outcome:
        log.warning("the directory could not be brought together with WeCom: %s", why)
        return Outcome(
            direction=self.direction,
            trigger=trigger,
            began_at=began_at,
            ended_at=self._clock.now(),
            result="failed",
            why=why,
        )

    async def _keep(self, outcome: Outcome) -> None:
        async def act(work: UnitOfWork) -> None:
            await change_state(work, outcome=outcome)
            detail = {"trigger": outcome.trigger, "why": outcome.why, **outcome.counts}
            work.record("directory.sync", outcome.direction, result=outcome.result, **detail)

        await self._system.do(act)

    # One change

    async def take(self, change: WeComChange) -> None:
        """Look at what one change was about, as WeCom has it now; what it said of the change itself counts
        for nothing. Raises WeComError when it has to be looked at later."""
        if self.direction != FROM_WECOM or self._contacts is None:
            return  # the other way round ours is right, and the night puts it right
        kind, _, id = change.id.partition(":")
        async with self._one_at_a_time:
            people, departments = await self._everybody()
            linked = [d.wecom_party_id for d in departments if d.wecom_party_id]
            if kind == "user":
                reading = await read_member(
                    self._contacts, self._patience, _as_held(id, people), linked
                )
            else:
                reading = await read_party(self._contacts, self._patience, int(id), linked)
            await self._take(people, departments, reading)

    async def _take(
        self, people: list[Person], departments: list[Department], reading: Reading
    ) -> None:
        plan = plan_inward(people, departments, reading)
        note_removed_before(plan.removal, await self.state(), self._clock.now())
        if plan.disabled or not plan.is_empty:
            # What is too much is left to the night, which says so.
            await self._taking.apply(plan, removing=not plan.removal.held)

    # All the time

    async def follow(self) -> None:
        """What the leading node does: changes as they are told, everything at night. Until cancelled."""
        while True:
            await self.take_changes()
            await self.run_if_due()
            await asyncio.sleep(LOOK_S)

    async def take_changes(self) -> None:
        """Look at the changes that were told; those that cannot be looked at now stay."""
        docs = await self._store.find(WeComChange.collection.name, "at", limit=AT_ONCE)
        for change in (from_doc(WeComChange, doc) for doc in docs):
            try:
                await self.take(change)
            except RefusedByWeCom as refused:
                # It would be refused again, and hold up all others.
                log.warning("a change in WeCom is left to the night: %s", refused)
            except WeComError as fault:
                log.info("a change in WeCom waits: %s", fault)
                return
            except Exception:
                log.exception("a change in WeCom cannot be taken and is left to the night")
            await self._done_with(change)

    async def _done_with(self, change: WeComChange) -> None:
        """Forget it, unless another came meanwhile."""

        async def act(work: UnitOfWork) -> None:
            now = await work.get(WeComChange, change.id)
            if now == change:
                work.delete(now)

        await self._system.do(act)

    async def run_if_due(self) -> None:
        """The night's run, once a night; a failed one again after a while, and then no more."""
        if self.direction == OFF:
            return
        local = datetime.fromtimestamp(self._clock.now() / 1000, self._zone)
        # A night begins at its hour, whatever the date says, and is over after some hours.
        begun = local - timedelta(hours=self._hour)
        night, state = begun.date().isoformat(), await self.state()
        is_over = begun.hour >= NIGHT_HOURS or state.night == night
        if is_over or self._clock.now() < state.next_try_at:
            return
        if state.tries >= MOST_TRIES:
            await self._note(night=night, tries=0)
            return
        # Noted before: a run that fails in a way nobody thought of is not begun again at once.
        later = Millis(self._clock.now() + round(AGAIN_S * 1000))
        await self._note(tries=state.tries + 1, next_try_at=later)
        outcome = await self.run("night", apply=True)
        if outcome.result != "failed":
            await self._note(night=night, tries=0, next_try_at=Millis(0))

    async def _note(self, **fields: Any) -> None:
        async def act(work: UnitOfWork) -> None:
            await change_state(work, **fields)

        await self._system.do(act)


def _reported(plan: InwardPlan | OutwardPlan) -> tuple[list[str], dict[str, int]]:
    if isinstance(plan, InwardPlan):
        return shown_inward(plan), inward_counts(plan)
    return shown_outward(plan), outward_counts(plan)


def _as_held(user_id: str, people: list[Person]) -> str:
    """The id as we hold it: callbacks are known by the folded one."""
    held = {p.wecom_user_id.casefold(): p.wecom_user_id for p in people if p.wecom_user_id}
    return held.get(user_id, user_id)
