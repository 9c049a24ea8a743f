"""What mail owes to people who are away: one notice for each mail they have not read."""

from collections.abc import Mapping, Sequence
from typing import Final

from server.directory import Directory
from server.features.mail.documents import Copy, Mail, copy_id
from server.notify import Claim, Draft, Priority
from server.notify.texts import excerpt
from server.outbox import Owed
from server.settings import Settings
from server.storage import Op, Patch, Store
from server.storage.document import from_doc

TOLD = 1
MOST_PEOPLE = 5_000
CIRCULAR_FROM = 50
"""A mail to more people than this is told after everything else: it would hold up others' messages."""

TITLE: Final = "邮件"
NEW_MAIL: Final = "您有一封新邮件"
FROM: Final = "{who} 发来一封邮件"


class MailDuty:
    """Keeps the promises of `server.notify.Duty` and `Quoting`; a subject is one mail."""

    kind = "mail"

    def __init__(self, store: Store, directory: Directory, settings: Settings) -> None:
        self._store = store
        self._directory = directory
        self._shows = settings.mail_notice_show

    async def due(self, owed: Sequence[Owed]) -> Mapping[str, Sequence[Claim]]:
        """Everybody who holds a mail and has neither read it nor been told of it."""
        docs = await self._store.get_many(Mail.collection.name, [row.subject for row in owed])
        mails = [from_doc(Mail, doc) for doc in docs.values()]
        return {
            mail.id: [_claim(mail, copy) for copy in await self._untold(mail.id)]
            for mail in mails
            if mail.recalled_at is None
        }

    async def _untold(self, mail_id: str) -> list[Copy]:
        docs = await self._store.find(
            Copy.collection.name, "owed", (mail_id, TOLD), limit=MOST_PEOPLE
        )
        return [from_doc(Copy, doc) for doc in docs]

    async def draft(self, person_id: str, subject: str) -> Draft | None:
        """The notice, unless the mail was read, deleted or recalled meanwhile."""
        mail = await self._mail(subject)
        doc = await self._store.get(Copy.collection.name, copy_id(person_id, subject))
        copy = from_doc(Copy, doc) if doc is not None else None
        if mail is None or mail.recalled_at is not None or copy is None or copy.owed is None:
            return None
        title, description = self._words(mail)
        return Draft(
            title=title,
            description=description,
            path=f"/m/{mail.id}",
            upto=TOLD,
            newest_at=copy.at,
            quotes=TOLD if self._shows == "subject" else 0,
        )

    def _words(self, mail: Mail) -> tuple[str, str]:
        """Title and description, saying as much as the hospital wants to be seen on a locked screen."""
        if self._shows == "nothing":
            return TITLE, NEW_MAIL
        sender = self._directory.person(mail.sender_id)
        who = sender.name if sender is not None else mail.sender_id
        line = FROM.format(who=who)
        return TITLE, f"{line}\n{excerpt(mail.subject)}" if self._shows == "subject" else line

    async def _mail(self, mail_id: str) -> Mail | None:
        doc = await self._store.get(Mail.collection.name, mail_id)
        return from_doc(Mail, doc) if doc is not None else None

    async def is_unseen(self, person_id: str, subject: str, place: int) -> bool:
        """Whether the mail is still there, unread."""
        mail = await self._mail(subject)
        doc = await self._store.get(Copy.collection.name, copy_id(person_id, subject))
        copy = from_doc(Copy, doc) if doc is not None else None
        if mail is None or mail.recalled_at is not None or copy is None:
            return False
        return copy.read_at is None and copy.deleted_at is None

    async def may_quote(self, subject: str, place: int) -> bool:
        """Until the mail is recalled, or the hospital wants no subjects shown any more."""
        mail = await self._mail(subject)
        return self._shows == "subject" and mail is not None and mail.recalled_at is None

    async def settle(self, subject: str, upto: Mapping[str, int]) -> Sequence[Op]:
        """Mark those who still hold a copy as told."""
        ids = [copy_id(person_id, subject) for person_id in upto]
        docs = await self._store.get_many(Copy.collection.name, ids)
        return [
            Patch(Copy.collection.name, id, {"owed": None})
            for id, doc in docs.items()
            if doc.get("owed") is not None
        ]


def _claim(mail: Mail, copy: Copy) -> Claim:
    is_circular = mail.recipient_count > CIRCULAR_FROM
    return Claim(
        person_id=copy.person_id,
        upto=TOLD,
        first_at=copy.at,
        newest_at=copy.at,
        priority=Priority.CIRCULAR if is_circular else Priority.CHAT,
    )
