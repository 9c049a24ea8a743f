"""What crosses the socket for mail."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Event, Result
from server.clock import Millis
from server.directory.audience import Audience

SUBJECT_LIMIT = 200
TEXT_LIMIT = 20_000
PAGE_LIMIT = 50

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Order = Annotated[str, Meta(min_length=1, max_length=64)]
PageSize = Annotated[int, Meta(ge=1, le=PAGE_LIMIT)]


class Recipients(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """To whom a mail went: how many people that were, and the first of them as they were named."""

    count: int
    everybody: bool = False
    department_ids: list[str] = []
    person_ids: list[str] = []


class MailRow(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as a list shows it. `order` is its place: the greater, the newer; `thread_count` says how
    many mails of its thread the reader holds. What one sent oneself is always read."""

    mail_id: str
    thread_id: str
    box: Literal["in", "out"]
    order: str
    sender_id: str
    to: Recipients
    subject: str
    excerpt: str
    sent_at: Millis
    is_read: bool
    recalled_at: Millis | None
    thread_count: int


class MailShown(msgspec.Struct, frozen=True, kw_only=True):
    """A mail within its thread. `text` is null where it would make the answer too large: open that one
    by itself. `is_new`: it was unread until this answer. `read_count` is for its sender."""

    row: MailRow
    text: str | None
    is_new: bool
    read_count: int | None


class MailReader(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has read a mail, and when first."""

    person_id: str
    read_at: Millis


class SendMail(Command, frozen=True):
    """Send a mail to people and departments, as a reply to one the sender holds or as a new one. The same
    client_id from the same sender is the same mail, however often it comes; another mail under a
    client_id that was used is refused with `conflict`. Only leaders, editors and the administrator write
    to everybody, or to more people than `YUANXIN_MAIL_RECIPIENTS`."""

    wire_name: ClassVar[str] = "mail.send"
    client_id: Id
    to: Audience
    subject: Annotated[str, Meta(min_length=1, max_length=SUBJECT_LIMIT)]
    text: Annotated[str, Meta(max_length=TEXT_LIMIT)]
    reply_to: Id | None = None


class MailSent(Result, frozen=True):
    """The mail is kept, and is on its way to so many people."""

    mail_id: str
    thread_id: str
    sent_at: Millis
    recipient_count: int


class ListMail(Command, frozen=True):
    """A page of the actor's mail, newest first; `before` is the `before` of the page above."""

    wire_name: ClassVar[str] = "mail.list"
    box: Literal["inbox", "sent"] = "inbox"
    unread_only: bool = False
    before: Order | None = None
    limit: PageSize = 30


class MailPage(Result, frozen=True):
    """Mails, newest first. `before` asks on; null: there are no more. `unread` and `revision` are those
    of `mail.counted`, from before the rows were read."""

    rows: list[MailRow]
    before: str | None
    unread: int
    revision: int


class CountMail(Command, frozen=True):
    """How many of the actor's mails are unread."""

    wire_name: ClassVar[str] = "mail.count"


class MailCount(Result, frozen=True):
    """`unread` is counted no further than 1,000; `revision` numbers the changes of the mailbox."""

    unread: int
    revision: int


class OpenMail(Command, frozen=True):
    """Read a mail with its thread: the newest 50 the actor holds, or the 50 `before` a place. What is
    answered with its text is read from then on."""

    wire_name: ClassVar[str] = "mail.open"
    mail_id: Id
    before: Order | None = None


class OpenedMail(Result, frozen=True):
    """The thread, oldest first. `to` is whom the mail asked for went to, without those who have left:
    what a reply to all takes over."""

    thread_id: str
    mails: list[MailShown]
    has_earlier: bool
    to: Audience


class ListMailReaders(Command, frozen=True):
    """Who has read a mail of the actor's own."""

    wire_name: ClassVar[str] = "mail.readers"
    mail_id: Id


class MailReaders(Result, frozen=True):
    """How many of how many have read it, and the first 200 of them."""

    recipient_count: int
    read_count: int
    readers: list[MailReader]


class RecallMail(Command, frozen=True):
    """Take a mail back from everybody who has not read it. Who has read it keeps it, marked as recalled."""

    wire_name: ClassVar[str] = "mail.recall"
    mail_id: Id


class MailRecalled(Result, frozen=True):
    """It was taken back then; so many had read it before."""

    recalled_at: Millis
    read_count: int


class DeleteMail(Command, frozen=True):
    """Remove a mail from the actor's mailbox, or the newest 200 of its thread; others keep theirs."""

    wire_name: ClassVar[str] = "mail.delete"
    mail_id: Id
    whole_thread: bool = False


class SetMailRead(Command, frozen=True):
    """Mark a received mail as read or unread, or the newest 200 of its thread as read. Its sender sees
    it as read from the first time on."""

    wire_name: ClassVar[str] = "mail.set_read"
    mail_id: Id
    is_read: bool
    whole_thread: bool = False


class SearchMail(Command, frozen=True):
    """Find words in subject, text and sender's name of the actor's newest 5,000 mails."""

    wire_name: ClassVar[str] = "mail.search"
    text: Annotated[str, Meta(min_length=2, max_length=100)]
    before: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    limit: PageSize = 30


class MailFound(Result, frozen=True):
    """Mails, newest first. `before` asks on; `older_left_out` says that the actor has mail older than
    what was searched."""

    rows: list[MailRow]
    before: int | None
    older_left_out: bool


class MailCounted(Event, frozen=True):
    """The person's mailbox has changed: `revision` numbers its changes, so whoever misses one loads
    afresh. The change concerns one thread, of which the person now holds `thread_count` mails: `row` is
    new or says something new, the others name mails that are read, unread again, or gone."""

    wire_name: ClassVar[str] = "mail.counted"
    unread: int
    revision: int
    thread_id: str
    thread_count: int
    row: MailRow | None
    read: list[str]
    unread_again: list[str]
    gone: list[str]


class MailRead(Event, frozen=True):
    """Somebody has read a mail of the person's own for the first time; `mail.readers` says who."""

    wire_name: ClassVar[str] = "mail.read"
    mail_id: str
