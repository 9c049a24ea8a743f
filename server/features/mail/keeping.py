"""What a person does with mail that is there: mark it, delete it, take one's own back."""

from collections.abc import Sequence

from msgspec.structs import replace

from realtime.channel import person_channel
from realtime.protocol import Nothing
from server.errors import Forbidden, Invalid
from server.features.mail.delivery import Postman
from server.features.mail.documents import Copy, Delivery, delivery_id
from server.features.mail.holding import Held, find_held, held, newest_of_thread, with_mails
from server.features.mail.mailbox import Change, change_mailboxes, count_readers, row_of
from server.features.mail.protocol import (
    DeleteMail,
    MailRead,
    MailRecalled,
    RecallMail,
    SetMailRead,
)
from server.work import UnitOfWork

THREAD_MOST = 200
"""Mails of a thread that are marked or deleted together."""
READ_KEY = "mail.read"


def see(work: UnitOfWork, mails: Sequence[Held]) -> Change | None:
    """The actor has seen these mails of one thread: the change this is, None when all were read."""
    news = [each for each in mails if each.copy.unread is not None]
    for each in news:
        copy = each.copy
        if copy.read_at is None:
            # Opened before the recall, or not at all.
            work.require(each.mail, unchanged=True)
            read = MailRead(mail_id=each.mail.id)
            work.append(person_channel(each.mail.sender_id), read, key=READ_KEY)
        read_at = work.now if copy.read_at is None else copy.read_at
        work.put(replace(copy, unread=None, owed=None, read_at=read_at))
    if not news:
        return None
    read_ids = [each.mail.id for each in news]
    thread_id = news[0].mail.thread_id
    return Change(work.actor.person_id, thread_id, unread_by=-len(news), read=read_ids)


async def set_read(command: SetMailRead, work: UnitOfWork) -> Nothing:
    """Mark mail as read, or one as unread."""
    if command.whole_thread and not command.is_read:
        raise Invalid("one mail at a time is marked as unread - at `$.whole_thread`")
    asked = await held(work, command.mail_id)
    if not command.is_read:
        change = _unsee(work, asked)
    elif command.whole_thread:
        copies = await newest_of_thread(work, asked.mail.thread_id, THREAD_MOST)
        change = see(work, await with_mails(work, copies))
    else:
        change = see(work, [asked])
    if change is not None:
        await change_mailboxes(work, [change])
    return Nothing()


def _unsee(work: UnitOfWork, asked: Held) -> Change | None:
    copy = asked.copy
    if copy.box == "out" or copy.unread is not None:
        return None
    work.put(replace(copy, unread=copy.order))
    return Change(copy.person_id, copy.thread_id, unread_by=1, unread_again=[copy.mail_id])


async def delete_mail(command: DeleteMail, work: UnitOfWork) -> Nothing:
    """Remove the actor's copies. What was deleted before is answered as done."""
    asked = await find_held(work, command.mail_id)
    copies = [asked.copy]
    if command.whole_thread:
        copies = await newest_of_thread(work, asked.mail.thread_id, THREAD_MOST)
    copies = [copy for copy in copies if copy.order is not None]
    for copy in copies:
        work.put(replace(copy, order=None, unread=None, owed=None, deleted_at=work.now))
    if copies:
        await change_mailboxes(work, [_deletion(copies)])
        work.record("mail.deleted", command.mail_id, mails=len(copies))
    return Nothing()


def _deletion(copies: Sequence[Copy]) -> Change:
    return Change(
        copies[0].person_id,
        copies[0].thread_id,
        unread_by=-sum(copy.unread is not None for copy in copies),
        held_by=-len(copies),
        gone=[copy.mail_id for copy in copies],
    )


async def recall_mail(command: RecallMail, work: UnitOfWork, postman: Postman) -> MailRecalled:
    """Stop a mail's delivery, and leave it to the postman to take back what was not read."""
    asked = await held(work, command.mail_id)
    mail = asked.mail
    if mail.sender_id != work.actor.person_id:
        raise Forbidden("only its sender may recall a mail")
    read_count = await count_readers(work, mail)
    if mail.recalled_at is not None:
        return MailRecalled(recalled_at=mail.recalled_at, read_count=read_count)
    recalled = replace(mail, recalled_at=work.now)
    work.put(recalled)
    under_way = await work.get(Delivery, delivery_id("send", mail.id))
    if under_way is not None:
        work.delete(under_way)
    work.insert(Delivery(id=delivery_id("recall", mail.id), kind="recall", mail_id=mail.id))
    change = Change(mail.sender_id, mail.thread_id, row=row_of(asked.copy, recalled))
    await change_mailboxes(work, [change])
    work.record("mail.recalled", mail.id, read=read_count)
    work.afterwards(postman.wake)
    return MailRecalled(recalled_at=work.now, read_count=read_count)
