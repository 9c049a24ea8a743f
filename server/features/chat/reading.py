"""Read marks, and who has read what when."""

from realtime.channel import conversation_channel
from server.clock import Millis
from server.errors import Forbidden, Invalid
from server.features.chat import rights
from server.features.chat.documents import Member, ReadMark
from server.features.chat.marks import mark
from server.features.chat.messages import message_entry, to_message
from server.features.chat.protocol import (
    Deliveries,
    ListDeliveries,
    ListReaders,
    MarkRead,
    MessagesRead,
    Readers,
    ReadUpTo,
)
from server.features.chat.shapes import MEMBER_LIMIT, Delivery, Reader
from server.outbox import deliveries
from server.work import UnitOfWork

MARKS = 1_000
MARK_PAGES = 4
"""How far the trail of marks is followed before people are looked up one by one."""


async def mark_read(command: MarkRead, work: UnitOfWork) -> ReadUpTo:
    """Move the actor's mark forward; a mark already there or beyond stays."""
    member = await rights.membership(work, command.conversation_id)
    if command.seq <= member.read_seq:
        return ReadUpTo(read_seq=member.read_seq)
    channel = conversation_channel(command.conversation_id)
    _, last_seq = (await work.log.ends([channel]))[channel]
    if command.seq > last_seq:
        raise Invalid(f"the last message is {last_seq} - at `$.seq`")
    # Unchanged, so that marks of two devices are told in rising order.
    work.require(member, unchanged=True)
    mark(work, member, command.seq, str(command.seq))
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
    """Who has read a message, by name and time: the first mark at or beyond it."""
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
    readers = {m.person_id for m in others if m.read_seq >= command.seq}
    read_at = await _first_marks(work, command.conversation_id, command.seq, readers)
    return Readers(
        read=sorted(
            (Reader(person_id=p, read_at=read_at.get(p) or entry["at"]) for p in readers),
            key=lambda reader: (reader.read_at, reader.person_id),
        ),
        unread=[m.person_id for m in others if m.read_seq < command.seq],
    )


async def _first_marks(
    work: UnitOfWork, conversation_id: str, seq: int, people: set[str]
) -> dict[str, Millis]:
    """When each of these people first had a mark at or beyond a number, or wrote after it.

    The trail from there on names most of them at once; whoever jumped far ahead is looked up singly.
    """
    found = await _first_own(work, conversation_id, seq, people)
    after = seq - 1
    for _ in range(MARK_PAGES if people else 0):
        marks = await work.query(ReadMark, "place", conversation_id, gt=after, limit=MARKS)
        for passed in marks:
            if passed.person_id in people:
                found[passed.person_id] = min(passed.at, found.get(passed.person_id, passed.at))
        if len(marks) < MARKS or len(found) == len(people):
            break
        # A number's marks may lie on both sides of a page's end: go on with that number.
        after = max(marks[-1].seq - 1, after + 1)
    for person_id in people - found.keys():
        marks = await work.query(
            ReadMark, "reader", conversation_id, person_id, gt=seq - 1, limit=1
        )
        if marks:
            found[person_id] = marks[0].at
    return found


async def _first_own(
    work: UnitOfWork, conversation_id: str, seq: int, people: set[str]
) -> dict[str, Millis]:
    """When each of these people first wrote after a number; who writes has read what came before.

    Whoever was silent for longer than is looked at here wrote later than the last moment looked at.
    """
    found: dict[str, Millis] = {}
    after = seq
    for _ in range(MARK_PAGES if people else 0):
        entries = await work.log.numbered(
            conversation_channel(conversation_id), after=after, limit=MARKS
        )
        for entry in entries:
            sender_id = entry["data"]["message"]["sender_id"]
            if sender_id in people:
                found.setdefault(sender_id, entry["at"])
        if len(entries) < MARKS or len(found) == len(people):
            break
        after = entries[-1]["seq"]
    return found


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
