"""Starting a document in the OA, once, whatever happens on the way.

    asked -> the form is read and checked -> the person's own list is read -> stored as sent
          -> the OA is told, once -> done | refused | unknown
    unknown -> the person's own list is read until the document shows there -> done

It goes on when the command that asked is answered, and ends by an event. Nothing is sent that could not be
found again: without the list from before it is refused, and nothing was done. What stays unknown is never
sent again; after some minutes its person is told that it does not show and may start anew knowingly. The
node that leads looks after unknown ones and after those whose node died (`look`).
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from realtime.channel import person_channel
from server.auth import Actor
from server.background import repeated
from server.clock import Clock, Millis
from server.directory import Directory
from server.errors import Busy, ConflictRefused
from server.features.documents.protocol import DraftCard, Start, StartEnded, StartReason
from server.features.documents.starting_form import filled
from server.features.documents.starting_records import Begun, StartDraft, begun_id, draft_id
from server.features.documents.starting_traces import Traces
from server.features.documents.words import no_account
from server.integrations.oa import OAError, RefusedByOA
from server.integrations.oa.documents import BlankForm, Documents, NotStarted, UnfitValue
from server.integrations.oa.mirror import Worklist
from server.nodes import Leader
from server.storage import Store
from server.storage.document import from_doc
from server.work import SystemWork, UnitOfWork

log = logging.getLogger(__name__)

ANSWER_S: Final = 3.0
"""How long a command waits for the end of what it began."""
MOST_AT_ONCE: Final = 64
CLOSE_S: Final = 5.0
LOOK_S: Final = 5.0
DEAD_AFTER_MS: Final = 180_000
"""A start that was not sent after this: its node died on the way."""
LOST_AFTER_MS: Final = 25_000
"""One that was sent and has not ended after this: a call waits 10 s for its turn, and takes 10."""
MAY_REPEAT_AFTER_MS: Final = 180_000
FORGOTTEN_AFTER_MS: Final = 24 * 3_600_000
MOST_LOOKED_AT: Final = 200

_REASONS: Final[dict[str, StartReason]] = {
    "unreachable": "oa_away",
    "blocked": "oa_blocked",
    "not_understood": "oa_unclear",
    "refused_by_oa": "no_right",
}


class Starting:
    """Carries out starts. As a service; `close` lets those under way end."""

    def __init__(
        self,
        store: Store,
        system: SystemWork,
        clock: Clock,
        directory: Directory,
        documents: Documents,
        worklist: Worklist,
    ) -> None:
        self._store = store
        self._system = system
        self._clock = clock
        self._directory = directory
        self._documents = documents
        self._traces = Traces(store, worklist)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._looked_at: dict[str, Millis] = {}
        self.answer_s = ANSWER_S

    async def start(self, actor: Actor, command: Start) -> Begun:
        """Begin it, unless it was begun before; where it stands after at most some seconds. Raises
        Forbidden for somebody without an account in the OA, Busy, ConflictRefused."""
        id = begun_id(actor.person_id, command.client_id)
        if id not in self._under_way and await self._get(id) is None:
            oa_user = self.oa_user(actor.person_id)
            if len(self._under_way) >= MOST_AT_ONCE:
                raise Busy("too many documents are being started; try again in a moment")
            begun = self._begun(id, actor, command)
            # Whoever stores it carries it out: another node, or another try of the page, may be faster.
            if await self._system.do(partial(_begin, begun=begun, draft=command.draft), actor):
                work = self._carry_out(begun, oa_user, actor, command.draft)
                task = asyncio.create_task(work, name=f"start {id}")
                self._under_way[id] = task
                task.add_done_callback(lambda _: self._under_way.pop(id, None))
        if (running := self._under_way.get(id)) is not None:
            await asyncio.wait({running}, timeout=self.answer_s)
        stored = await self._get(id)
        assert stored is not None, "a start is stored before anything else"
        return stored

    def _begun(self, id: str, actor: Actor, command: Start) -> Begun:
        return Begun(
            id=id,
            person_id=actor.person_id,
            client_id=command.client_id,
            workflow_id=command.workflow_id,
            title=command.draft.title.strip(),
            asked_at=self._clock.now(),
            state="asked",
            address=actor.address,
        )

    def oa_user(self, person_id: str) -> str:
        """Raises Forbidden."""
        person = self._directory.person(person_id)
        if person is None or not person.oa_user_id:
            raise no_account()
        return person.oa_user_id

    async def latest(self, person_id: str, workflow_id: str) -> Begun | None:
        """The person's last try of a process, among the last ones."""
        docs = await self._store.find(
            Begun.collection.name, "person", (person_id,), reverse=True, limit=100
        )
        mine = (from_doc(Begun, doc) for doc in docs)
        return next((one for one in mine if one.workflow_id == workflow_id), None)

    async def close(self) -> None:
        tasks = list(self._under_way.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # On the way

    async def _carry_out(self, begun: Begun, oa_user: str, actor: Actor, draft: DraftCard) -> None:
        try:
            await self._go(begun, oa_user, actor, draft)
        except Exception:
            log.exception("a start broke off", extra={"start": begun.id})
            await self._end(begun.id, actor, None, "broken off")

    async def _go(self, begun: Begun, oa_user: str, actor: Actor, draft: DraftCard) -> None:
        try:
            blank = await self._documents.blank(oa_user, begun.workflow_id)
        except OAError as fault:
            await self._refuse(begun.id, actor, _REASONS.get(fault.kind, "failed"), fault)
            return
        form = filled(blank, draft, self._directory)
        if form.problems:
            told: dict[str, Any] = {"problems": tuple(form.problems), "kind": blank.kind}
            await self._refuse(begun.id, actor, "invalid", **told)
            return
        before = await self._traces.list_of(begun.person_id)
        if before is None:
            await self._refuse(begun.id, actor, "oa_away")
            return
        sent = {"kind": blank.kind, "before": before, "sent_at": self._clock.now()}
        if await self._system.do(partial(_note, id=begun.id, fields=sent), actor):
            await self._tell(begun.id, oa_user, actor, blank, form.new)

    async def _tell(self, id: str, oa_user: str, actor: Actor, blank: BlankForm, new: Any) -> None:
        try:
            request_id = await self._documents.start(oa_user, blank, new)
        except NotStarted as fault:
            await self._refuse(id, actor, fault.reason, fault, may_remain=fault.may_remain)
        except UnfitValue as fault:
            await self._refuse(id, actor, "invalid", fault)
        except RefusedByOA as fault:
            await self._refuse(id, actor, "failed", fault, may_remain=True)
        except OAError as fault:
            if fault.never_arrived:
                await self._refuse(id, actor, _REASONS.get(fault.kind, "oa_away"), fault)
            else:
                await self._end(id, actor, {"state": "unknown"}, f"{fault.kind}: {fault}")
        else:
            await self._end(id, actor, {"state": "done", "request_id": request_id}, request_id)

    async def _refuse(
        self,
        id: str,
        actor: Actor,
        reason: StartReason,
        fault: Exception | None = None,
        **told: Any,
    ) -> None:
        fields = {"state": "refused", "reason": reason, **told}
        await self._end(id, actor, fields, str(fault) if fault is not None else reason)

    async def _end(self, id: str, actor: Actor, fields: dict[str, Any] | None, answer: str) -> None:
        change = partial(_end, id=id, fields=fields, answer=answer)
        await self._system.do(change, actor)

    async def _get(self, id: str) -> Begun | None:
        doc = await self._store.get(Begun.collection.name, id)
        return None if doc is None else from_doc(Begun, doc)

    # Afterwards

    async def look(self) -> None:
        """Look for those nobody knows the end of, each the less often the older it is."""
        now = self._clock.now()
        for state in ("asked", "unknown"):
            docs = await self._store.find(
                Begun.collection.name, "state", (state,), reverse=True, limit=MOST_LOOKED_AT
            )
            for begun in (from_doc(Begun, doc) for doc in docs):
                if begun.id not in self._under_way and self._is_due(begun, now):
                    self._looked_at[begun.id] = now
                    await self.look_for(begun)
        fresh = now - FORGOTTEN_AFTER_MS
        self._looked_at = {id: at for id, at in self._looked_at.items() if at > fresh}

    def _is_due(self, begun: Begun, now: Millis) -> bool:
        age_ms = now - begun.asked_at
        if begun.state == "asked" and begun.sent_at is not None:
            return now - begun.sent_at > LOST_AFTER_MS
        if begun.state == "asked":
            return age_ms > DEAD_AFTER_MS
        since = now - self._looked_at.get(begun.id, begun.asked_at)
        return age_ms < FORGOTTEN_AFTER_MS and since * 4 >= age_ms

    async def look_for(self, begun: Begun) -> None:
        """Whether an open start shows in the OA by now."""
        roles = self._directory.roles_of(begun.person_id) or frozenset()
        actor = Actor(begun.person_id, roles=roles, address=begun.address)
        if begun.sent_at is None:
            await self._refuse(begun.id, actor, "interrupted")
            return
        found = await self._traces.of(begun)
        if found is None:
            return  # the OA could not be asked
        if found:
            done = {"state": "done", "request_id": found, "may_repeat": False}
            await self._end(begun.id, actor, done, f"found: {found}")
        elif begun.state == "asked":
            await self._end(begun.id, actor, {"state": "unknown"}, "interrupted")
        elif not begun.may_repeat and self._clock.now() - begun.sent_at >= MAY_REPEAT_AFTER_MS:
            missing = {"state": "unknown", "may_repeat": True}
            await self._end(begun.id, actor, missing, "not found")


async def _begin(work: UnitOfWork, *, begun: Begun, draft: DraftCard) -> bool:
    """Store that it is asked, with what was typed, so that a refused form is there again. Raises
    ConflictRefused while another of the same process is on its way: a draft is on several devices."""
    if await work.get(Begun, begun.id) is not None:
        return False
    # Read first, and written in the version read: of two that begin at once one begins anew and finds the
    # other.
    await work.get(StartDraft, draft_id(begun.person_id, begun.workflow_id))
    since = Millis(begun.asked_at - DEAD_AFTER_MS)
    recent = await work.query(Begun, "person", begun.person_id, gt=since, reverse=True, limit=100)
    if any(o.id == begun.id for o in recent):
        return False  # stored by another try since it was looked for
    if any(o.workflow_id == begun.workflow_id and o.state == "asked" for o in recent):
        raise ConflictRefused("a document of this kind is on its way; wait for its end")
    work.put(begun)
    work.put(
        StartDraft(
            id=draft_id(begun.person_id, begun.workflow_id),
            person_id=begun.person_id,
            workflow_id=begun.workflow_id,
            at=begun.asked_at,
            said=msgspec.json.encode(draft).decode(),
        )
    )
    return True


async def _note(work: UnitOfWork, *, id: str, fields: dict[str, Any]) -> bool:
    """Whether it may be sent: another node may have taken this one for dead, and have said that nothing
    was done."""
    begun = await work.find(Begun, id)
    if begun.is_open:
        work.put(replace(begun, **fields))
    return begun.is_open


async def _end(work: UnitOfWork, *, id: str, fields: dict[str, Any] | None, answer: str) -> None:
    """Store, tell and record where it ended; a start that has ended is left alone. Without `fields` it
    broke off: only what was not sent yet is known not to be done."""
    begun = await work.find(Begun, id)
    if not begun.is_open:
        return
    if fields is None and begun.sent_at is None:
        fields = {"state": "refused", "reason": "interrupted"}
    ended = replace(begun, **(fields or {"state": "unknown"}))
    if not ended.is_open:
        ended = replace(ended, ended_at=work.now)
    work.put(ended)
    if ended.state == "done":
        draft = await work.get(StartDraft, draft_id(begun.person_id, begun.workflow_id))
        if draft is not None and draft.at <= begun.asked_at:
            work.delete(draft)
    work.append(
        person_channel(begun.person_id),
        StartEnded(start=ended.card),
        key=f"documents.started:{begun.workflow_id}",
    )
    action = {"done": "documents.started", "refused": "documents.start_refused"}
    work.record(
        action.get(ended.state, "documents.start_unknown"),
        ended.request_id or begun.id,
        workflow=begun.workflow_id,
        kind=ended.kind,
        title=begun.title,
        client_id=begun.client_id,
        answer=answer[:500],
    )


@asynccontextmanager
async def starting(
    store: Store,
    system: SystemWork,
    clock: Clock,
    directory: Directory,
    documents: Documents,
    worklist: Worklist,
    leader: Leader,
) -> AsyncIterator[Starting]:
    """As a service, looking after what is open while this node leads."""
    made = Starting(store, system, clock, directory, documents, worklist)
    try:
        look = partial(repeated, "starts that are open", LOOK_S, made.look)
        async with leader.keep("starts that are open", look):
            yield made
    finally:
        with suppress(Exception):
            await made.close()
