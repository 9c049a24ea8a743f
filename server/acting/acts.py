"""The one way in which the OA is told what somebody decided.

    opened afresh -> kept as asked -> told, once -> its answer kept, the list shortened, recorded, announced
                                        | no answer
                                        +-> unknown -> read back until the OA's log tells (see `verdict`)

Who asks looks at the opened document first and decides whether it may be done at all. A page's act is told
once and never again. A card's plain yes may be told anew (`again`), after the same look that a person would
have to take, since nobody is left to press twice.

`Acts` holds nothing but numbers, so every node may have one, and a kill loses nothing: what was kept as asked
is read back by `server.acting.looking` on whichever node leads.
"""

import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from msgspec.structs import replace

from realtime.channel import person_channel
from server.acting.documents import Act, act_id
from server.acting.protocol import ActEnded, ActReason, ActState
from server.acting.verdict import SURE_AFTER_MS, own_entries, verdict
from server.auth import Actor
from server.clock import Clock, Millis
from server.directory import Directory
from server.errors import ConflictRefused
from server.integrations.oa import OAError, RefusedByOA
from server.integrations.oa.documents import Documents, OpenedDocument, Submission
from server.integrations.oa.mirror import Worklist
from server.storage import Store
from server.storage.document import from_doc
from server.work import SystemWork, UnitOfWork

FIRST_LOOK_MS: Final = 25_000
"""An act that is still asked after this lost its node: a call waits 10 s for its turn, and takes 10."""
LATE_MS: Final = 5_000
"""An act that was kept so long ago and is not on its way yet is not sent any more."""
LOOKS_MS: Final = (2_000, 5_000, 12_000, SURE_AFTER_MS, 120_000, 600_000)
"""When a document is opened again after a lost answer, counted from the asking."""
OA_AWAY_MS: Final = 10_000
GIVEN_UP_MS: Final = 86_400_000
ENDS_KEPT: Final = 16
"""Ends of acts that a person's channel holds at most; what is older shows when a document is opened."""

Call = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody decided: who and from where, about what, and the words. `to` are OA users. `after` is
    the number of this person's last act on the document (0: none), read before the document was opened:
    an opening tells nothing of what was done after it."""

    actor: Actor
    client_id: str
    via: Literal["page", "card"]
    submission: Submission
    to_people: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    after: int = 0


class Acts:
    """See the module."""

    def __init__(
        self,
        store: Store,
        system: SystemWork,
        clock: Clock,
        directory: Directory,
        oa: Documents,
        worklist: Worklist,
    ) -> None:
        self._store = store
        self._system = system
        self._clock = clock
        self._directory = directory
        self._oa = oa
        self._worklist = worklist
        self.ended: Counter[tuple[str, str, str]] = Counter()
        """How many acts came to what: by road, action and state."""

    # What is kept

    async def by_client(self, person_id: str, client_id: str) -> Act | None:
        """The act that a client id of a person stands for."""
        return await self._one("client", (person_id, client_id))

    async def last(self, person_id: str, request_id: str) -> Act | None:
        """A person's last act on a document."""
        return await self._one("document", (person_id, request_id))

    async def number(self, person_id: str, request_id: str) -> int:
        """How often a person has acted on a document: for `Said.after`."""
        last = await self.last(person_id, request_id)
        return 0 if last is None else last.number

    async def _one(self, index: str, eq: tuple[str, ...]) -> Act | None:
        docs = await self._store.find(Act.collection.name, index, eq, reverse=True, limit=1)
        return from_doc(Act, docs[0]) if docs else None

    # Telling the OA

    async def tell(self, oa_user: str, opened: OpenedDocument, said: Said) -> Act:
        """Tell it, once for each client id; what is known of it after the call.

        Raises ConflictRefused while an earlier act of this person on this document may still be done,
        and when there was one after the opening.
        """
        asked = self._asked(oa_user, opened, said)

        async def keep(work: UnitOfWork) -> tuple[Act, bool]:
            act, is_first = await _keep_asked(work, asked)
            if is_first and act.number != said.after + 1:
                raise ConflictRefused("you have acted on this document since it was opened")
            return act, is_first

        act, is_first = await self._system.do(keep, said.actor)
        if not is_first:
            return act
        return await self._call(act, self._way(oa_user, opened, said))

    async def put_aside(self, oa_user: str, opened: OpenedDocument, said: Said) -> Act:
        """Keep that it came to nothing: the document had moved on before the OA was told."""
        asked = self._asked(oa_user, opened, said)
        moved = replace(asked, state="moved", look_at=None, ended_at=asked.asked_at)

        async def keep(work: UnitOfWork) -> tuple[Act, bool]:
            act, is_first = await _keep_asked(work, moved)
            if is_first:
                _record(work, act, "not told: moved on")
                _announce(work, act)
            return act, is_first

        act, is_first = await self._system.do(keep, said.actor)
        self._count(act, is_news=is_first)
        self._worklist.hint([act.person_id])
        return act

    async def again(self, act: Act, oa_user: str, opened: OpenedDocument, said: Said) -> Act:
        """Tell the same once more: for what was refused, or was read back and does not show."""
        now = self._clock.now()
        anew = replace(
            act,
            state="asked",
            asked_at=now,
            tries=act.tries + 1,
            known=own_entries(opened, oa_user),
            may_repeat=False,
            look_at=Millis(now + FIRST_LOOK_MS),
            ended_at=None,
        )

        async def keep(work: UnitOfWork) -> bool:
            stored = await work.get(Act, act.id)
            last = await _last(work, act.person_id, act.request_id)
            if stored is None or last is None or stored.tries != act.tries:
                return False
            if last.number != said.after or (last.id != act.id and last.is_open):
                return False
            is_over = stored.state == "refused" or stored.may_repeat
            if is_over:
                work.put(anew)
            return is_over

        if not await self._system.do(keep, said.actor):
            raise ConflictRefused("this is being done already")
        return await self._call(anew, self._way(oa_user, opened, said))

    def _asked(self, oa_user: str, opened: OpenedDocument, said: Said) -> Act:
        now = self._clock.now()
        return Act(
            id="",
            person_id=said.actor.person_id,
            request_id=opened.request_id,
            number=0,
            client_id=said.client_id,
            action=said.submission.action,
            via=said.via,
            title=opened.title,
            node_id=opened.node_id,
            asked_at=now,
            opinion=said.submission.opinion,
            to=said.to_people,
            known=own_entries(opened, oa_user),
            look_at=Millis(now + FIRST_LOOK_MS),
            session_id=said.actor.session_id,
            address=said.actor.address,
        )

    def _way(self, oa_user: str, opened: OpenedDocument, said: Said) -> Call:
        submission, address = said.submission, said.actor.address
        if submission.action != "forward":
            return lambda: self._oa.submit(oa_user, opened, submission)
        return lambda: self._oa.forward(
            oa_user, opened.request_id, said.to, submission.opinion, address
        )

    async def _call(self, act: Act, call: Call) -> Act:
        if self._clock.now() - act.asked_at > LATE_MS:
            # This node stood still meanwhile; another may have said by now that nothing was done.
            return await self._end(act, "refused", "not told: late", reason="never_arrived")
        try:
            done = await call()
        except ValueError:
            return await self._end(act, "refused", "not told: unfit", reason="unfit")
        except RefusedByOA as fault:
            return await self._end(act, "refused", fault.kind)
        except OAError as fault:
            if fault.never_arrived:
                answer = f"not told: {fault.kind}"
                return await self._end(act, "refused", answer, reason="never_arrived")
            return await self._end(act, "unknown", fault.kind)
        return await (self._end(act, "done", "success") if done else self._refused(act))

    async def _refused(self, act: Act) -> Act:
        """The OA gives no reason for its no, and may say no to what it did. What can be seen is seen: that
        somebody was faster, or that it was done."""
        person = self._directory.person(act.person_id)
        if person is not None:
            with suppress(OAError):
                opened = await self._oa.open_document(person.oa_user_id, act.request_id)
                seen = verdict(act, opened, person.oa_user_id)
                if seen != "waits":
                    return await self._end(act, seen, "failed, and waits no more")
        return await self._end(act, "refused", "failed")

    # What became of it

    async def look(self, act: Act) -> Act:
        """Open the document again for whoever acted, and draw the conclusion."""
        person = self._directory.person(act.person_id)
        if person is None or person.is_retired or not person.oa_user_id:
            return await self._end(act, "unknown", "account gone", is_last=True)
        try:
            opened = await self._oa.open_document(person.oa_user_id, act.request_id)
        except RefusedByOA as fault:
            return await self._conclude_waiting(act, fault.kind)
        except OAError:
            return await self._later(act)
        return await self.conclude(act, opened, person.oa_user_id)

    async def conclude(self, act: Act, opened: OpenedDocument, oa_user: str) -> Act:
        """What the document that was just opened says of an act nobody knows of; else the act."""
        if act.state not in ("asked", "unknown"):
            return act
        match verdict(act, opened, oa_user):
            case "done":
                return await self._end(act, "done", "found in its log")
            case "moved":
                return await self._end(act, "moved", "somebody else was faster")
            case _ if self._is_being_told(act):
                return act
            case _:
                return await self._conclude_waiting(act, "not in its log")

    def _is_being_told(self, act: Act) -> bool:
        """Whether some node still waits for the OA's answer: nothing was lost so far."""
        due = act.look_at
        return act.state == "asked" and due is not None and self._clock.now() < due

    async def _conclude_waiting(self, act: Act, answer: str) -> Act:
        is_sure = self._clock.now() - act.asked_at >= SURE_AFTER_MS
        return await self._end(act, "unknown", answer, may_repeat=is_sure)

    async def _later(self, act: Act) -> Act:
        """The OA does not answer: nothing is learnt."""
        now = self._clock.now()
        is_old = now - act.asked_at > GIVEN_UP_MS
        later = replace(act, state="unknown", look_at=None if is_old else Millis(now + OA_AWAY_MS))
        return await self._keep(act, later, "no answer")

    async def _end(
        self,
        act: Act,
        state: ActState,
        answer: str,
        *,
        reason: ActReason = "",
        may_repeat: bool = False,
        is_last: bool = False,
    ) -> Act:
        if act.action != "forward" and state == "done":
            # First: whoever is killed in between finds it done again, and takes it off again.
            await self._worklist.acted(act.person_id, act.request_id)
        elif state in ("done", "moved"):
            self._worklist.hint([act.person_id])
        look_at = None if is_last or state != "unknown" else self._next_look(act)
        ended = replace(
            act,
            state=state,
            reason=reason,
            may_repeat=may_repeat,
            look_at=look_at,
            ended_at=None if state == "unknown" else self._clock.now(),
            # What is done is in the OA; words that came to nothing are given back.
            opinion="" if state == "done" else act.opinion,
        )
        return await self._keep(act, ended, answer)

    def _next_look(self, act: Act) -> Millis | None:
        now = self._clock.now()
        moments = (Millis(act.asked_at + after) for after in LOOKS_MS)
        return next((moment for moment in moments if moment > now), None)

    async def _keep(self, act: Act, ended: Act, answer: str) -> Act:
        """Store, record and announce what is news; what is kept then."""
        roles = self._directory.roles_of(act.person_id) or frozenset()
        actor = Actor(act.person_id, act.session_id, roles, act.address)
        kept, is_news = await self._system.do(lambda work: _keep_end(work, ended, answer), actor)
        self._count(kept, is_news=is_news)
        return kept

    def _count(self, act: Act, *, is_news: bool) -> None:
        if is_news:
            self.ended[act.via, act.action, act.state] += 1


async def _last(work: UnitOfWork, person_id: str, request_id: str) -> Act | None:
    found = await work.query(Act, "document", person_id, request_id, reverse=True, limit=1)
    return found[0] if found else None


async def _keep_asked(work: UnitOfWork, asked: Act) -> tuple[Act, bool]:
    """The act as kept, and whether it is a new one. Raises ConflictRefused."""
    # In this order: whoever stores the same act in between is met as the same, not as an earlier one.
    earlier = await _last(work, asked.person_id, asked.request_id)
    known = await work.query(Act, "client", asked.person_id, asked.client_id, limit=1)
    if known:
        return known[0], False
    if earlier is not None and earlier.is_open:
        raise ConflictRefused("what you did with this document before is still on its way")
    number = earlier.number + 1 if earlier is not None else 1
    act = replace(asked, id=act_id(asked.person_id, asked.request_id, number), number=number)
    work.insert(act)
    return act, True


async def _keep_end(work: UnitOfWork, ended: Act, answer: str) -> tuple[Act, bool]:
    """What is kept, and whether that is news. Whoever knows more has the last word: an answer read back
    meanwhile stands, and a later try is not ended by what became of an earlier one."""
    known = await work.find(Act, ended.id)
    is_settled = known.state in ("done", "refused") or (
        known.state == "moved" and ended.state != "done"
    )
    if known.tries != ended.tries or is_settled:
        return known, False
    work.put(ended)
    if (known.state, known.may_repeat) == (ended.state, ended.may_repeat):
        return ended, False
    _record(work, ended, answer)
    _announce(work, ended)
    return ended, True


def _announce(work: UnitOfWork, act: Act) -> None:
    event = ActEnded(request_id=act.request_id, title=act.title, act=act.card)
    place = zlib.crc32(act.request_id.encode()) % ENDS_KEPT
    work.append(person_channel(act.person_id), event, key=f"documents.acted:{place}")


def _record(work: UnitOfWork, act: Act, answer: str) -> None:
    """Who, what, when, from where, and what the OA said; never the words of an opinion."""
    is_yes = act.via == "card" and act.state == "done"
    work.record(
        "todos.approved" if is_yes else "documents.acted",
        f"{act.person_id}:{act.request_id}" if is_yes else act.request_id,
        did=act.action,
        via=act.via,
        came_to=act.state,
        answer=answer,
        node=act.node_id,
        tries=act.tries,
        asked_at=act.asked_at,
        **({"to": list(act.to)} if act.to else {}),
    )
