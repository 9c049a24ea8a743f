"""Sending: the way of one notice from the queue to WeCom and into the ledger.

    queued -> composed and checked -> leased, bytes stored -> call -> recorded with the feature's marks

A crash before the lease leaves it queued; after it, the same bytes go again, provided that the person
still has the account they are for and that what they quote was not taken back. When WeCom has said that
it took nothing, the next try says what there is to say by then.

What is known to have ended is kept here until the ledger takes it: a store that is busy for a moment
does not make a phone ring twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from realtime.application import Reach
from realtime.presence import Presence
from server.clock import Clock, Millis
from server.integrations.wecom import (
    NO_CALLBACK,
    RefusedByWeCom,
    WeCom,
    button_card_request,
    textcard_request,
)
from server.integrations.wecom.textcard import recipients
from server.notify.digest import ASK_AGAIN_MS, Digest, Gathered, one_card
from server.notify.duty import Draft, Duty, Quoting, Unseeing
from server.notify.metrics import NoticeMetrics
from server.notify.outcome import Ended, Outcome, Postponed, outcome_of
from server.notify.texts import say
from server.notify.throttle import ARRIVAL_MS, HOUR_MS
from server.notify.wishes import SEND, Verdict, Wishes, decide
from server.outbox import TOLD, UNENDED, Notice, Phone, State, Why, phone_id, task_of
from server.storage import Conflict, Op, Put, StorageError, Store
from server.storage.document import from_doc, to_doc

logger = logging.getLogger(__name__)

CALL_S: Final = ARRIVAL_MS / 1000
"""A call that has not ended by itself by then is given up; its outcome is unknown."""
LEASE_MS: Final = 60_000
PENDING_MS: Final = 3_000
MARK_TRIES: Final = 3
NO_ACCOUNT: Final = "no WeCom account"
LEFT_APP: Final = "has left the app in WeCom"
WITHOUT_BUTTONS_MS: Final = 1_000
BUTTONS_AGAIN_S: Final = 600.0
"""How long cards go without buttons after WeCom said that it knows no callback."""
RECORD_TRIES: Final = 5
RECORD_WAIT_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Held:
    """A notice as it was read, with the version that makes it ours.

    `fresh`: its bytes were made since, so that no earlier call can have brought them anywhere.
    """

    notice: Notice
    version: int
    fresh: bool = False

    def may_be_out(self, outcome: Outcome) -> bool:
        """Whether, after a call that came to this, WeCom may have bytes of a notice not ended."""
        return isinstance(outcome, Postponed) and not (self.fresh and outcome.turned_away)


class Sending:
    """Takes single notices on their way; who goes and when is `departures`' business."""

    def __init__(
        self,
        store: Store,
        presence: Presence,
        wecom: WeCom,
        clock: Clock,
        duties: Mapping[str, Duty],
        metrics: NoticeMetrics,
        *,
        agent_id: int,
        url: str,
        owner: str,
        wecom_user_of: Callable[[str], str | None],
        zone: ZoneInfo,
        may_have_buttons: bool = False,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._presence = presence
        self._wecom = wecom
        self._clock = clock
        self._duties = duties
        self._metrics = metrics
        self._agent_id = agent_id
        self._url = url
        self._owner = owner
        self._wecom_user_of = wecom_user_of
        self._buttons_from = float("-inf") if may_have_buttons else float("inf")
        self._zone = zone
        self._digest = Digest(store, presence, duties)
        self._pause = pause

    async def lease(self, held: Held) -> Held | Postponed | None:
        """Check once more, compose unless the bytes must stay, store them. None: it has ended.

        Raises Conflict when the notice is somebody else's by now.
        """
        notice = held.notice
        if notice.into and await self._went_with_another(held):
            return None
        draft = await self._draft(notice)
        repeats = notice.request is not None and not held.fresh
        if draft is None or (repeats and notice.upto <= draft.after):
            await self._end(held, "settled", notice.upto, why="read")
            return None
        notice = msgspec.structs.replace(notice, path=draft.path, into="")
        held = replace(held, notice=notice)
        user = self._wecom_user_of(notice.person_id)
        if repeats and await self._may_repeat(notice, user):
            return await self._leased(held, notice, fresh=False)
        return await self._leased_anew(held, draft, user)

    async def _leased_anew(
        self, held: Held, draft: Draft, user: str | None
    ) -> Held | Postponed | None:
        """Compose it, unless it has reached a screen, or cannot or should not go now."""
        if not draft.asked:
            reached = await self._reached(held.notice.person_id, draft)
            if reached is Reach.REACHED:
                await self._end(held, "settled", draft.upto, why="screen")
                return None
            if reached is Reach.PENDING:
                return await self._put_off(held, self._clock.now() + PENDING_MS)
        if user is None or await self._has_left(user):
            reason = NO_ACCOUNT if user is None else LEFT_APP
            await self._end(held, "refused", draft.upto, reason=reason)
            return None
        wishes = await self._wishes(held.notice.person_id)
        verdict = SEND if draft.asked else self._verdict(wishes, held.notice, named=draft.named)
        if verdict.action == "app":
            await self._end(held, "settled", draft.upto, why="app")
            return None
        if verdict.action == "wait":
            return await self._put_off(held, verdict.until, verdict.why)
        others = list[Gathered]()
        if verdict.action == "digest":
            others = await self._digest.others(
                held.notice, lambda other: self._verdict(wishes, other).action == "digest"
            )
        card = one_card(draft, others) if others else draft
        notice = msgspec.structs.replace(held.notice, why="digest" if others else "")
        return await self._leased(held, self._composed(notice, card, user), others, fresh=True)

    async def _leased(
        self, held: Held, notice: Notice, others: Sequence[Gathered] = (), *, fresh: bool
    ) -> Held:
        """Store its bytes with a lease, and whom else they tell of."""
        now = self._clock.now()
        leased = msgspec.structs.replace(
            notice,
            state="sending",
            owner=self._owner,
            waiting_for=None,
            at=Millis(now + LEASE_MS),
            tries=[at for at in notice.tries if at > now - HOUR_MS] + [now],
            tried_at=now,
        )
        carried = [other.carried_by(notice, now) for other in others]
        stored = await self._put(leased, held.version, *carried)
        return Held(stored.notice, stored.version, fresh=fresh)

    async def _put_off(self, held: Held, at: int, why: Why = "") -> Postponed:
        await self.postpone(held, at, why)
        return Postponed(at - self._clock.now(), "")

    async def _draft(self, notice: Notice) -> Draft | None:
        """What it would say now; None when there is nothing (any more) to say."""
        duty = self._duties[notice.kind]
        if not notice.again:
            return await duty.draft(notice.person_id, notice.subject)
        # The feature takes it as told: that it was not seen is all that can be asked.
        if isinstance(duty, Unseeing) and not await duty.is_unseen(
            notice.person_id, notice.subject, notice.upto
        ):
            return None
        return Draft(
            title=say("zh", "late"),
            description=say("zh", "late_text"),
            path=notice.path or "/",
            upto=notice.upto,
            after=notice.after,
            count=notice.count,
            newest_at=notice.created_at,
        )

    async def _wishes(self, person_id: str) -> Wishes:
        doc = await self._store.get(Wishes.collection.name, person_id)
        return Wishes(id=person_id) if doc is None else from_doc(Wishes, doc)

    def _verdict(self, wishes: Wishes, notice: Notice, *, named: bool = False) -> Verdict:
        """What its person wishes to happen to it now."""
        return decide(
            wishes,
            notice.kind,
            notice.priority,
            named=named,
            created_at=notice.created_at,
            now=self._clock.now(),
            zone=self._zone,
        )

    async def _went_with_another(self, held: Held) -> bool:
        """Whether the card that carries this notice has decided on it, or may still do so."""
        carrier = await self._digest.carrier_of(held.notice)
        if carrier is not None and carrier.state in TOLD:
            reason, state = carrier.reason, carrier.state
            await self._end(held, state, held.notice.upto, reason=reason, why="merged")
            return True
        if carrier is not None and carrier.state in UNENDED and carrier.request is not None:
            await self.postpone(held, self._clock.now() + ASK_AGAIN_MS, "digest")
            return True
        return False

    async def _may_repeat(self, notice: Notice, user: str | None) -> bool:
        """Whether bytes that may be out may go again as they are."""
        assert notice.request is not None, "what repeats has its bytes"
        if user is None or recipients(notice.request.encode()) != (user,):
            return False
        duty = self._duties[notice.kind]
        if not notice.quotes:
            return True
        return isinstance(duty, Quoting) and await duty.may_quote(notice.subject, notice.quotes)

    async def _has_left(self, user: str) -> bool:
        """Whether the app is not to be seen on this phone, so that WeCom would refuse."""
        phone = await self._store.get(Phone.collection.name, phone_id(user))
        return phone is not None and phone.get("left_at") is not None

    async def _reached(self, person_id: str, draft: Draft) -> Reach:
        reach = await self._presence.reach([person_id], draft.newest_at)
        return reach.get(person_id, Reach.AWAY)

    def _composed(self, notice: Notice, draft: Draft, user: str) -> Notice:
        """With its bytes. The notice's id in the address makes two of them differ."""
        mark = "&" if "?" in draft.path else "?"
        address = f"{self._url}{draft.path}{mark}n={notice.id}"
        said = (self._agent_id, [user], draft.title, draft.description, address)
        if draft.buttons and self._clock.monotonic() >= self._buttons_from:
            task = task_of(notice.id, self._clock.now())
            request = button_card_request(*said, task_id=task, buttons=draft.buttons)
        else:
            request = textcard_request(*said)
        return msgspec.structs.replace(
            notice,
            request=request.decode(),
            quotes=draft.quotes,
            after=draft.after,
            upto=draft.upto,
            count=draft.count,
        )

    def may_call(self, held: Held) -> bool:
        """Whether the lease outlives a call that begins now (the process may have been stopped)."""
        return self._clock.now() + CALL_S * 1000 <= held.notice.at

    async def call(self, held: Held) -> Outcome:
        """Send the bytes. Raises nothing but cancellation."""
        notice = held.notice
        assert notice.request is not None, "a leased notice has its bytes"
        try:
            async with asyncio.timeout(CALL_S):
                sent = await self._wecom.send(notice.request.encode())
        except RefusedByWeCom as refused:
            if refused.code != NO_CALLBACK:
                return outcome_of(notice, refused)
            # Rather a card without buttons than none.
            logger.error("WeCom knows no callback of this app: cards go without buttons")
            self._buttons_from = self._clock.monotonic() + BUTTONS_AGAIN_S
            return Postponed(WITHOUT_BUTTONS_MS, str(refused), turned_away=True)
        except Exception as fault:
            return outcome_of(notice, fault)
        return outcome_of(notice, sent)

    async def record(self, held: Held, outcome: Ended | Postponed) -> None:
        """Write down what became of the call. Tries again while the store cannot take it."""
        for again in range(RECORD_TRIES):
            try:
                await self._record(held, outcome)
            except Conflict:
                raise
            except StorageError as fault:
                if again == RECORD_TRIES - 1:
                    raise
                logger.warning("the outcome of a notice is not stored yet: %s", fault)
                await self._pause(RECORD_WAIT_S * 2**again)
            else:
                return

    async def _record(self, held: Held, outcome: Ended | Postponed) -> None:
        if isinstance(outcome, Ended):
            await self._end(
                held,
                outcome.state,
                held.notice.upto,
                reason=outcome.reason,
                msgid=outcome.msgid,
                response_code=outcome.response_code,
            )
            return
        notice = msgspec.structs.replace(
            held.notice,
            at=Millis(self._clock.now() + outcome.wait_ms),
            request=held.notice.request if held.may_be_out(outcome) else None,
            failures=held.notice.failures + outcome.counts,
            reason=outcome.reason,
        )
        await self._put(notice, held.version)

    async def postpone(self, held: Held, at: int, why: Why = "") -> None:
        """Not before this moment, and why."""
        notice = msgspec.structs.replace(held.notice, at=Millis(at), why=why)
        await self._put(notice, held.version)

    async def _end(
        self,
        held: Held,
        state: State,
        upto: int,
        *,
        reason: str = "",
        msgid: str = "",
        response_code: str = "",
        why: Why = "",
    ) -> None:
        """The last entry of this notice, together with the feature's marks."""
        now = self._clock.now()
        notice = msgspec.structs.replace(
            held.notice,
            state=state,
            at=now,
            told_at=now if state != "settled" else None,
            waiting_for=None,
            owner=None,
            request=None,
            reason=reason,
            msgid=msgid,
            response_code=response_code,
            why=why or ("digest" if held.notice.why == "digest" else ""),
        )
        await self._put_with_marks(notice, held.version, upto)
        self._metrics.ended.labels(state).inc()

    async def _put_with_marks(self, notice: Notice, version: int, upto: int) -> None:
        duty = self._duties[notice.kind]
        for _ in range(MARK_TRIES):
            marks = await duty.settle(notice.subject, {notice.person_id: upto})
            try:
                await self._put(notice, version, *marks)
            except Conflict as conflict:
                if conflict.coll == Notice.collection.name:
                    raise
            else:
                return
        # What it was about is gone; that it was sent is worth keeping all the same.
        await self._put(notice, version)

    async def _put(self, notice: Notice, version: int, *marks: Op) -> Held:
        put = Put(Notice.collection.name, to_doc(notice), version)
        stored = (await self._store.apply(put, *marks))[0]
        assert stored is not None, "a put stores its document"
        return Held(from_doc(Notice, stored), stored["_v"])
