"""Changing a person's mailbox: the number of the change, what is unread now, and the event that says both.

Numbers are counted through indexes each time and told by whoever changes them. A unit of work makes one
change of a mailbox, and writes it in the version read: of two changes at the same time one runs again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from realtime.channel import person_channel
from server.features.mail.documents import Copy, Mail, Mailbox
from server.features.mail.protocol import MailCounted, MailRow, Recipients
from server.work import UnitOfWork

COUNTED_KEY: Final = "mail.counted"
MOST_COUNTED: Final = 1_000
MOST_READERS: Final = 10_000
NAMED_IN_ROWS: Final = 3


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one person's mails of one thread: `unread_by` and `held_by` say by how much the
    numbers of unread mails and of mails in the thread change."""

    person_id: str
    thread_id: str
    unread_by: int = 0
    held_by: int = 0
    row: MailRow | None = None
    read: Sequence[str] = ()
    unread_again: Sequence[str] = ()
    gone: Sequence[str] = ()


async def change_mailboxes(work: UnitOfWork, changes: Sequence[Change]) -> None:
    """Number, count and tell one change for each of these people."""
    boxes = await work.get_many(Mailbox, [change.person_id for change in changes])
    for change in changes:
        box = boxes.get(change.person_id)
        revision = 1 if box is None else box.revision + 1
        work.put(Mailbox(id=change.person_id, revision=revision))
        unread = await count_unread(work, change.person_id, change.unread_by)
        held = await count_thread(work, change.person_id, change.thread_id, change.held_by)
        event = MailCounted(
            unread=unread,
            revision=revision,
            thread_id=change.thread_id,
            thread_count=held,
            row=change.row and replace(change.row, thread_count=held),
            read=list(change.read),
            unread_again=list(change.unread_again),
            gone=list(change.gone),
        )
        work.append(person_channel(change.person_id), event, key=COUNTED_KEY)


async def count_unread(work: UnitOfWork, person_id: str, by: int = 0) -> int:
    """How many mails are unread once `by` more are, counted no further than MOST_COUNTED."""
    return await _count(work, "unread", (person_id,), by)


async def count_thread(work: UnitOfWork, person_id: str, thread_id: str, by: int = 0) -> int:
    """How many mails of a thread the person holds once `by` more are."""
    return await _count(work, "thread", (person_id, thread_id), by)


async def _count(work: UnitOfWork, index: str, eq: tuple[str, ...], by: int) -> int:
    # Counted beyond what is told by as much as goes, so that what is left is told right.
    cap = MOST_COUNTED + max(0, -by)
    counted = await work.store.count(Copy.collection.name, index, eq, cap=cap)
    return min(MOST_COUNTED, counted + by)


async def count_readers(work: UnitOfWork, mail: Mail) -> int:
    """How many have read a mail."""
    return await work.store.count(Copy.collection.name, "readers", (mail.id,), cap=MOST_READERS)


async def revision_of(work: UnitOfWork, person_id: str) -> int:
    """The number of a mailbox's last change."""
    box = await work.get(Mailbox, person_id)
    return 0 if box is None else box.revision


def row_of(copy: Copy, mail: Mail, *, held: int = 1, named: int = NAMED_IN_ROWS) -> MailRow:
    """A copy as its holder sees it in a list."""
    assert copy.order is not None, "what was deleted is in no list"
    return MailRow(
        mail_id=mail.id,
        thread_id=mail.thread_id,
        box=copy.box,
        order=copy.order,
        sender_id=mail.sender_id,
        to=Recipients(
            count=mail.recipient_count,
            everybody=mail.to.everybody,
            department_ids=list(mail.to.department_ids[:named]),
            person_ids=list(mail.to.person_ids[:named]),
        ),
        subject=mail.subject,
        excerpt=mail.excerpt,
        sent_at=mail.sent_at,
        is_read=copy.unread is None,
        recalled_at=mail.recalled_at,
        thread_count=held,
    )
