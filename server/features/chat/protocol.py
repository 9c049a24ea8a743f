"""What crosses the socket for chat."""

from typing import Annotated, ClassVar, Literal, Self

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Event, Result
from server.clock import Millis
from server.features.chat.shapes import (
    Conversation,
    Delivery,
    Found,
    Id,
    MemberCard,
    MemberIds,
    Message,
    PageLimit,
    Reader,
    Seq,
    Text,
    Title,
)


class OpenConversation(Command, frozen=True):
    """The direct conversation with a person; it is made when there is none."""

    wire_name: ClassVar[str] = "chat.open"
    person_id: Id


class ConversationId(Result, frozen=True):
    """Which conversation it is."""

    conversation_id: str


class CreateGroup(Command, frozen=True):
    """Make a group. The creator owns it and need not be among `member_ids`. The same client_id from the
    same person is the same group, however often it comes."""

    wire_name: ClassVar[str] = "chat.create_group"
    title: Title
    member_ids: MemberIds
    client_id: Id | None = None


class SendMessage(Command, frozen=True):
    """Send a message. The same client_id from the same sender is the same message, however often it
    comes; a text under a client_id that was used for another is refused with `conflict`."""

    wire_name: ClassVar[str] = "chat.send"
    conversation_id: Id
    client_id: Id
    content: Text


class Sent(Result, frozen=True):
    """The message is kept."""

    message_id: str
    seq: int
    sent_at: Millis


class History(Command, frozen=True):
    """A page of messages, the newest when neither side is given; at most 200."""

    wire_name: ClassVar[str] = "chat.history"
    conversation_id: Id
    before_seq: Seq | None = None
    after_seq: Seq | None = None
    limit: PageLimit = 50


class HistoryPage(Result, frozen=True):
    """Messages by rising seq. `has_more` looks on in the direction asked (backwards if none)."""

    messages: list[Message]
    has_more: bool


class ListConversations(Command, frozen=True):
    """All conversations of the actor."""

    wire_name: ClassVar[str] = "chat.conversations"


class ConversationList(Result, frozen=True):
    """Conversations, pinned ones first, then by time of the last message; long last messages are cut.
    `has_more`: there are more than the thousand listed."""

    conversations: list[Conversation]
    has_more: bool


class ShowConversation(Command, frozen=True):
    """One conversation with its members, or without: a list needs none, and they may be 2,000."""

    wire_name: ClassVar[str] = "chat.conversation"
    conversation_id: Id
    members: bool = True


class ConversationShown(Result, frozen=True):
    """The conversation, and members in order of joining if they were asked for."""

    conversation: Conversation
    members: list[MemberCard]


class MarkRead(Command, frozen=True):
    """Everything up to `seq` has been seen. A mark never goes back."""

    wire_name: ClassVar[str] = "chat.mark_read"
    conversation_id: Id
    seq: Seq


class ReadUpTo(Result, frozen=True):
    """Where the actor's mark stands now."""

    read_seq: int


class ListReaders(Command, frozen=True):
    """Who has read a message and who has not; its sender is in neither list."""

    wire_name: ClassVar[str] = "chat.readers"
    conversation_id: Id
    seq: Annotated[int, Meta(ge=1, le=2**53)]


class Readers(Result, frozen=True):
    """Those who were members when the message was sent and still are."""

    read: list[Reader]
    unread: list[str]


class Recall(Command, frozen=True):
    """Take back one's own message within the time the hospital allows."""

    wire_name: ClassVar[str] = "chat.recall"
    conversation_id: Id
    seq: Annotated[int, Meta(ge=1, le=2**53)]


class RecalledAt(Result, frozen=True):
    """When it was taken back."""

    recalled_at: Millis


class Typing(Command, frozen=True):
    """The actor is writing in a conversation."""

    wire_name: ClassVar[str] = "chat.typing"
    conversation_id: Id


class SearchMessages(Command, frozen=True):
    """Messages holding a text, newest first, in one's own conversations only."""

    wire_name: ClassVar[str] = "chat.search"
    text: Annotated[str, Meta(min_length=2, max_length=100)]
    conversation_id: Id | None = None
    before: Seq | None = None
    limit: PageLimit = 50


class SearchPage(Result, frozen=True):
    """What was found; `before` asks for the next page when `has_more`."""

    messages: list[Found]
    has_more: bool
    before: int | None = None


class AddMembers(Command, frozen=True):
    """Bring people into a group. They see it from here on."""

    wire_name: ClassVar[str] = "chat.add_members"
    conversation_id: Id
    member_ids: MemberIds


class RemoveMember(Command, frozen=True):
    """Take a person out of a group one owns."""

    wire_name: ClassVar[str] = "chat.remove_member"
    conversation_id: Id
    person_id: Id


class Leave(Command, frozen=True):
    """Leave a group. An owner's group goes to the member who has been in it longest."""

    wire_name: ClassVar[str] = "chat.leave"
    conversation_id: Id


class TransferOwner(Command, frozen=True):
    """Hand a group one owns to another member."""

    wire_name: ClassVar[str] = "chat.transfer_owner"
    conversation_id: Id
    person_id: Id


class Rename(Command, frozen=True):
    """Give a group one owns another title."""

    wire_name: ClassVar[str] = "chat.rename"
    conversation_id: Id
    title: Title


class Configure(Command, frozen=True):
    """Mute or pin a conversation for oneself."""

    wire_name: ClassVar[str] = "chat.configure"
    conversation_id: Id
    muted: bool | None = None
    pinned: bool | None = None


class Configuration(Result, frozen=True):
    """How the actor keeps the conversation."""

    muted: bool
    pinned: bool


class ListDeliveries(Command, frozen=True):
    """What became of the notices of one's own message."""

    wire_name: ClassVar[str] = "chat.deliveries"
    conversation_id: Id
    seq: Annotated[int, Meta(ge=1, le=2**53)]


class Deliveries(Result, frozen=True):
    """One row for each person a notice was made for."""

    deliveries: list[Delivery]


# Events


class MessageSent(Event, frozen=True):
    """A message was sent. It also moves its sender's read mark."""

    wire_name: ClassVar[str] = "chat.sent"
    conversation_id: str
    message: Message

    def numbered(self, seq: int) -> Self:
        return msgspec.structs.replace(self, message=msgspec.structs.replace(self.message, seq=seq))


class MessagesRead(Event, frozen=True):
    """A member has read up to `seq`."""

    wire_name: ClassVar[str] = "chat.read"
    conversation_id: str
    person_id: str
    seq: int
    read_at: Millis


class MessageRecalled(Event, frozen=True):
    """A message was taken back; only the fact stays."""

    wire_name: ClassVar[str] = "chat.recalled"
    conversation_id: str
    message_id: str
    seq: int
    by: str
    recalled_at: Millis


class MembersChanged(Event, frozen=True):
    """People came or went, or the group has another owner or title."""

    wire_name: ClassVar[str] = "chat.members_changed"
    conversation_id: str
    added: list[str]
    removed: list[str]
    owner_id: str | None
    title: str
    by: str
    at: Millis


class Typed(Event, frozen=True):
    """A member is writing. Not kept; shown for a few seconds."""

    wire_name: ClassVar[str] = "chat.typed"
    conversation_id: str
    person_id: str


class Joined(Event, frozen=True):
    """The person has become a member of a conversation."""

    wire_name: ClassVar[str] = "chat.joined"
    conversation_id: str
    kind: Literal["direct", "group"]
    title: str
    at: Millis


class Left(Event, frozen=True):
    """The person is no longer a member of a conversation."""

    wire_name: ClassVar[str] = "chat.left"
    conversation_id: str
    at: Millis


class Configured(Event, frozen=True):
    """The person muted or pinned a conversation, on whatever device."""

    wire_name: ClassVar[str] = "chat.configured"
    conversation_id: str
    muted: bool
    pinned: bool
