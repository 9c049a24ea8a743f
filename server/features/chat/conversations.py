"""Conversations as their members see them: opening, making, listing, keeping."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from realtime.channel import conversation_channel, person_channel
from server.directory import Directory
from server.errors import Invalid
from server.features.chat import rights
from server.features.chat.documents import Conversation, Member, direct_id, member_id
from server.features.chat.messages import CONVERSATIONS_LIMIT, to_message
from server.features.chat.ownership import inherit
from server.features.chat.protocol import (
    Configuration,
    Configure,
    Configured,
    ConversationId,
    ConversationList,
    ConversationShown,
    CreateGroup,
    Joined,
    ListConversations,
    MembersChanged,
    OpenConversation,
    ShowConversation,
)
from server.features.chat.shapes import MEMBER_LIMIT, MemberCard, Message, Text
from server.features.chat.shapes import Conversation as ConversationCard
from server.ids import made_id, new_id
from server.storage import Doc
from server.work import UnitOfWork

MOST_LISTED = 1_000
AT_ONCE = 100
"""People brought in before others have a turn on the loop: a group of 2,000 would hold it for 15 ms."""
PREVIEW = 200
"""Characters of a last message that a list of conversations shows."""


async def open_conversation(
    command: OpenConversation, work: UnitOfWork, directory: Directory
) -> ConversationId:
    """Find or make the direct conversation with a person."""
    me, other = work.actor.person_id, command.person_id
    if other == me:
        raise Invalid("a conversation needs somebody else - at `$.person_id`")
    id = direct_id(me, other)
    if await work.get(Conversation, id) is None:
        directory.find(other)
        people = tuple(sorted((me, other)))
        made = Conversation(id=id, kind="direct", created_at=work.now, people=people)
        await begin(work, made, people)
        work.record("chat.open", id, person_id=other)
    return ConversationId(conversation_id=id)


async def create_group(
    command: CreateGroup, work: UnitOfWork, directory: Directory
) -> ConversationId:
    """Make a group of the people named and the actor, who owns it; a repeat is answered with the first."""
    me = work.actor.person_id
    id = new_id(work.now)
    if command.client_id is not None:
        id = made_id(Conversation.collection.name, me, command.client_id)
        if await work.get(Conversation, id) is not None:
            return ConversationId(conversation_id=id)
    people = tuple(dict.fromkeys((me, *command.member_ids)))
    if len(people) < 2:
        raise Invalid("a group needs somebody besides you - at `$.member_ids`")
    if len(people) > MEMBER_LIMIT:
        raise Invalid(f"a group has at most {MEMBER_LIMIT} members - at `$.member_ids`")
    check_people(directory, people)
    conversation = Conversation(
        id=id,
        kind="group",
        created_at=work.now,
        title=checked_title(command.title),
        owner_id=me,
        member_count=len(people),
    )
    await begin(work, conversation, people)
    work.record("chat.create_group", conversation.id, members=len(people))
    return ConversationId(conversation_id=conversation.id)


def checked_title(title: str) -> str:
    """A title without blanks around it. Raises Invalid when nothing is left."""
    if not title.strip():
        raise Invalid("a title needs something to read - at `$.title`")
    return title.strip()


def check_people(directory: Directory, people: Sequence[str]) -> None:
    """Raises Invalid naming the first id nobody has."""
    for id in people:
        person = directory.person(id)
        if person is None or person.is_retired:
            raise Invalid(f"there is no person {id!r} - at `$.member_ids`")


async def begin(work: UnitOfWork, conversation: Conversation, people: tuple[str, ...]) -> None:
    """Store a new conversation with its first members, and tell them."""
    work.put(conversation)
    await join(work, conversation, people)


async def join(work: UnitOfWork, conversation: Conversation, people: tuple[str, ...]) -> None:
    """Make people members from this change on: log it, store them, tell each of them."""
    entry = work.append(
        conversation_channel(conversation.id),
        MembersChanged(
            conversation_id=conversation.id,
            added=list(people),
            removed=[],
            owner_id=conversation.owner_id,
            title=conversation.title,
            by=work.actor.person_id,
            at=work.now,
        ),
        joins=people,
    )
    seq, position = entry.taking_seq, entry.taking_position
    for number, person_id in enumerate(people, 1):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        member = Member(
            id=member_id(conversation.id, person_id),
            conversation_id=conversation.id,
            person_id=person_id,
            joined_at=work.now,
            role="owner" if person_id == conversation.owner_id else "member",
        )
        work.insert(
            member, joined_seq=seq, joined_position=position, read_seq=seq, notified_seq=seq
        )
        work.append(
            person_channel(person_id),
            Joined(
                conversation_id=conversation.id,
                kind=conversation.kind,
                title=conversation.title,
                at=work.now,
            ),
            key=f"chat:{conversation.id}",
        )


async def list_conversations(
    command: ListConversations, work: UnitOfWork, directory: Directory
) -> ConversationList:
    """All conversations of the actor with what is unread in them, in four reads."""
    members = await work.query(Member, "person", work.actor.person_id, limit=CONVERSATIONS_LIMIT)
    cards = await _cards(work, members, directory)
    cards.sort(
        key=lambda c: (c.pinned, c.last_message.sent_at if c.last_message else 0), reverse=True
    )
    return ConversationList(conversations=cards[:MOST_LISTED], has_more=len(cards) > MOST_LISTED)


async def show_conversation(
    command: ShowConversation, work: UnitOfWork, directory: Directory
) -> ConversationShown:
    """One conversation and who is in it. A group whose owner has retired gets another one here, where
    somebody looks at it."""
    member = await rights.membership(work, command.conversation_id)
    everybody = await _members(work, command.conversation_id) if command.members else []
    [card] = await _cards(work, [member], directory)
    conversation = await work.find(Conversation, command.conversation_id)
    owner_id = (await inherit(work, conversation, directory)).owner_id
    return ConversationShown(
        conversation=replace(card, owner_id=owner_id),
        members=[
            MemberCard(
                person_id=m.person_id,
                role="owner" if m.person_id == owner_id else "member",
                joined_at=m.joined_at,
            )
            for m in everybody
        ],
    )


async def _members(work: UnitOfWork, conversation_id: str) -> list[Member]:
    return await work.query(Member, "conversation", conversation_id, limit=MEMBER_LIMIT)


async def _cards(
    work: UnitOfWork, members: Sequence[Member], directory: Directory
) -> list[ConversationCard]:
    channels = [conversation_channel(m.conversation_id) for m in members]
    conversations = await work.get_many(Conversation, [m.conversation_id for m in members])
    ends = await work.log.ends(channels)
    last = await work.log.newest_numbered(channels)
    return [
        _card(
            member,
            conversations[member.conversation_id],
            ends[channel][1],
            last.get(channel),
            directory,
        )
        for member, channel in zip(members, channels, strict=True)
    ]


def _card(
    member: Member,
    conversation: Conversation,
    last_seq: int,
    last: Doc | None,
    directory: Directory,
) -> ConversationCard:
    message = to_message(last) if last is not None and last["seq"] > member.joined_seq else None
    other_id = conversation.other(member.person_id)
    other = directory.person(other_id) if other_id else None
    mentioned = max(member.mentioned_seq, conversation.mention_all_seq) > member.read_seq
    return ConversationCard(
        conversation_id=conversation.id,
        kind=conversation.kind,
        title=other.name if other else conversation.title,
        last_seq=last_seq,
        read_seq=member.read_seq,
        unread=last_seq - member.read_seq,
        last_message=message and preview(message),
        muted=member.muted,
        pinned=member.pinned,
        mentioned=mentioned,
        member_count=conversation.member_count,
        person_id=other_id,
        owner_id=conversation.owner_id,
    )


def preview(message: Message) -> Message:
    """A message as a list shows it: the beginning of a long text is enough."""
    content = message.content
    if isinstance(content, Text) and len(content.text) > PREVIEW:
        return replace(message, content=replace(content, text=content.text[:PREVIEW]))
    return message


async def configure(command: Configure, work: UnitOfWork) -> Configuration:
    """Mute or pin a conversation for the actor, on all of the actor's devices."""
    member = await rights.membership(work, command.conversation_id)
    muted = member.muted if command.muted is None else command.muted
    pinned = member.pinned if command.pinned is None else command.pinned
    if (muted, pinned) != (member.muted, member.pinned):
        work.patch(Member, member.id, muted=muted, pinned=pinned)
        work.append(
            person_channel(work.actor.person_id),
            Configured(conversation_id=command.conversation_id, muted=muted, pinned=pinned),
            key=f"chat.configured:{command.conversation_id}",
        )
        work.record("chat.configure", command.conversation_id, muted=muted, pinned=pinned)
    return Configuration(muted=muted, pinned=pinned)
