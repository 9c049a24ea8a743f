"""The refusals a feature may raise, under one roof with those of the hub."""

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
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
]
