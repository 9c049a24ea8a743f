"""Ids of new things: sortable by time of making, unguessable in the rest."""

import secrets

from server.clock import Millis


def new_id(now: Millis) -> str:
    """26 characters of lower-case hexadecimal: 12 of time in milliseconds, 14 of chance."""
    return f"{now:012x}{secrets.token_hex(7)}"
