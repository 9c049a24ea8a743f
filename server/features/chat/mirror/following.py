"""Reading a conversation's log on behalf of its mirror: what has changed, and what is to be told next.

Pure. Members, name and owner are folded as they come; reading stops before the first message that has to
be told, so that WeCom's group holds exactly those who could see it. Changes between two messages become
one. What is recalled before it is told is never told; what is too old by now is counted instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from server.clock import Millis
from server.features.chat.mirror.documents import Mirror
from server.features.chat.protocol import MembersChanged, MessageRecalled, MessageSent
from server.features.chat.shapes import Message, Recalled
from server.storage import Doc


@dataclass(frozen=True, slots=True)
class Line:
    """What is to be told next: a message, or that one of `by` was recalled. `upto` is its position."""

    upto: int
    message: Message | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Followed:
    """The mirror and its people as of the position read, and the line that stands there, if any."""

    mirror: Mirror
    people: tuple[str, ...]
    line: Line | None = None


def follow(
    mirror: Mirror,
    people: tuple[str, ...],
    entries: Sequence[Doc],
    *,
    may_tell: Callable[[Mirror, tuple[str, ...]], bool],
    oldest: Millis,
) -> Followed:
    """Read entries after the mirror's position. `may_tell`: whether anybody there may be told a message
    now; messages before `oldest` are too old."""
    for entry in entries:
        position: int = entry["position"]
        line: Line | None = None
        match entry["event"]:
            case MembersChanged.wire_name:
                mirror, people = _changed(mirror, people, _event(entry, MembersChanged))
            case MessageSent.wire_name:
                if entry["seq"] > mirror.from_seq and may_tell(mirror, people):
                    mirror, line = _message(mirror, entry, oldest)
            case MessageRecalled.wire_name:
                if entry["data"]["seq"] > mirror.from_seq and may_tell(mirror, people):
                    mirror, line = _recall(mirror, entry)
            case _:
                pass
        if line is not None:
            return Followed(mirror, people, line)
        mirror = replace(mirror, position=position)
    return Followed(mirror, people)


def _event(entry: Doc, kind: type[MembersChanged]) -> MembersChanged:
    return msgspec.convert(entry["data"], kind)


def _changed(
    mirror: Mirror, people: tuple[str, ...], event: MembersChanged
) -> tuple[Mirror, tuple[str, ...]]:
    gone = set(event.removed)
    staying = dict.fromkeys(person for person in people if person not in gone)
    everybody = tuple(staying | dict.fromkeys(event.added))
    return replace(mirror, title=event.title, owner_id=event.owner_id or ""), everybody


def _message(mirror: Mirror, entry: Doc, oldest: Millis) -> tuple[Mirror, Line | None]:
    message = msgspec.convert(entry["data"], MessageSent).numbered(entry["seq"]).message
    if isinstance(message.content, Recalled):
        return replace(mirror, unsaid=(*mirror.unsaid, message.seq)), None
    if message.sent_at < oldest:
        return replace(mirror, passed_over=mirror.passed_over + 1), None
    return mirror, Line(entry["position"], message)


def _recall(mirror: Mirror, entry: Doc) -> tuple[Mirror, Line | None]:
    seq, by = entry["data"]["seq"], entry["data"]["by"]
    if seq in mirror.unsaid:
        return replace(mirror, unsaid=tuple(one for one in mirror.unsaid if one != seq)), None
    return mirror, Line(entry["position"], by=by)
