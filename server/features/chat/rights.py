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
    """A group the actor is in. Raises NotFound, or Invalid for a direct conversation.

    The group is read first: whoever comes or goes writes it, so what is found of members after that and
    is no longer true makes the commit conflict.
    """
    conversation = await work.get(Conversation, conversation_id)
    member = await membership(work, conversation_id)
    if conversation is None or conversation.kind != "group":
        raise Invalid("this is a conversation of two; make a group instead")
    return conversation, member


async def owned_group(work: UnitOfWork, conversation_id: str) -> Conversation:
    """A group the actor owns. Raises NotFound, Invalid or Forbidden."""
    conversation, member = await group(work, conversation_id)
    check_owned(conversation, member)
    return conversation


def check_owned(conversation: Conversation, member: Member) -> None:
    """Refuse whoever does not own a group. The group says who does: the role in a membership, which is
    read after it, may be another's doing already."""
    if conversation.owner_id != member.person_id:
        raise Forbidden("only the group's owner may do this")
