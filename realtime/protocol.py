"""The shapes that cross a socket: commands asked by a client, events told to a channel.

A shape is one msgspec class. The class is the validation, its docstring the documentation, and the
protocol documents and client types are made from it.
"""

from functools import cache
from typing import Any, ClassVar, Self, TypeVar

import msgspec
from msgspec import inspect

from realtime.errors import Invalid

MAX_DEPTH = 16
"""How deeply lists and objects may nest in a command."""


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something a client asks; answered with a result or a refusal."""

    wire_name: ClassVar[str] = ""


class Result(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a command is answered with."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, told to a channel."""

    wire_name: ClassVar[str] = ""

    def numbered(self, seq: int) -> Self:
        """The event with the number that its log entry took; most events show none."""
        return self


class Nothing(Result, frozen=True):
    """An empty result: it was done."""


C = TypeVar("C", bound=Command)


def read_command(kind: type[C], body: object) -> C:
    """Check a decoded JSON object against its class. Raises Invalid with the path to the fault."""
    if not isinstance(body, dict):
        raise Invalid(f"{kind.wire_name} takes one object with its fields")
    if takes_anything(kind):
        check_depth(body)
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as fault:
        raise Invalid(str(fault)) from None


@cache
def takes_anything(kind: type[Command]) -> bool:
    """Whether a command has a field without a type: elsewhere the types bound how deeply it nests."""
    return _nests_freely(inspect.type_info(kind), frozenset())


def _nests_freely(part: object, within: frozenset[type]) -> bool:
    if isinstance(part, inspect.AnyType | inspect.RawType):
        return True
    if isinstance(part, inspect.StructType):
        if part.cls in within:
            return True
        within |= {part.cls}
    if isinstance(part, inspect.Type | inspect.Field):
        part = tuple(getattr(part, name) for name in part.__struct_fields__)
    return isinstance(part, tuple) and any(_nests_freely(each, within) for each in part)


def check_depth(value: Any) -> None:
    """Refuse nesting beyond MAX_DEPTH; walks level by level, so depth costs no stack."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return
    raise Invalid(f"nested deeper than {MAX_DEPTH} levels")


def event_body(data: bytes, channel: str, position: int | None) -> bytes:
    """The event object as it goes over the wire: its data with `channel` and `position` added."""
    place = b'"channel":%b,"position":%b}' % (
        msgspec.json.encode(channel),
        b"null" if position is None else b"%d" % position,
    )
    return b"{" + place if data == b"{}" else data[:-1] + b"," + place
