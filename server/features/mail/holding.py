"""What a person holds: the one right in mail. Whoever does not hold a mail is told that it is not there.

A mail that was recalled is gone for whoever has not read it, from the recall's commit on: also while the
recall is still on its way to that copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from server.errors import NotFound
from server.features.mail.documents import Copy, Mail, copy_id
from server.work import UnitOfWork

NO_MAIL = "there is no such mail among yours; it may have been recalled"


@dataclass(frozen=True, slots=True)
class Held:
    """A person's copy with the mail it is of."""

    copy: Copy
    mail: Mail

    @property
    def is_gone(self) -> bool:
        """Deleted, or recalled before it was read."""
        recalled = self.mail.recalled_at is not None
        unseen = self.copy.box == "in" and self.copy.read_at is None
        return self.copy.order is None or (recalled and unseen)


async def find_held(work: UnitOfWork, mail_id: str) -> Held:
    """A mail of the actor's, deleted or not. Raises NotFound."""
    copy = await work.get(Copy, copy_id(work.actor.person_id, mail_id))
    if copy is None:
        raise NotFound(NO_MAIL)
    return Held(copy, await work.find(Mail, mail_id))


async def held(work: UnitOfWork, mail_id: str) -> Held:
    """A mail the actor holds. Raises NotFound."""
    found = await find_held(work, mail_id)
    if found.is_gone:
        raise NotFound(NO_MAIL)
    return found


async def with_mails(work: UnitOfWork, copies: Sequence[Copy]) -> list[Held]:
    """Copies with their mails, in the order given, without those that are gone."""
    mails = await work.get_many(Mail, [copy.mail_id for copy in copies])
    found = [Held(copy, mails[copy.mail_id]) for copy in copies]
    return [each for each in found if not each.is_gone]


async def newest_of_thread(
    work: UnitOfWork, thread_id: str, limit: int, *, before: str | None = None
) -> list[Copy]:
    """The actor's copies of a thread, newest first."""
    person_id = work.actor.person_id
    return await work.query(
        Copy, "thread", person_id, thread_id, lt=before, reverse=True, limit=limit
    )
