"""What crosses the socket about groups shown in WeCom."""

from typing import ClassVar, Literal

import msgspec

from realtime.protocol import Command, Event, Result
from server.clock import Millis
from server.features.chat.shapes import Id

Trouble = Literal[
    "",
    "withdrawn",  # the hospital offers it no more
    "kept_out",  # the name holds a word that keeps a group out
    "too_few",  # fewer than two members have a WeCom account
    "too_many",  # more members than WeCom allows
    "unreachable",  # WeCom does not answer, or not as it should
    "paused",  # WeCom's limit is reached
    "settings",  # an administrator has to mend something
    "scope",  # the app's visible scope is not the whole company
    "lost",  # WeCom knows the group no more
    "refused",  # anything else; the code says what
]

Offer = Literal["nothing", "members", "messages"]


class Mirroring(msgspec.Struct, frozen=True, kw_only=True):
    """How a group is shown in WeCom. `trouble` stands in the way since `since`, `code` is WeCom's number
    for it; `left_out` members have no account that WeCom's group could hold."""

    is_on: bool
    with_messages: bool
    is_made: bool
    trouble: Trouble
    code: int
    since: Millis
    left_out: int


class ShowMirror(Command, frozen=True):
    """Whether and how a group one is in is shown in WeCom."""

    wire_name: ClassVar[str] = "chat.mirror"
    conversation_id: Id


class MirrorShown(Result, frozen=True):
    """How it is, and what the hospital offers for this group. Before anybody wished it: all off."""

    offer: Offer
    mirror: Mirroring


class SetMirror(Command, frozen=True):
    """Show a group one owns in WeCom, with its messages from now on or without, or no longer."""

    wire_name: ClassVar[str] = "chat.set_mirror"
    conversation_id: Id
    is_on: bool
    with_messages: bool = False


class RetryMirror(Command, frozen=True):
    """Try at once what stands in the way."""

    wire_name: ClassVar[str] = "chat.retry_mirror"
    conversation_id: Id


class Mirrored(Event, frozen=True):
    """A group is shown in WeCom, or no longer, or something stands in the way."""

    wire_name: ClassVar[str] = "chat.mirrored"
    conversation_id: str
    mirror: Mirroring
    by: str
    at: Millis
