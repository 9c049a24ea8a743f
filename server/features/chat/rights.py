"""The one right in chat: being a member. Who is not is told that there is no such conversation."""

from server.errors import Forbidden, Invalid, NotFound
from server.features.chat.documents import Conversation, Member, member_id
from server.work import UnitOfWork

NO_CONVERSATION = "there is no such conversation among yours"


async def membership(work: UnitOfWork, conversation_id: str) -> Member:
    """The actor's membership. Raises NotFound for whoever is not, or no longer, a member."""
    member = await work.get(Member, member_id(conversation_id, work.actor.person_id))
    if member is None:
        raise NotFound(NO_CONVERSATION)
    return member


async def group(work: UnitOfWork, conversation_id: str) -> tuple[Conversation, Member]:
    """A group the actor is in. Raises NotFound, or Invalid for a direct conversation."""
    member = await membership(work, conversation_id)
    conversation = await work.find(Conversation, conversation_id)
    if conversation.kind != "group":
        raise Invalid("this is a conversation of two; make a group instead")
    return conversation, member


async def owned_group(work: UnitOfWork, conversation_id: str) -> tuple[Conversation, Member]:
    """A group the actor owns. Raises NotFound, Invalid or Forbidden."""
    conversation, member = await group(work, conversation_id)
    if member.role != "owner":
        raise Forbidden("only the group's owner may do this")
    return conversation, member
