"""What is kept of mail: each mail once, a copy for everybody who holds it, and what is under way."""

from typing import ClassVar, Literal

from server.clock import Millis
from server.directory.audience import Audience
from server.storage import Collection, Index, Search
from server.storage.document import Document


class Mail(Document, frozen=True):
    """A mail without its text, which lists do not need. `to` is the audience as it was named, `digest`
    what makes two sends the same mail, `length` how many characters the text has."""

    collection: ClassVar[Collection] = Collection("mails")

    thread_id: str
    sender_id: str
    to: Audience
    recipient_count: int
    subject: str
    excerpt: str
    length: int
    sent_at: Millis
    digest: str = ""
    recalled_at: Millis | None = None


class MailBody(Document, frozen=True):
    """What can be found of a mail, each on lines of its own: the sender's name as it was, the subject,
    the text. Neither name nor subject has a line break. The id is the mail's."""

    collection: ClassVar[Collection] = Collection("mail_bodies", search=Search("words", "_id"))

    words: str

    @property
    def text(self) -> str:
        """The mail's text."""
        return self.words.split("\n", 2)[2]


class Copy(Document, frozen=True):
    """A mail in one person's mailbox.

    Three fields are there only while they matter, and so are the entries of their indexes: `order` (the
    place among the person's mails) until it is deleted, `unread` (the same place) while it counts as
    unread, `owed` until the person was told or has read it. `read_at` is the first time and stays.
    """

    collection: ClassVar[Collection] = Collection(
        "mail_copies",
        indexes=(
            Index("person", ("person_id", "order"), sparse=True),
            Index("box", ("person_id", "box", "order"), sparse=True),
            Index("thread", ("person_id", "thread_id", "order"), sparse=True),
            Index("unread", ("person_id", "unread"), sparse=True),
            Index("mail", ("mail_id", "person_id"), unique=True),
            Index("readers", ("mail_id", "read_at"), sparse=True),
            Index("owed", ("mail_id", "owed"), sparse=True),
        ),
    )

    person_id: str
    mail_id: str
    thread_id: str
    box: Literal["in", "out"]
    at: Millis
    order: str | None = None
    unread: str | None = None
    owed: int | None = None
    read_at: Millis | None = None
    deleted_at: Millis | None = None


class Mailbox(Document, frozen=True):
    """How often a person's mail has changed; the id is the person's. Every change writes it in the version
    read, so that each number told was counted after the one before it."""

    collection: ClassVar[Collection] = Collection("mailboxes")

    revision: int


class Delivery(Document, frozen=True):
    """A mail on its way, or being taken back. `left` are the people it has still to reach; a recall
    goes through the copies in order of person and has come to `after`."""

    collection: ClassVar[Collection] = Collection("mail_deliveries")

    kind: Literal["send", "recall"]
    mail_id: str
    left: tuple[str, ...] = ()
    after: str = ""


def copy_id(person_id: str, mail_id: str) -> str:
    """The id of a person's copy."""
    return f"{person_id}:{mail_id}"


def delivery_id(kind: Literal["send", "recall"], mail_id: str) -> str:
    """The id of what is under way for a mail."""
    return f"{kind}:{mail_id}"


def order_of(mail: Mail) -> str:
    """The place of a mail: by time, and never that of another."""
    return f"{mail.sent_at:015d}-{mail.id}"


def sent_copy(mail: Mail) -> Copy:
    """The sender's own."""
    return Copy(
        id=copy_id(mail.sender_id, mail.id),
        person_id=mail.sender_id,
        mail_id=mail.id,
        thread_id=mail.thread_id,
        box="out",
        at=mail.sent_at,
        order=order_of(mail),
    )


def received_copy(mail: Mail, person_id: str, at: Millis) -> Copy:
    """A recipient's, unread and untold."""
    return Copy(
        id=copy_id(person_id, mail.id),
        person_id=person_id,
        mail_id=mail.id,
        thread_id=mail.thread_id,
        box="in",
        at=at,
        order=order_of(mail),
        unread=order_of(mail),
        owed=1,
    )
