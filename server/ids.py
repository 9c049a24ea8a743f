"""Ids of new things: sortable by time of making, unguessable in the rest; or always the same for the same
client id, so that a repeat finds what was made the first time."""

import hashlib
import os
from typing import Final

import msgspec

from server.clock import Millis


def new_id(now: Millis) -> str:
    """26 characters of lower-case hexadecimal: 12 of time in milliseconds, 14 of chance."""
    return f"{now:012x}{_chance()}"


_DIGITS: Final = 14
_DRAWN_AT_ONCE: Final = 512
_drawn: list[str] = []
os.register_at_fork(after_in_child=_drawn.clear)


def _chance() -> str:
    """Digits nobody can guess, drawn for many ids at once: asking the system takes longer than an id."""
    try:
        return _drawn.pop()
    except IndexError:
        digits = os.urandom(_DIGITS // 2 * _DRAWN_AT_ONCE).hex()
        _drawn.extend(digits[at : at + _DIGITS] for at in range(_DIGITS, len(digits), _DIGITS))
        return digits[:_DIGITS]


def made_id(kind: str, maker_id: str, client_id: str) -> str:
    """The id of what somebody made of a kind under a client id: 32 characters, unguessable only as far as
    the client id is."""
    named = msgspec.json.encode([kind, maker_id, client_id])
    return hashlib.blake2b(named, digest_size=16).hexdigest()
