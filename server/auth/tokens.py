"""Session tokens: opaque, made of chance alone, and never stored; and where a request carries one."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

COOKIE: Final = "yuanxin_session"
LONGEST: Final = 128
BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Presented:
    """A token as it came. One from a cookie proves nothing about which page sent the request."""

    token: str
    by_cookie: bool


def new_token() -> str:
    """32 bytes of chance."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a token. Chance needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def presented(headers: Mapping[str, str], cookies: Mapping[str, str]) -> Presented | None:
    """The token of a request: from the header if there is one, else from the cookie."""
    authorization = headers.get("Authorization", "")
    if authorization[: len(BEARER)].lower() == BEARER:
        return Presented(authorization[len(BEARER) :].strip(), by_cookie=False)
    token = cookies.get(COOKIE, "")
    return Presented(token, by_cookie=True) if token else None
