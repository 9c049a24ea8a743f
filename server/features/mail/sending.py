"""Sending a mail: who may write to whom, the mail with its sender's copy, and the delivery it leaves."""

import hashlib

import msgspec

from server.auth import Actor, Role
from server.directory import Directory
from server.directory.audience import Audience, check_audience, people_of
from server.errors import ConflictRefused, Forbidden, Invalid
from server.features.mail.delivery import Postman
from server.features.mail.documents import Delivery, Mail, MailBody, delivery_id, sent_copy
from server.features.mail.holding import held
from server.features.mail.mailbox import Change, change_mailboxes, row_of
from server.features.mail.protocol import MailSent, SendMail
from server.ids import made_id
from server.settings import Settings
from server.work import UnitOfWork

TO_MANY = (Role.LEADER, Role.SECTION_EDITOR, Role.SYSTEM_ADMIN)
"""Who may write to everybody and to any number of people."""

EXCERPT = 100


async def send_mail(
    command: SendMail,
    work: UnitOfWork,
    directory: Directory,
    settings: Settings,
    postman: Postman,
) -> MailSent:
    """Keep a mail and leave it to the postman; a repeat is answered with the first."""
    sender_id = work.actor.person_id
    id = made_id(Mail.collection.name, sender_id, command.client_id)
    digest = _digest(command)
    before = await work.get(Mail, id)
    if before is not None:
        return _sent_before(before, digest)
    subject = " ".join(command.subject.split())
    if not subject:
        raise Invalid("there is nothing to read in this subject - at `$.subject`")
    thread_id = id
    if command.reply_to is not None:
        thread_id = (await held(work, command.reply_to)).mail.thread_id
    people = recipients(work.actor, command.to, directory, settings)
    mail = Mail(
        id=id,
        thread_id=thread_id,
        sender_id=sender_id,
        to=command.to,
        recipient_count=len(people),
        subject=subject,
        excerpt=excerpt(command.text),
        length=len(command.text),
        sent_at=work.now,
        digest=digest,
    )
    copy = sent_copy(mail)
    work.put(mail)
    work.insert(body(mail, command.text, directory))
    work.insert(copy)
    work.insert(Delivery(id=delivery_id("send", id), kind="send", mail_id=id, left=tuple(people)))
    change = Change(sender_id, thread_id, held_by=1, row=row_of(copy, mail))
    await change_mailboxes(work, [change])
    work.record("mail.sent", id, recipients=len(people), everybody=command.to.everybody)
    work.afterwards(postman.wake)
    return _answer(mail)


def _digest(command: SendMail) -> str:
    """What makes two sends the same mail."""
    told = msgspec.json.encode([command.to, command.subject, command.text, command.reply_to])
    return hashlib.blake2b(told, digest_size=16).hexdigest()


def _sent_before(mail: Mail, digest: str) -> MailSent:
    if mail.digest != digest:
        raise ConflictRefused("this client_id was used for another mail; use a new one")
    return _answer(mail)


def _answer(mail: Mail) -> MailSent:
    return MailSent(
        mail_id=mail.id,
        thread_id=mail.thread_id,
        sent_at=mail.sent_at,
        recipient_count=mail.recipient_count,
    )


def recipients(actor: Actor, to: Audience, directory: Directory, settings: Settings) -> list[str]:
    """Everybody a mail goes to but its sender, in order of id. Raises Forbidden, NotFound or Invalid."""
    may_many = any(actor.has(role) for role in TO_MANY)
    if to.everybody and not may_many:
        raise Forbidden("only leaders and editors write to everybody; name people or departments")
    check_audience(to, directory)
    people = sorted(people_of(to, directory) - {actor.person_id})
    if not people:
        raise Invalid("a mail needs somebody besides its sender - at `$.to`")
    if len(people) > settings.mail_recipients and not may_many:
        raise Forbidden(
            f"these are {len(people)} people, and you may write to {settings.mail_recipients} at once;"
            " name fewer, or ask a leader to send it"
        )
    return people


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    return " ".join(text.split())[:EXCERPT]


def body(mail: Mail, text: str, directory: Directory) -> MailBody:
    """A mail's text with what it is found by besides."""
    sender = directory.person(mail.sender_id)
    name = " ".join(sender.name.split()) if sender is not None else mail.sender_id
    return MailBody(id=mail.id, words=f"{name}\n{mail.subject}\n{text}")
