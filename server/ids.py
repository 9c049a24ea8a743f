"""Ids of new things: sortable by time of making, unguessable in the rest; or always the same for the same
client id, so that a repeat finds what was made the first time."""

import hashlib
import secrets

import msgspec

from server.clock import Millis


def new_id(now: Millis) -> str:
    """26 characters of lower-case hexadecimal: 12 of time in milliseconds, 14 of chance."""
    return f"{now:012x}{secrets.token_hex(7)}"


def made_id(kind: str, maker_id: str, client_id: str) -> str:
    """The id of what somebody made of a kind under a client id: 32 characters, unguessable only as far as
    the client id is."""
    named = msgspec.json.encode([kind, maker_id, client_id])
    return hashlib.blake2b(named, digest_size=16).hexdigest()
