"""The refusals a feature may raise, under one roof with those of the hub; and failures that pass."""

from realtime.errors import (
    Busy,
    ConflictRefused,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Refused,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

__all__ = [
    "Busy",
    "ConflictRefused",
    "Forbidden",
    "Invalid",
    "NotFound",
    "RateLimited",
    "Refused",
    "Temporary",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
]


class Temporary(Exception):
    """A failure that passes by itself and may come thousands of times meanwhile: its sentence says all,
    and the log keeps no traceback of it."""
