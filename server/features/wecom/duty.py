"""Answers: what is owed to somebody who asked in WeCom. It goes out like every notice, through the same
queue and limits, and says what is so when it goes, not when it was asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from realtime.channel import person_channel
from server.clock import Clock, Millis
from server.directory import Directory
from server.features.wecom.accepting import REPLY
from server.features.wecom.documents import Reply
from server.features.wecom.questions import SEARCH
from server.features.wecom.texts import say
from server.integrations.oa.mirror import Worklist
from server.notify import Claim, Draft, Priority
from server.outbox import Owed
from server.settings import Settings
from server.storage import Max, Op, Store
from server.storage.document import from_doc
from server.work import LogReader

TOLD: Final = 1
ANSWERED_WITHIN_MS: Final = 600_000
"""An answer that comes later surprises more than it helps."""
TITLES: Final = 3
HEADS: Final = 3
MAIL_COUNTED: Final = "mail.counted"
"""The key, in a person's own channel, of the value that says how many mails are unread."""


class MailNumber(msgspec.Struct, frozen=True):
    """As much of that value as is told here."""

    unread: int


Said = tuple[str, str, str]
"""Title, description, path."""


class ReplyDuty:
    """Keeps the promise of `server.notify.Duty`; a subject is one question."""

    kind = REPLY

    def __init__(
        self,
        store: Store,
        clock: Clock,
        directory: Directory,
        worklist: Worklist,
        settings: Settings,
    ) -> None:
        self._store = store
        self._clock = clock
        self._directory = directory
        self._worklist = worklist
        self._zone = ZoneInfo(settings.oa_timezone)

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        """Who asked, unless that was answered or is too long ago."""
        docs = await self._store.get_many(Reply.collection.name, [row.subject for row in owed])
        replies = (from_doc(Reply, doc) for doc in docs.values())
        return {
            reply.id: [
                Claim(
                    person_id=reply.person_id,
                    upto=TOLD,
                    first_at=reply.at,
                    newest_at=reply.at,
                    priority=Priority.TODO,
                    asked=True,
                )
            ]
            for reply in replies
            if self._is_owed(reply)
        }

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        """The answer as it is now."""
        doc = await self._store.get(Reply.collection.name, subject)
        reply = from_doc(Reply, doc) if doc is not None else None
        if reply is None or reply.person_id != person_id or not self._is_owed(reply):
            return None
        title, description, path = await self._said(reply)
        return Draft(
            title=title,
            description=description,
            path=path,
            upto=TOLD,
            newest_at=reply.at,
            asked=True,
        )

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        """Mark the question as answered."""
        known = await self._store.get(Reply.collection.name, subject)
        return [Max(Reply.collection.name, subject, "told", TOLD)] if upto and known else []

    def _is_owed(self, reply: Reply) -> bool:
        return reply.told < TOLD and reply.at > self._clock.now() - ANSWERED_WITHIN_MS

    # What is said

    async def _said(self, reply: Reply) -> Said:
        match reply.question:
            case "todos":
                return await self._todos(reply)
            case "mail":
                return await self._mail(reply)
            case "duty":
                return self._on_duty(reply)
            case name if name == SEARCH:
                title = say(reply.language, "search_title", text=reply.text)
                return title, say(reply.language, "search"), f"/search?q={quote(reply.text)}"
        return say(reply.language, "help_title"), say(reply.language, "help"), "/apps"

    async def _todos(self, reply: Reply) -> Said:
        language = reply.language
        waiting = await self._worklist.counts(reply.person_id)
        seen = await self._worklist.seen(reply.person_id)
        if waiting.as_of is None and waiting.stale:
            return say(language, "todos_unknown_title"), say(language, "todos_unknown"), "/todos"
        if not waiting.pending:
            title, lines = say(language, "todos_none_title"), [say(language, "todos_none")]
        else:
            title = say(language, "todos_title", count=waiting.pending)
            lines = [item.title for item in (seen.items if seen else ())[:TITLES]]
        if waiting.stale and waiting.as_of is not None:
            lines.append(say(language, "todos_stale", time=self._time(waiting.as_of)))
        return title, "\n".join(lines), "/todos"

    def _time(self, at: Millis) -> str:
        return datetime.fromtimestamp(at / 1000, self._zone).strftime("%m-%d %H:%M")

    async def _mail(self, reply: Reply) -> Said:
        told = await LogReader(self._store).value(person_channel(reply.person_id), MAIL_COUNTED)
        unread = None if told is None else msgspec.json.decode(told.data, type=MailNumber).unread
        if unread is None:
            title = say(reply.language, "mail_unknown_title")
        elif unread:
            title = say(reply.language, "mail_title", count=unread)
        else:
            title = say(reply.language, "mail_none_title")
        return title, say(reply.language, "mail_open"), "/mail"

    def _on_duty(self, reply: Reply) -> Said:
        """There are no rosters yet: who leads the department is the honest next best."""
        language, person = reply.language, self._directory.person(reply.person_id)
        lines, path = [say(language, "duty")], "/contacts"
        department_id = person.posts[0].department_id if person and person.posts else ""
        department = self._directory.department(department_id)
        heads = [
            head.name
            for head in self._directory.members(department_id)
            if any(post.leads and post.department_id == department_id for post in head.posts)
        ]
        if department is not None and heads:
            names = say(language, "names").join(heads[:HEADS])
            lines.append(say(language, "duty_ask", department=department.name, names=names))
            path = f"/contacts/{quote(department_id)}"
        else:
            lines.append(say(language, "duty_nobody"))
        return say(language, "duty_title"), "\n".join(lines), path
