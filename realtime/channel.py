"""Channels: named streams of events, `kind:id`, and which of two kinds each is.

In a *log* every change takes the next position, and a reader misses nothing. In a *state* the position
is a version, and catching up gives the newest value of each key; a slow reader may be given only that.
"""

from enum import Enum


class ChannelKind(Enum):
    """How a channel treats the past."""

    LOG = "log"
    STATE = "state"


STATES = frozenset({"person", "dashboard"})
"""The families that are states; every other one is a log, which needs no line here."""


def kind_of(channel: str) -> ChannelKind:
    """The kind of a channel, by the family it begins with."""
    return ChannelKind.STATE if channel.partition(":")[0] in STATES else ChannelKind.LOG


def person_channel(person_id: str) -> str:
    """The state channel that every connection of a person hears."""
    return f"person:{person_id}"


def person_of(channel: str) -> str | None:
    """Whose own channel this is, if it is one."""
    family, _, id = channel.partition(":")
    return id if family == "person" else None


def conversation_channel(conversation_id: str) -> str:
    """The log channel that a conversation's members hear."""
    return f"conversation:{conversation_id}"
