"""Read marks: where a member stands, and the trail of when the member came there."""

from msgspec.structs import replace

from server.features.chat.documents import Member, ReadMark
from server.storage import Taken
from server.work import UnitOfWork


def mark(work: UnitOfWork, member: Member, seq: int | Taken, cause: str) -> None:
    """The member has seen everything up to `seq`, by reading or by writing.

    `cause` makes the trail's id: the same cause twice is one mark.
    """
    work.raise_to(Member, member.id, "read_seq", seq)
    trail = ReadMark(
        id=f"{member.id}/{cause}",
        conversation_id=member.conversation_id,
        person_id=member.person_id,
        seq=0,
        at=work.now,
    )
    if isinstance(seq, Taken):
        work.insert(trail, seq=seq)
    else:
        work.insert(replace(trail, seq=seq))
