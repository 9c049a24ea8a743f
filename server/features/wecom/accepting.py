"""What a callback that opened comes to: one unit of work, committed before WeCom is answered.

A callback is known by its message id, or by who, when and what for an event; its mark is written with
whatever follows from it, so that a repeat finds the mark and does nothing, on any node and after any
restart. Nothing here goes outside: answers are owed as notices are, a press is a row for the notifier.
What is not understood leaves nothing.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec.structs import replace

from realtime.limits import RateTable
from server.auth.sessions import Sessions
from server.clock import Clock
from server.directory import Directory, WeComChange
from server.directory.access import end_sessions
from server.features.wecom.documents import Heard, Reply
from server.features.wecom.questions import Question, read_button, read_question
from server.features.wecom.texts import say
from server.outbox import Phone, Press, phone_id
from server.storage import refusing
from server.work import SystemWork, UnitOfWork

Fields = Mapping[str, str]
Act = Callable[[UnitOfWork], Awaitable[None]]

REPLY: Final = "wecom"
"""The kind under which answers are owed."""

QUESTIONS_PER_SECOND, QUESTIONS_AT_ONCE = 0.2, 6.0
STRANGERS_PER_SECOND: Final = 1 / 600
LONGEST_KEY, LONGEST_CODE = 1_024, 512
_USER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", re.ASCII)
_PARTY: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
_TASK: Final = re.compile(r"[A-Za-z0-9_@-]{1,128}", re.ASCII)
_TELLS_APART: Final = (
    "FromUserName",
    "CreateTime",
    "MsgType",
    "Event",
    "EventKey",
    "TaskId",
    "ChangeType",
    "UserID",
    "Id",
    "Content",
)
_USER_CHANGES: Final = ("create_user", "update_user", "delete_user")
_PARTY_CHANGES: Final = ("create_party", "update_party", "delete_party")


class Accepting:
    """Takes callbacks in, one at a time each."""

    def __init__(
        self, system: SystemWork, clock: Clock, directory: Directory, sessions: Sessions
    ) -> None:
        self._system = system
        self._directory = directory
        self._sessions = sessions
        self._questions: RateTable[str] = RateTable(clock, QUESTIONS_PER_SECOND, QUESTIONS_AT_ONCE)
        self._strangers: RateTable[str] = RateTable(clock, STRANGERS_PER_SECOND, 1.0)

    async def take(self, fields: Fields) -> str:
        """Do what follows; a sentence for somebody we do not know, else nothing. Raises what a unit
        of work raises when it cannot be stored: then WeCom has to send it again."""
        user = fields.get("FromUserName", "")
        if fields.get("MsgType") == "event":
            await self._event(user, fields)
        elif fields.get("MsgType") == "text" and _USER.fullmatch(user):
            if self._directory.by_wecom(user) is None:
                return self._to_stranger(user)
            await self._ask(user, read_question(fields.get("Content", "")), fields)
        return ""

    def _to_stranger(self, user: str) -> str:
        return "" if self._strangers.take(phone_id(user)) else say("zh", "stranger")

    async def _event(self, user: str, fields: Fields) -> None:
        event = fields.get("Event", "")
        if event == "change_contact":
            await self._contacts_changed(fields)
        elif _USER.fullmatch(user) is None:
            return
        elif event == "click":
            await self._ask(user, read_button(fields.get("EventKey", "")), fields)
        elif event == "template_card_event":
            await self._pressed(user, fields)
        elif event in ("subscribe", "unsubscribe", "enter_agent"):
            await self._once(fields, lambda work: _note_phone(work, user, event))

    # What follows

    async def _ask(self, user: str, question: Question | None, fields: Fields) -> None:
        person = self._directory.by_wecom(user)
        if person is None or question is None or self._questions.take(person.id):
            return

        async def owe(work: UnitOfWork) -> None:
            reply = Reply(
                id=callback_id(fields),
                person_id=person.id,
                question=question.name,
                language=question.language,
                text=question.text,
                at=work.now,
            )
            work.overwrite(reply)
            work.owe(REPLY, reply.id, due_in_ms=0)
            # Whoever types has the app, also where the callback that said so was lost or came late.
            await _note_phone(work, user, "enter_agent")

        await self._once(fields, owe)

    async def _pressed(self, user: str, fields: Fields) -> None:
        task, key = fields.get("TaskId", ""), fields.get("EventKey", "")
        code = fields.get("ResponseCode", "")
        known = _TASK.fullmatch(task) and len(key) <= LONGEST_KEY and len(code) <= LONGEST_CODE
        if not known:
            return

        async def keep(work: UnitOfWork) -> None:
            work.overwrite(
                Press(
                    id=task,
                    wecom_user=user,
                    key=key,
                    response_code=code,
                    pressed_at=work.now,
                    at=work.now,
                )
            )

        await self._once(fields, keep)

    async def _contacts_changed(self, fields: Fields) -> None:
        change = fields.get("ChangeType", "")
        user, party = fields.get("UserID", ""), fields.get("Id", "")
        if change in _USER_CHANGES and _USER.fullmatch(user):
            await self._once(fields, lambda work: self._user_changed(work, user, change))
        elif change in _PARTY_CHANGES and _PARTY.fullmatch(party):

            async def note(work: UnitOfWork) -> None:
                work.overwrite(WeComChange(id=f"party:{party}", change=change, at=work.now))

            await self._once(fields, note)

    async def _user_changed(self, work: UnitOfWork, user: str, change: str) -> None:
        work.overwrite(WeComChange(id=f"user:{phone_id(user)}", change=change, at=work.now))
        if change == "delete_user":
            # Nobody is made to leave on WeCom's word alone; but whoever is out of it is signed out.
            await _note_phone(work, user, "unsubscribe")
            person = self._directory.by_wecom(user)
            if person is not None:
                ended = await end_sessions(work, self._sessions, person.id)
                work.record("wecom.left", person.id, sessions=ended)

    async def _once(self, fields: Fields, act: Act) -> None:
        """Do it unless this callback was heard before; its mark goes into the same commit."""
        mark = callback_id(fields)

        async def do(work: UnitOfWork) -> None:
            if await work.get(Heard, mark) is None:
                work.insert(Heard(id=mark, at=work.now))
                await act(work)

        with refusing():
            await self._system.do(do)


async def _note_phone(work: UnitOfWork, user: str, event: str) -> None:
    """Whether there is a phone to send to, and when somebody last looked at the app there."""
    phone = await work.get(Phone, phone_id(user)) or Phone(id=phone_id(user))
    if event == "unsubscribe":
        phone = replace(phone, left_at=work.now)
    elif event == "subscribe":
        phone = replace(phone, left_at=None)
    else:
        phone = replace(phone, left_at=None, seen_at=work.now)
    work.put(phone)


def callback_id(fields: Fields) -> str:
    """By what a callback is known when it comes again."""
    if message := fields.get("MsgId"):
        said = ["message", message]
    else:
        said = [fields.get(name, "") for name in _TELLS_APART]
    return hashlib.blake2b("\0".join(said).encode(), digest_size=20).hexdigest()
