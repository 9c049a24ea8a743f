"""What nodes write to one another: an envelope of everything a node had to say at a moment.

It begins with a mark, the version and the sender's id, so that a node knows its own echo, and what is not
for it, without reading on. Numbers of a sender rise by one: a missing number is how others notice a loss.
Later versions may add fields at the end of any shape without becoming another version.
"""

import msgspec

from realtime.application import Reach
from realtime.publisher import Publication

MARK = b"yx"
VERSION = 1
NODE_ID_BYTES = 12
_HEAD = len(MARK) + 1 + NODE_ID_BYTES


class BadEnvelope(Exception):
    """Bytes that no node of this kind has written."""


class OtherVersion(BadEnvelope):
    """An envelope of a node that is older or newer than this one."""


class Note(msgspec.Struct, frozen=True, array_like=True, gc=False, tag_field="note"):
    """What nodes tell each other besides publications."""


class EndConnections(Note, frozen=True, tag="end"):
    """Connections of a person have to be ended."""

    person_id: str
    reason: str
    session_ids: tuple[str, ...] | None


class NeedsAll(Note, frozen=True, tag="all"):
    """All that the sender needs."""

    stamp: int
    packed: bytes


class NeedsChanged(Note, frozen=True, tag="needs"):
    """What the sender needs in addition, and what no longer."""

    stamp: int
    added: list[int]
    removed: list[int]


class Known(Note, frozen=True, tag="known"):
    """The sender knows what a node needs, up to a stamp."""

    node: str
    stamp: int


class WhoAreYou(Note, frozen=True, tag="who"):
    """The sender does not know what a node needs, and may have told things without it."""

    node: str


class Question(Note, frozen=True, tag="ask"):
    """How far has what was committed at `since` come to these people on your node? Without `since`: who
    of them is there at all?"""

    id: int
    people: list[str]
    since: int | None


class Answer(Note, frozen=True, tag="answer"):
    """The answer to a node's question; who is not named is away."""

    node: str
    id: int
    reach: dict[str, Reach]


class Farewell(Note, frozen=True, tag="bye"):
    """The sender stops."""


AnyNote = (
    EndConnections | NeedsAll | NeedsChanged | Known | WhoAreYou | Question | Answer | Farewell
)


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """Publications in the order given, then notes in theirs."""

    number: int
    publications: list[Publication]
    notes: list[AnyNote]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Envelope).decode


def head_of(node_id: str) -> bytes:
    """How every envelope of a node begins."""
    return MARK + bytes((VERSION,)) + node_id.encode()


def sealed(head: bytes, envelope: Envelope) -> bytes:
    """An envelope as it travels."""
    return head + _encode(envelope)


def opened(data: bytes) -> tuple[str, Envelope]:
    """Who wrote an envelope, and what. Raises BadEnvelope."""
    if len(data) < _HEAD or not data.startswith(MARK):
        raise BadEnvelope("no envelope of a node")
    if data[len(MARK)] != VERSION:
        raise OtherVersion(f"an envelope of version {data[len(MARK)]}")
    try:
        sender = data[len(MARK) + 1 : _HEAD].decode("ascii")
        return sender, _decode(memoryview(data)[_HEAD:])
    except (UnicodeDecodeError, msgspec.DecodeError) as fault:
        raise BadEnvelope(f"an envelope that cannot be read: {fault}") from None
