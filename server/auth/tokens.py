"""Session tokens: opaque, made of chance alone, and never stored."""

import hashlib
import secrets
from typing import Final

LONGEST: Final = 128


def new_token() -> str:
    """32 bytes of chance."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a token. Chance needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
