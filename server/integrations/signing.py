"""Whether a request is from a system of the hospital: HMAC-SHA256 over the time and the body as sent.

    X-Yuanxin-Key: <key id>   X-Yuanxin-Time: <unix seconds>
    X-Yuanxin-Signature: hex(HMAC-SHA256(secret, "<time>\n" + body))

The time bounds how long a captured request can be sent again, which would change nothing anyway. Keys
are changed without a gap by having two for a while.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from server.clock import Millis
from server.errors import Unauthenticated

KEY_HEADER: Final = "X-Yuanxin-Key"
TIME_HEADER: Final = "X-Yuanxin-Time"
SIGNATURE_HEADER: Final = "X-Yuanxin-Signature"
WINDOW_S: Final = 300


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Whose signature a request carries, and the second in which it was signed."""

    key_id: str
    signed_s: int


_SECONDS = re.compile(r"[0-9]{1,12}")


def signature(secret: str, time: str, body: bytes) -> str:
    """What belongs into the header."""
    return hmac.new(secret.encode(), time.encode() + b"\n" + body, hashlib.sha256).hexdigest()


def claimed_sender(headers: Mapping[str, str], now: Millis) -> Sender:
    """Who a request says it is from, before its body is read. Raises Unauthenticated."""
    if missing := [n for n in (KEY_HEADER, TIME_HEADER, SIGNATURE_HEADER) if n not in headers]:
        raise Unauthenticated(f"sign the request: {missing[0]} is missing")
    time = headers[TIME_HEADER]
    if not _SECONDS.fullmatch(time):
        raise Unauthenticated(f"the time is wrong: {TIME_HEADER} holds unix seconds")
    ahead_s = int(time) - now // 1000
    if abs(ahead_s) > WINDOW_S:
        raise Unauthenticated(
            f"the time is wrong: it is {abs(ahead_s)} s {'ahead of' if ahead_s > 0 else 'behind'} ours, "
            f"at most {WINDOW_S} are allowed; set the clock and sign again"
        )
    return Sender(key_id=headers[KEY_HEADER], signed_s=int(time))


def check_signature(
    keys: Mapping[str, str], headers: Mapping[str, str], sender: Sender, body: bytes
) -> None:
    """Whether the claim is true. Raises Unauthenticated, in the same words for an unknown key."""
    secret = keys.get(sender.key_id)
    due = signature(secret or "none of ours", headers[TIME_HEADER], body)
    given = headers[SIGNATURE_HEADER].strip().lower().encode("utf-8", "replace")
    if not hmac.compare_digest(due.encode(), given) or secret is None:
        raise Unauthenticated(
            "the signature is wrong: it is not that of this key over the time, a line feed and the body"
        )
