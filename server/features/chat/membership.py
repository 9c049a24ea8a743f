"""People coming into groups and going out of them, and who owns them.

Every change writes the conversation in the version read, so that two changes never cross, and is an
event of the conversation: the hub lets a person in before delivering it and out after.
"""

from msgspec.structs import replace

from realtime.channel import person_channel
from realtime.protocol import Nothing
from server.directory import Directory
from server.errors import Invalid, NotFound
from server.features.chat import rights
from server.features.chat.conversations import check_people, checked_title, join
from server.features.chat.documents import Conversation, Member, member_id
from server.features.chat.ownership import heir, tell
from server.features.chat.protocol import (
    AddMembers,
    Leave,
    Left,
    RemoveMember,
    Rename,
    TransferOwner,
)
from server.features.chat.shapes import MEMBER_LIMIT
from server.work import UnitOfWork


async def add_members(command: AddMembers, work: UnitOfWork, directory: Directory) -> Nothing:
    """Bring people in; those already in stay as they are."""
    conversation, _ = await rights.group(work, command.conversation_id)
    wanted = tuple(dict.fromkeys(command.member_ids))
    check_people(directory, wanted)
    there = await work.get_many(Member, [member_id(conversation.id, p) for p in wanted])
    new = tuple(p for p in wanted if member_id(conversation.id, p) not in there)
    count = conversation.member_count + len(new)
    if count > MEMBER_LIMIT:
        raise Invalid(f"a group has at most {MEMBER_LIMIT} members - at `$.member_ids`")
    if new:
        conversation = replace(conversation, member_count=count)
        work.put(conversation)
        await join(work, conversation, new)
        work.record("chat.add_members", conversation.id, added=list(new))
    return Nothing()


async def remove_member(command: RemoveMember, work: UnitOfWork) -> Nothing:
    """Take somebody out of a group one owns."""
    conversation = await rights.owned_group(work, command.conversation_id)
    if command.person_id == work.actor.person_id:
        raise Invalid("to go yourself, leave the group")
    member = await work.get(Member, member_id(conversation.id, command.person_id))
    if member is not None:
        _part(work, conversation, member)
        work.record("chat.remove_member", conversation.id, removed=command.person_id)
    elif not await _has_gone(work, conversation.id, command.person_id):
        raise NotFound("this person is not in the group")
    return Nothing()


async def leave(command: Leave, work: UnitOfWork, directory: Directory) -> Nothing:
    """Leave a group; an owner hands it over first."""
    try:
        conversation, member = await rights.group(work, command.conversation_id)
    except NotFound:
        if await _has_gone(work, command.conversation_id, work.actor.person_id):
            return Nothing()
        raise
    if conversation.owner_id == member.person_id:
        to = await heir(work, conversation, directory)
        conversation = replace(conversation, owner_id=to)
        if to is not None:
            work.patch(Member, member_id(conversation.id, to), role="owner")
    _part(work, conversation, member)
    work.record("chat.leave", conversation.id)
    return Nothing()


def _part(work: UnitOfWork, conversation: Conversation, member: Member) -> None:
    """End a membership: the person hears of it as the last thing."""
    conversation = replace(conversation, member_count=conversation.member_count - 1)
    work.put(conversation)
    work.delete(member, unchanged=False)
    tell(work, conversation, removed=(member.person_id,))
    work.append(
        person_channel(member.person_id),
        Left(conversation_id=conversation.id, at=work.now),
        key=f"chat:{conversation.id}",
    )


async def _has_gone(work: UnitOfWork, conversation_id: str, person_id: str) -> bool:
    """Whether the last thing a person was told of a group is that he or she is out of it: phones ask
    again when the ack is lost, and what is asked for is done. Asked once no membership is found, since
    both end in one commit."""
    told = await work.log.value(person_channel(person_id), f"chat:{conversation_id}")
    return told is not None and told.event == Left.wire_name


async def transfer_owner(command: TransferOwner, work: UnitOfWork) -> Nothing:
    """Hand a group to another member."""
    conversation, owner = await rights.group(work, command.conversation_id)
    if conversation.owner_id == command.person_id:
        return Nothing()  # Also to a repeat, by somebody who owns it no more.
    rights.check_owned(conversation, owner)
    heir = await work.get(Member, member_id(conversation.id, command.person_id))
    if heir is None:
        raise NotFound("this person is not in the group")
    conversation = replace(conversation, owner_id=heir.person_id)
    work.put(conversation)
    work.patch(Member, owner.id, role="member")
    work.patch(Member, heir.id, role="owner")
    tell(work, conversation)
    work.record("chat.transfer_owner", conversation.id, to=heir.person_id)
    return Nothing()


async def rename(command: Rename, work: UnitOfWork) -> Nothing:
    """Give a group another title."""
    conversation = await rights.owned_group(work, command.conversation_id)
    title = checked_title(command.title)
    if title != conversation.title:
        conversation = replace(conversation, title=title)
        work.put(conversation)
        tell(work, conversation)
        work.record("chat.rename", conversation.id)
    return Nothing()
