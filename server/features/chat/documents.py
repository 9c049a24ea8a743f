"""What chat keeps besides the log: conversations, members with their marks, and two trails."""

import hashlib
from typing import ClassVar, Literal

import msgspec

from server.clock import Millis
from server.features.chat.shapes import Content
from server.storage import Collection, Index
from server.storage.document import Document


class Conversation(Document, frozen=True):
    """Two people or a group. Every change of its members writes this document in the version read, so
    that such changes come one after another."""

    collection: ClassVar[Collection] = Collection("conversations")

    kind: Literal["direct", "group"]
    created_at: Millis
    title: str = ""
    owner_id: str | None = None
    people: tuple[str, ...] = ()
    """The two of a direct conversation, in order of id; empty in a group."""
    member_count: int = 2
    mention_all_seq: int = 0

    def other(self, person_id: str) -> str | None:
        """The other one of a direct conversation."""
        return next((p for p in self.people if p != person_id), None)


class Member(Document, frozen=True):
    """A person in a conversation; gone when the person leaves.

    He or she sees messages after `joined_seq`, and changes from `joined_position` on. `notified_seq` is
    up to where nothing is owed any more: shown on a living connection, or sent as a notice.
    """

    collection: ClassVar[Collection] = Collection(
        "members",
        indexes=(
            Index("conversation", ("conversation_id", "joined_at")),
            Index("person", ("person_id", "conversation_id"), unique=True),
        ),
    )

    conversation_id: str
    person_id: str
    joined_at: Millis
    role: Literal["owner", "member"] = "member"
    joined_seq: int = 0
    joined_position: int = 0
    read_seq: int = 0
    notified_seq: int = 0
    mentioned_seq: int = 0
    muted: bool = False
    pinned: bool = False


class Seat(msgspec.Struct, frozen=True):
    """As much of a `Member` as it takes to know what the person may hear."""

    conversation_id: str
    joined_position: int = 0


class ReadMark(Document, frozen=True):
    """A person had read up to `seq` at a moment. Kept as long as the messages, so that it can be said who
    read what when."""

    collection: ClassVar[Collection] = Collection(
        "read_marks",
        indexes=(
            Index("reader", ("conversation_id", "person_id", "seq")),
            Index("place", ("conversation_id", "seq")),
        ),
    )

    conversation_id: str
    person_id: str
    seq: int
    at: Millis


class RecalledMessage(Document, frozen=True):
    """What a recalled message said, kept for an audit and shown to nobody; its id is the message's."""

    collection: ClassVar[Collection] = Collection("recalled_messages")

    conversation_id: str
    seq: int
    sender_id: str
    by: str
    recalled_at: Millis
    content: Content


def member_id(conversation_id: str, person_id: str) -> str:
    """The id of a membership."""
    return f"{conversation_id}/{person_id}"


def direct_id(one: str, other: str) -> str:
    """The id of the direct conversation of two people: always the same, so that there is only one."""
    pair = "\n".join(sorted((one, other)))
    return "d" + hashlib.sha256(pair.encode()).hexdigest()[:25]
