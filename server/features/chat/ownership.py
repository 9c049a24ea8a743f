"""Who owns a group when its owner has left the group or the hospital: whoever was in it longest."""

from msgspec.structs import replace

from realtime.channel import conversation_channel
from server.directory import Directory
from server.features.chat.documents import Conversation, Member, member_id
from server.features.chat.protocol import MembersChanged
from server.work import UnitOfWork

CANDIDATES = 50
"""How many of the longest members are looked at for one who still works here."""


def is_orphan(conversation: Conversation, directory: Directory) -> bool:
    """Whether a group's owner no longer works here."""
    owner = directory.person(conversation.owner_id) if conversation.owner_id else None
    return owner is not None and owner.is_retired


async def heir(work: UnitOfWork, conversation: Conversation, directory: Directory) -> str | None:
    """The member, other than the owner, who has been in the group longest and works here."""
    longest = await work.query(Member, "conversation", conversation.id, limit=CANDIDATES)
    for member in longest:
        person = directory.person(member.person_id)
        working = person is not None and not person.is_retired
        if working and member.person_id != conversation.owner_id:
            return member.person_id
    return None


async def inherit(
    work: UnitOfWork, conversation: Conversation, directory: Directory
) -> Conversation:
    """The group with an owner who works here; a retired one's group is handed over at this point."""
    to = await heir(work, conversation, directory) if is_orphan(conversation, directory) else None
    if to is None:
        return conversation
    retired = member_id(conversation.id, conversation.owner_id or "")
    inherited = replace(conversation, owner_id=to)
    work.put(inherited)
    if await work.get(Member, retired) is not None:
        work.patch(Member, retired, role="member")
    work.patch(Member, member_id(conversation.id, to), role="owner")
    tell(work, inherited)
    work.record("chat.inherit", conversation.id, to=to)
    return inherited


def tell(work: UnitOfWork, conversation: Conversation, *, removed: tuple[str, ...] = ()) -> None:
    """Log how a conversation is now; those removed hear it as the last thing."""
    work.append(
        conversation_channel(conversation.id),
        MembersChanged(
            conversation_id=conversation.id,
            added=[],
            removed=list(removed),
            owner_id=conversation.owner_id,
            title=conversation.title,
            by=work.actor.person_id,
            at=work.now,
        ),
        leaves=removed,
    )
