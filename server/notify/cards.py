"""Cards after they were sent: what was pressed is done and said on them; what is over is taken back.

    pressed -> done by the duty, once -> what came of it is stored -> the card is changed -> forgotten
    over    -> a card with buttons is changed, a plain one recalled                       -> forgotten

Each row is carried out by a task of this class (`stop` ends them), on the node that leads, within the gate
that all calls share. A crash leaves the row, and everything is asked again: the duty does it once all the
same, and WeCom refuses a code that was used, which is as good as an answer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from msgspec.structs import replace

from realtime.tasks import ended
from server.audit import AuditRow
from server.clock import Clock, Millis
from server.ids import new_id
from server.integrations.wecom import (
    Misconfigured,
    Paused,
    RefusedByWeCom,
    WeComCards,
    WeComError,
    card_update,
)
from server.notify.duty import Acting, Duty, NotYet
from server.notify.gate import Gate
from server.notify.metrics import NoticeMetrics
from server.notify.texts import say
from server.outbox import Notice, Press, Withdrawal, phone_id
from server.storage import Conflict, Delete, Insert, Op, Patch, Put, StorageError, Store
from server.storage.document import Document, from_doc, to_doc

logger = logging.getLogger(__name__)

_NOTICES: Final = Notice.collection.name
BATCH: Final = 50
MOST_AT_ONCE: Final = 8
CALL_S: Final = 35.0
NO_ROOM_S: Final = 1.0
PRESS_AGAIN_S: Final = 2.0
LONGEST_WAIT_S: Final = 30.0
MISCONFIGURED_S: Final = 60.0
PRESS_GIVEN_UP_MS: Final = 600_000
"""A press that came to nothing for so long is told so: the person opens the document instead."""
OVER_GIVEN_UP_MS: Final = 24 * 3_600_000
CODE_LASTS_MS: Final = 72 * 3_600_000
RECALLED_WITHIN_MS: Final = 24 * 3_600_000
MOST_NOTICES: Final = 100
LANGUAGE: Final = "zh"


class Again(Exception):
    """This row comes again after so many seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__()
        self.after_s = after_s


class Cards:
    """Carries out presses and withdrawals. One per process and store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        duties: Mapping[str, Duty],
        wecom: WeComCards,
        gate: Gate,
        metrics: NoticeMetrics,
        *,
        agent_id: int,
        wecom_user_of: Callable[[str], str | None],
    ) -> None:
        self._metrics = metrics
        self._store = store
        self._clock = clock
        self._duties = duties
        self._wecom = wecom
        self._gate = gate
        self._agent_id = agent_id
        self._wecom_user_of = wecom_user_of
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def step(self) -> None:
        """Begin what is due, presses first."""
        await self._begin(Press, self._press)
        await self._begin(Withdrawal, self._withdraw)

    async def quiet(self) -> None:
        """Until nothing is under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def stop(self) -> None:
        """What is cut short comes again."""
        await ended(*self._tasks.values())

    async def _begin(
        self,
        kind: type[Press] | type[Withdrawal],
        carry_out: Callable[..., Awaitable[None]],
    ) -> None:
        name = kind.collection.name
        docs = await self._store.find(name, "due", lt=self._clock.now() + 1, limit=BATCH)
        for doc in docs:
            key = f"{name} {doc['_id']}"
            if key not in self._tasks and len(self._tasks) < MOST_AT_ONCE:
                row, version = from_doc(kind, doc), doc["_v"]
                task = asyncio.create_task(self._carried(key, row, version, carry_out), name=key)
                self._tasks[key] = task

    async def _carried(
        self,
        key: str,
        row: Press | Withdrawal,
        version: int,
        carry_out: Callable[..., Awaitable[None]],
    ) -> None:
        """One row's way; whatever happens it is removed in the version carried out, or comes again."""
        try:
            await self._settled(row, version, carry_out)
        except Conflict:
            logger.info("a card was pressed again meanwhile")
        except StorageError as fault:
            logger.warning("what happens to a card was not stored: %s", fault)
        except Exception:
            logger.exception("what happens to a card could not be carried through")
        finally:
            del self._tasks[key]

    async def _settled(
        self, row: Press | Withdrawal, version: int, carry_out: Callable[..., Awaitable[None]]
    ) -> None:
        try:
            await carry_out(row, version)
        except Again as again:
            await self._put_off(row, version, again.after_s)
        except (Conflict, StorageError):
            raise
        except Exception:
            logger.exception("what happens to a card failed")
            await self._put_off(row, version, _growing(row.failures))

    async def _put_off(self, row: Press | Withdrawal, version: int, after_s: float) -> None:
        at = Millis(self._clock.now() + round(after_s * 1000))
        change = {"at": at, "failures": row.failures + 1}
        # A press that was just judged is in a later version: what it says is kept, the moment changes.
        doc = await self._store.get(row.collection.name, row.id)
        if doc is not None and doc["_v"] in (version, version + 1):
            await self._store.apply(Patch(row.collection.name, row.id, change, doc["_v"]))

    # Pressed

    async def _press(self, press: Press, version: int) -> None:
        doc = await self._store.get(_NOTICES, press.notice_id)
        notice = None if doc is None else from_doc(Notice, doc)
        user = None if notice is None else self._wecom_user_of(notice.person_id)
        if notice is None or user is None or phone_id(user) != phone_id(press.wecom_user):
            logger.warning("a button was pressed that is not this person's")
            self._metrics.presses.labels("stranger").inc()
            await self._forget(press, version, self._record(press, notice, "", "refused"))
            return
        if not press.says:
            says = await self._said(press, notice)
            press, version = await self._keep(replace(press, says=says), version, notice)
        if press.response_code:
            await self._change(press.response_code, user, press.says, press.failures)
        await self._close(notice.id)
        await self._forget(press, version)

    async def _said(self, press: Press, notice: Notice) -> str:
        """What the duty makes of it."""
        duty: object = self._duties.get(notice.kind)
        if not isinstance(duty, Acting):
            return say(LANGUAGE, "not_done")
        try:
            says = await duty.press(notice.person_id, notice.subject, press.key)
            self._metrics.presses.labels("said").inc()
            return says
        except NotYet as not_yet:
            wait_s = max(not_yet.after_s, _growing(press.failures))
        except StorageError:
            raise
        except Exception:
            logger.exception("a press could not be carried out")
            wait_s = _growing(press.failures)
        if self._clock.now() - press.pressed_at > PRESS_GIVEN_UP_MS:
            self._metrics.presses.labels("given_up").inc()
            return say(LANGUAGE, "not_done")
        self._metrics.presses.labels("put_off").inc()
        raise Again(wait_s)

    async def _keep(self, press: Press, version: int, notice: Notice) -> tuple[Press, int]:
        keep = Put(Press.collection.name, to_doc(press), version)
        record = self._record(press, notice, notice.person_id, "done")
        stored = (await self._store.apply(keep, record))[0]
        assert stored is not None, "a put stores its document"
        return press, stored["_v"]

    def _record(self, press: Press, notice: Notice | None, actor_id: str, outcome: str) -> Insert:
        """Every press, and what its card says of it; what was done by it has a row of its own."""
        now = self._clock.now()
        row = AuditRow(
            id=new_id(now),
            at=now,
            actor_id=actor_id,
            action="notices.pressed",
            subject=notice.subject if notice is not None else press.notice_id,
            outcome=outcome,
            detail={
                "kind": notice.kind if notice is not None else "",
                "key": press.key,
                "wecom_user": press.wecom_user,
                "pressed_at": press.pressed_at,
                "says": press.says,
            },
        )
        return Insert(AuditRow.collection.name, to_doc(row))

    # Over

    async def _withdraw(self, over: Withdrawal, version: int) -> None:
        eq = (over.kind, over.subject)
        if await self._store.find(_NOTICES, "subject", (*eq, "sending"), limit=1):
            raise Again(PRESS_AGAIN_S)
        docs = await self._store.find(_NOTICES, "subject", (*eq, "sent"), limit=MOST_NOTICES)
        pressed = await self._pressed_now()
        for notice in (from_doc(Notice, doc) for doc in docs):
            if notice.closed_at is not None:
                continue
            if notice.id in pressed:
                raise Again(PRESS_AGAIN_S)
            await self._take_back(notice, over)
        await self._forget(over, version)

    async def _pressed_now(self) -> set[str]:
        """Notices whose press is still being carried out: it says more than that they are over."""
        docs = await self._store.find(Press.collection.name, "due", limit=1_000)
        return {from_doc(Press, doc).notice_id for doc in docs}

    async def _take_back(self, notice: Notice, over: Withdrawal) -> None:
        user, now = self._wecom_user_of(notice.person_id), self._clock.now()
        sent_ago_ms = now - (notice.told_at or 0)
        if now - over.over_at > OVER_GIVEN_UP_MS:
            pass
        elif notice.response_code and user is not None and sent_ago_ms < CODE_LASTS_MS:
            await self._change(notice.response_code, user, say(LANGUAGE, "handled"), over.failures)
        elif notice.why == "digest":
            pass  # Its card tells of other things too.
        elif notice.msgid and not notice.response_code and sent_ago_ms < RECALLED_WITHIN_MS:
            recall = partial(self._wecom.recall, notice.msgid)
            await self._call(over.id, recall, over.failures)
        await self._close(notice.id)

    # Both

    async def _change(self, code: str, user: str, says: str, failures: int) -> None:
        request = card_update(self._agent_id, [user], code, says)
        await self._call(code, partial(self._wecom.update_card, request), failures)

    async def _call(self, name: str, call: Callable[[], Awaitable[None]], failures: int) -> None:
        """Return when WeCom has answered, yes or no. Raises Again."""
        if not self._gate.room():
            raise Again(NO_ROOM_S)
        self._gate.begin()
        try:
            async with asyncio.timeout(CALL_S):
                await call()
        except RefusedByWeCom as refused:
            # Most likely the code was used: by an earlier try whose answer was lost.
            logger.info("WeCom would not change a card: %s", refused)
        except Paused as paused:
            self._gate.pause(paused.seconds)
            raise Again(paused.seconds) from None
        except Misconfigured:
            self._gate.misconfigure()
            raise Again(MISCONFIGURED_S) from None
        except (WeComError, TimeoutError):
            self._gate.failed(name)
            raise Again(_growing(failures)) from None
        finally:
            self._gate.end(called=True)
        self._gate.succeeded()

    async def _close(self, notice_id: str) -> None:
        """Its card says what there is to say."""
        closed = {"closed_at": self._clock.now(), "response_code": ""}
        try:
            await self._store.apply(Patch(_NOTICES, notice_id, closed))
        except Conflict:
            logger.info("a notice is not kept any more")

    async def _forget(self, row: Document, version: int, *also: Op) -> None:
        await self._store.apply(Delete(row.collection.name, row.id, version), *also)


def _growing(failures: int) -> float:
    wait_s: float = min(PRESS_AGAIN_S * 2 ** min(failures, 8), LONGEST_WAIT_S)
    return wait_s
