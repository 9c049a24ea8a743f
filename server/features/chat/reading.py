"""Read marks, and who has read what when."""

from realtime.channel import conversation_channel
from server.clock import Millis
from server.errors import Forbidden, Invalid
from server.features.chat import rights
from server.features.chat.documents import Member, ReadMark
from server.features.chat.messages import message_entry, to_message
from server.features.chat.protocol import (
    MEMBER_LIMIT,
    Deliveries,
    Delivery,
    ListDeliveries,
    ListReaders,
    MarkRead,
    MessagesRead,
    Reader,
    Readers,
    ReadUpTo,
)
from server.outbox import deliveries
from server.storage import Doc
from server.work import LOG, UnitOfWork

LOOK_AHEAD = 1_000
"""How many later messages are looked through for one that proves its sender had read this one."""


async def mark_read(command: MarkRead, work: UnitOfWork) -> ReadUpTo:
    """Move the actor's mark forward; a mark already there or beyond stays."""
    member = await rights.membership(work, command.conversation_id)
    if command.seq <= member.read_seq:
        return ReadUpTo(read_seq=member.read_seq)
    channel = conversation_channel(command.conversation_id)
    head = (await work.store.heads(LOG.name, [channel])).get(channel)
    last_seq = head["seq"] if head else 0
    if command.seq > last_seq:
        raise Invalid(f"the last message is {last_seq} - at `$.seq`")
    work.require(member)
    work.raise_to(Member, member.id, "read_seq", command.seq)
    # The id makes two devices that mark the same message at once one change.
    work.insert(
        ReadMark(
            id=f"{member.id}/{command.seq}",
            conversation_id=command.conversation_id,
            person_id=work.actor.person_id,
            seq=command.seq,
            at=work.now,
        )
    )
    work.append(
        channel,
        MessagesRead(
            conversation_id=command.conversation_id,
            person_id=work.actor.person_id,
            seq=command.seq,
            read_at=work.now,
        ),
    )
    return ReadUpTo(read_seq=command.seq)


async def list_readers(command: ListReaders, work: UnitOfWork) -> Readers:
    """Who has read a message, by name and time: the first mark at or beyond it, or, where somebody
    marked it by answering, the time of the answer."""
    member = await rights.membership(work, command.conversation_id)
    entry = await message_entry(work, member, command.seq)
    sender_id = to_message(entry).sender_id
    others = [
        m
        for m in await work.query(
            Member, "conversation", command.conversation_id, limit=MEMBER_LIMIT
        )
        if m.person_id != sender_id and m.joined_seq < command.seq
    ]
    readers = [m for m in others if m.read_seq >= command.seq]
    answered = await _answers(work, entry, {m.person_id for m in readers})
    read = []
    for m in readers:
        marks = await work.query(
            ReadMark,
            "reader",
            command.conversation_id,
            m.person_id,
            gt=command.seq - 1,
            limit=1,
        )
        moments = [mark.at for mark in marks] + [
            answered[p] for p in (m.person_id,) if p in answered
        ]
        read.append(Reader(person_id=m.person_id, read_at=min(moments, default=entry["at"])))
    return Readers(
        read=sorted(read, key=lambda reader: reader.read_at),
        unread=[m.person_id for m in others if m.read_seq < command.seq],
    )


async def _answers(work: UnitOfWork, entry: Doc, people: set[str]) -> dict[str, Millis]:
    """When each of these people first wrote something after a message."""
    if not people:
        return {}
    later = await work.store.find(
        LOG.name, "number", (entry["stream"],), gt=entry["seq"], limit=LOOK_AHEAD
    )
    answered: dict[str, Millis] = {}
    for message in map(to_message, later):
        if message.sender_id in people:
            answered.setdefault(message.sender_id, message.sent_at)
    return answered


async def list_deliveries(command: ListDeliveries, work: UnitOfWork) -> Deliveries:
    """What became of the notices of one's own message."""
    member = await rights.membership(work, command.conversation_id)
    message = to_message(await message_entry(work, member, command.seq))
    if message.sender_id != work.actor.person_id:
        raise Forbidden("only its sender sees what became of a message's notices")
    rows = await deliveries(work.store, "chat", command.conversation_id, command.seq)
    return Deliveries(
        deliveries=[
            Delivery(person_id=r.person_id, state=r.state, at=r.at, reason=r.reason) for r in rows
        ]
    )
