"""The shapes that chat's commands and events hold: messages, conversations, members."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from server.clock import Millis

TEXT_LIMIT = 5_000
MEMBER_LIMIT = 2_000

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
PageLimit = Annotated[int, Meta(ge=1)]
Title = Annotated[str, Meta(min_length=1, max_length=60)]
MemberIds = Annotated[list[Id], Meta(max_length=MEMBER_LIMIT)]


class Text(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="text",
):
    """What a person writes. `mentions` holds ids of members, or "all" from the owner of a group."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_LIMIT)]
    mentions: Annotated[list[Id], Meta(max_length=50)] = []


class Recalled(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="recalled"):
    """All that is left of a message that was taken back."""


Content = Text | Recalled


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message. `seq` counts the messages of its conversation from 1 without gaps."""

    message_id: str
    sender_id: str
    client_id: str
    content: Content
    sent_at: Millis
    seq: int
    recalled_at: Millis | None = None


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as one member sees it. `unread` is last_seq - read_seq; `person_id` is the other
    one of a direct conversation; `mentioned` says that an unread message names the reader."""

    conversation_id: str
    kind: Literal["direct", "group"]
    title: str
    last_seq: int
    read_seq: int
    unread: int
    last_message: Message | None
    muted: bool
    pinned: bool
    mentioned: bool
    member_count: int
    person_id: str | None
    owner_id: str | None


class MemberCard(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a conversation."""

    person_id: str
    role: Literal["owner", "member"]
    joined_at: Millis


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has read a message, and when."""

    person_id: str
    read_at: Millis


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a message's notice to one person fares; `reason` says why it was refused or given up."""

    person_id: str
    state: str
    at: Millis
    reason: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A message found, and where."""

    conversation_id: str
    message: Message
