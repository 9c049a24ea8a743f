"""Sending messages, reading them back, taking them back, finding them."""

import hashlib

import msgspec
from msgspec.structs import replace

from realtime.channel import conversation_channel
from realtime.protocol import Nothing
from server.errors import ConflictRefused, Forbidden, Invalid, NotFound, Refused
from server.features.chat import rights
from server.features.chat.documents import Conversation, Member, RecalledMessage, member_id
from server.features.chat.protocol import (
    History,
    HistoryPage,
    MessageRecalled,
    MessageSent,
    Recall,
    RecalledAt,
    SearchMessages,
    SearchPage,
    SendMessage,
    Sent,
    Typed,
    Typing,
)
from server.features.chat.shapes import Found, Message, Recalled, Text
from server.ids import new_id
from server.settings import Settings
from server.storage import Doc
from server.work import Later, UnitOfWork

PAGE_LIMIT = 200
CONVERSATIONS_LIMIT = 5_000
"""Conversations of one person that are listed, heard and searched."""
MENTIONS_LOOKED_THROUGH = 500
"""Messages before a recalled one in which an earlier mention is found."""


async def send_message(command: SendMessage, work: UnitOfWork, settings: Settings) -> Later[Sent]:
    """Keep a message, move the sender's mark, and owe it to everybody who does not see it."""
    if not command.content.text.strip():
        raise Invalid("there is nothing to read in this text - at `$.content.text`")
    try:
        member = await rights.membership(work, command.conversation_id)
        await _check_mentions(command.content, work, member)
    except Refused as refused:
        return await _sent_before(work, command, refused)
    return _send(command, work, settings)


def send_at_once(command: SendMessage, work: UnitOfWork, settings: Settings) -> Later[Sent] | None:
    """The same without asking whether the sender and whoever is mentioned are members: raising their
    marks fails the commit where there is no membership. So messages sent in a row stay in their order."""
    return _send(command, work, settings) if command.content.text.strip() else None


def _send(command: SendMessage, work: UnitOfWork, settings: Settings) -> Later[Sent]:
    sender_id, conversation_id = work.actor.person_id, command.conversation_id
    mentions_all = "all" in command.content.mentions
    if mentions_all:
        work.rely_on(Member, member_id(conversation_id, sender_id), role="owner")
    message = Message(
        message_id=new_id(work.now),
        sender_id=sender_id,
        client_id=command.client_id,
        content=command.content,
        sent_at=work.now,
        seq=0,
    )
    entry = work.append(
        conversation_channel(conversation_id),
        MessageSent(conversation_id=conversation_id, message=message),
        id=message.message_id,
        idem=_idem(sender_id, command),
        numbered=True,
        digest=_digest(command),
        text=command.content.text,
    )
    work.raise_to(Member, member_id(conversation_id, sender_id), "read_seq", entry.taking_seq)
    if mentions_all:
        work.raise_to(Conversation, conversation_id, "mention_all_seq", entry.taking_seq)
    else:
        for id in _mentioned(conversation_id, command.content):
            work.raise_to(Member, id, "mentioned_seq", entry.taking_seq)
    work.owe("chat", conversation_id, due_in_ms=settings.notice_first_seconds * 1000)
    return lambda: Sent(message_id=entry.id, seq=entry.seq, sent_at=entry.at)


def _idem(sender_id: str, command: SendMessage) -> str:
    return f"{sender_id}/{command.client_id}"


def _digest(command: SendMessage) -> str:
    """What makes two sends the same message."""
    encoded = msgspec.json.encode([command.conversation_id, command.content])
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


async def _sent_before(work: UnitOfWork, command: SendMessage, otherwise: Refused) -> Later[Sent]:
    """The answer to a repeat from somebody who might not send it now; raises `otherwise` if it is none.

    People leave and groups are handed over, and what was sent before has been sent.
    """
    first = await work.log.by_idem(_idem(work.actor.person_id, command))
    if first is None:
        raise otherwise
    if first["digest"] != _digest(command):
        raise ConflictRefused("this client_id was used for another message; use a new one")
    return lambda: Sent(message_id=first["_id"], seq=first["seq"], sent_at=first["at"])


async def _check_mentions(content: Text, work: UnitOfWork, sender: Member) -> None:
    """Whether a text mentions whom it may: some of the members, or everybody. Raises Forbidden or Invalid."""
    if "all" in content.mentions:
        if sender.role != "owner":
            raise Forbidden("only the group's owner may mention everybody")
        return
    wanted = _mentioned(sender.conversation_id, content)
    if wanted and len(await work.get_many(Member, wanted)) < len(wanted):
        raise Invalid("somebody mentioned is not in this conversation - at `$.content.mentions`")


def _mentioned(conversation_id: str, content: Text) -> list[str]:
    """The memberships of those a text names."""
    return [member_id(conversation_id, p) for p in dict.fromkeys(content.mentions)]


async def history(command: History, work: UnitOfWork) -> HistoryPage:
    """A page of the messages the actor may see."""
    member = await rights.membership(work, command.conversation_id)
    limit = min(command.limit, PAGE_LIMIT)
    forwards = command.after_seq is not None and command.before_seq is None
    entries = await work.log.numbered(
        conversation_channel(command.conversation_id),
        after=max(member.joined_seq, command.after_seq or 0),
        before=command.before_seq,
        newest_first=not forwards,
        limit=limit + 1,
    )
    # Whoever was removed meanwhile gets nothing that may have been said since.
    await rights.membership(work, command.conversation_id)
    page = entries[:limit] if forwards else entries[:limit][::-1]
    return HistoryPage(messages=[to_message(e) for e in page], has_more=len(entries) > limit)


def to_message(entry: Doc) -> Message:
    """The message of a numbered log entry."""
    event = msgspec.convert(entry["data"], MessageSent)
    return event.numbered(entry["seq"]).message


async def message_entry(work: UnitOfWork, member: Member, seq: int) -> Doc:
    """The log entry of a message the member may see. Raises NotFound."""
    entry = await work.log.by_number(conversation_channel(member.conversation_id), seq)
    if entry is None or seq <= member.joined_seq:
        raise NotFound(f"there is no message {seq} in this conversation")
    return entry


async def recall(command: Recall, work: UnitOfWork, settings: Settings) -> RecalledAt:
    """Leave only the fact of a message, and keep what it said for an audit."""
    member = await rights.membership(work, command.conversation_id)
    entry = await message_entry(work, member, command.seq)
    message = to_message(entry)
    if message.sender_id != work.actor.person_id:
        raise Forbidden("only its sender may recall a message")
    if message.recalled_at is not None:
        return RecalledAt(recalled_at=message.recalled_at)
    if work.now - message.sent_at > settings.recall_seconds * 1000:
        raise Forbidden(f"a message may be recalled for {settings.recall_seconds} s after sending")
    work.insert(
        RecalledMessage(
            id=message.message_id,
            conversation_id=command.conversation_id,
            seq=message.seq,
            sender_id=message.sender_id,
            by=work.actor.person_id,
            recalled_at=work.now,
            content=message.content,
        )
    )
    trace = replace(message, seq=0, content=Recalled(), recalled_at=work.now)
    shown = MessageSent(conversation_id=command.conversation_id, message=trace)
    work.patch_entry(message.message_id, shown, text=None)
    await _mention_nobody(work, command.conversation_id, message)
    work.append(
        conversation_channel(command.conversation_id),
        MessageRecalled(
            conversation_id=command.conversation_id,
            message_id=message.message_id,
            seq=message.seq,
            by=work.actor.person_id,
            recalled_at=work.now,
        ),
    )
    work.record("chat.recall", message.message_id, conversation_id=command.conversation_id)
    return RecalledAt(recalled_at=work.now)


async def _mention_nobody(work: UnitOfWork, conversation_id: str, message: Message) -> None:
    """Take back what a recalled message's mentions left behind: the mention before it counts again."""
    mentions = message.content.mentions if isinstance(message.content, Text) else []
    if "all" in mentions:
        conversation = await work.find(Conversation, conversation_id)
        if conversation.mention_all_seq == message.seq:
            before = await _mentions_between(work, conversation_id, 0, message.seq)
            work.put(replace(conversation, mention_all_seq=before.get("all", 0)))
        return
    members = await work.get_many(Member, [member_id(conversation_id, p) for p in mentions])
    named = [member for member in members.values() if member.mentioned_seq == message.seq]
    if named:
        read_seq = min(member.read_seq for member in named)
        before = await _mentions_between(work, conversation_id, read_seq, message.seq)
        for member in named:
            work.put(replace(member, mentioned_seq=before.get(member.person_id, 0)))


async def _mentions_between(
    work: UnitOfWork, conversation_id: str, after: int, before: int
) -> dict[str, int]:
    """The number of the newest message that mentions somebody, by whom it mentions."""
    entries = await work.log.numbered(
        conversation_channel(conversation_id),
        after=after,
        before=before,
        newest_first=True,
        limit=MENTIONS_LOOKED_THROUGH,
    )
    found: dict[str, int] = {}
    for message in map(to_message, reversed(entries)):
        if isinstance(message.content, Text):
            found |= dict.fromkeys(message.content.mentions, message.seq)
    return found


async def search_messages(command: SearchMessages, work: UnitOfWork) -> SearchPage:
    """Messages by text, in the actor's conversations and from the time of joining on."""
    if command.conversation_id is not None:
        members = [await rights.membership(work, command.conversation_id)]
    else:
        members = await work.query(
            Member, "person", work.actor.person_id, limit=CONVERSATIONS_LIMIT
        )
    joined = {conversation_channel(m.conversation_id): m for m in members}
    limit = min(command.limit, PAGE_LIMIT)
    found = await work.log.search(
        command.text,
        {channel: member.joined_seq for channel, member in joined.items()},
        before=command.before,
        limit=limit + 1,
    )
    page = found[:limit]
    more = len(found) > limit
    return SearchPage(
        messages=[
            Found(conversation_id=joined[e["stream"]].conversation_id, message=to_message(e))
            for e in page
        ],
        has_more=more,
        before=page[-1]["_rank"] if more else None,
    )


async def typing(command: Typing, work: UnitOfWork) -> Nothing:
    """Tell the others that somebody is writing."""
    await rights.membership(work, command.conversation_id)
    typed = Typed(conversation_id=command.conversation_id, person_id=work.actor.person_id)
    work.announce(conversation_channel(command.conversation_id), typed)
    return Nothing()
