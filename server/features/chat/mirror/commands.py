"""What people may do with a group's mirror: everybody in it sees it, its owner decides."""

from typing import Final

from msgspec.structs import replace

from server.clock import Millis
from server.errors import Forbidden
from server.features.chat import rights
from server.features.chat.documents import Conversation, Member
from server.features.chat.mirror.documents import MOST_MIRRORS, Mirror, Roll
from server.features.chat.mirror.offering import offered
from server.features.chat.mirror.protocol import (
    MirrorShown,
    RetryMirror,
    SetMirror,
    ShowMirror,
)
from server.features.chat.mirror.telling import tell
from server.features.chat.shapes import MEMBER_LIMIT
from server.integrations.wecom import GroupChats
from server.settings import Settings
from server.work import UnitOfWork

NOBODY_WISHED: Final = Mirror(id="", is_on=False).shown()


async def show_mirror(
    command: ShowMirror, work: UnitOfWork, settings: Settings, groups: GroupChats
) -> MirrorShown:
    """How a group is shown in WeCom. One's direct conversations are never offered it."""
    await rights.membership(work, command.conversation_id)
    conversation = await work.find(Conversation, command.conversation_id)
    if conversation.kind != "group":
        return MirrorShown(offer="nothing", mirror=NOBODY_WISHED)
    mirror = await work.get(Mirror, conversation.id)
    return _answer(conversation, mirror, settings, groups)


def _answer(
    conversation: Conversation, mirror: Mirror | None, settings: Settings, groups: GroupChats
) -> MirrorShown:
    return MirrorShown(
        offer=offered(conversation.title, settings, groups),
        mirror=mirror.shown() if mirror is not None else NOBODY_WISHED,
    )


async def set_mirror(
    command: SetMirror, work: UnitOfWork, settings: Settings, groups: GroupChats
) -> MirrorShown:
    """Begin or end to show a group in WeCom. What was said before is never told there."""
    conversation = await rights.owned_group(work, command.conversation_id)
    before = await work.get(Mirror, conversation.id)
    with_messages = command.is_on and command.with_messages
    mirror = before or Mirror(id=conversation.id, is_on=False)
    begins, ends = command.is_on and not mirror.is_on, mirror.is_on and not command.is_on
    if not begins and not ends and with_messages == mirror.with_messages:
        return _answer(conversation, before, settings, groups)
    if command.is_on:
        await _check(work, conversation, with_messages, settings, groups)
    wished = replace(
        mirror,
        is_on=command.is_on,
        with_messages=with_messages,
        unsaid=(),
        passed_over=0,
        failures=0,
        due_at=Millis(0),
    )
    if begins:
        wished = await _begun(work, conversation, wished)
    work.put(wished)
    entry = tell(work, wished)
    if begins:
        work.patch(Mirror, wished.id, position=entry.taking_position)
    if with_messages and not mirror.with_messages:
        work.patch(Mirror, wished.id, from_seq=entry.taking_seq)
    work.record(
        "chat.set_mirror", conversation.id, is_on=command.is_on, with_messages=with_messages
    )
    return _answer(conversation, wished, settings, groups)


async def _check(
    work: UnitOfWork,
    conversation: Conversation,
    with_messages: bool,
    settings: Settings,
    groups: GroupChats,
) -> None:
    offer = offered(conversation.title, settings, groups)
    if offer == "nothing":
        raise Forbidden("this group may not be shown in WeCom")
    if with_messages and offer != "messages":
        raise Forbidden("messages of groups may not be shown in WeCom")
    on = await work.store.count(Mirror.collection.name, "on", (True,), cap=MOST_MIRRORS)
    if on >= MOST_MIRRORS:
        raise Forbidden(f"{MOST_MIRRORS} groups are shown in WeCom already, which is the most")


async def _begun(work: UnitOfWork, conversation: Conversation, mirror: Mirror) -> Mirror:
    """From how the group is at this point; a change of it meanwhile begins this anew."""
    work.require(conversation, unchanged=True)
    members = await work.query(Member, "conversation", conversation.id, limit=MEMBER_LIMIT)
    roll = await work.get(Roll, conversation.id) or Roll(id=conversation.id)
    work.put(replace(roll, people=tuple(member.person_id for member in members), left_out=()))
    return replace(
        mirror,
        title=conversation.title,
        owner_id=conversation.owner_id or "",
        trouble="",
        code=0,
    )


async def retry_mirror(
    command: RetryMirror, work: UnitOfWork, settings: Settings, groups: GroupChats
) -> MirrorShown:
    """Try at once what stands in the way, with those too whom WeCom would not take."""
    conversation = await rights.owned_group(work, command.conversation_id)
    mirror = await work.get(Mirror, conversation.id)
    if mirror is not None and mirror.is_on:
        mirror = replace(mirror, due_at=Millis(0), failures=0)
        work.put(mirror)
        roll = await work.get(Roll, conversation.id)
        if roll is not None and roll.left_out:
            work.put(replace(roll, left_out=()))
        work.record("chat.retry_mirror", conversation.id)
    return _answer(conversation, mirror, settings, groups)
