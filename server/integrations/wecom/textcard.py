"""The bytes of a notice: a textcard, built once, stored, and sent unchanged however often.

Pure functions. The limits are WeCom's and counted in UTF-8 bytes; what is too long is cut between
characters and ends in an ellipsis. An address cannot be cut, a wrong one is the caller's mistake.
"""

import json
import re
from collections.abc import Sequence
from typing import Final

TITLE_BYTES: Final = 128
DESCRIPTION_BYTES: Final = 512
URL_BYTES: Final = 2_048
BUTTON_CHARACTERS: Final = 4
MOST_USERS: Final = 1_000
DUPLICATE_CHECK_S: Final = 14_400
"""How long WeCom remembers a request: the longest it offers, as that is how long we may repeat."""

# An empty title or description is refused (40058), and the notice with it.
_NOTHING: Final = "…"
_LINE_BREAK: Final = "<br>"
# WeCom refuses \uXXXX escapes (40033), and JSON has no other way to write these.
_UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# The phone reads a description as markup. What people write is text; this keeps it text.
_MARKUP: Final = str.maketrans({"<": "＜", ">": "＞"})


def textcard_request(
    agent_id: int,
    user_ids: Sequence[str],
    title: str,
    description: str,
    url: str,
    button: str = "详情",
) -> bytes:
    """The JSON body of `message/send` for a card that opens `url`.

    `description` is plain text: lines are kept, markup is shown as written. The same arguments
    always give the same bytes; put something of its own (the notice id) into the url of each
    notice, or WeCom takes two of them for one.
    """
    body = {
        "touser": "|".join(checked_users(user_ids)),
        "msgtype": "textcard",
        "agentid": agent_id,
        "textcard": {
            "title": cut(one_line(title), TITLE_BYTES) or _NOTHING,
            "description": _description(description) or _NOTHING,
            "url": checked_url(url),
            "btntxt": one_line(button)[:BUTTON_CHARACTERS],
        },
        "enable_duplicate_check": 1,
        "duplicate_check_interval": DUPLICATE_CHECK_S,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def checked_users(user_ids: Sequence[str]) -> Sequence[str]:
    """The ids, or ValueError."""
    if not 0 < len(user_ids) <= MOST_USERS:
        raise ValueError(f"a request goes to 1 to {MOST_USERS} people, not {len(user_ids)}")
    if any(not user_id or "|" in user_id or user_id == "@all" for user_id in user_ids):
        raise ValueError("a user id must not be empty, '@all', or contain '|'")
    return user_ids


def checked_url(url: str) -> str:
    """The address, or ValueError."""
    if not url.startswith(("https://", "http://")) or len(url.encode()) > URL_BYTES:
        raise ValueError(f"a card's url starts with http(s):// and has at most {URL_BYTES} bytes")
    return url


def recipients(request: bytes) -> tuple[str, ...]:
    """Who a request is for, as it was built."""
    touser = json.loads(request)["touser"]
    return tuple(touser.split("|"))


def cut(text: str, limit: int) -> str:
    """At most `limit` bytes of `text`, whole characters, with an ellipsis where it was cut."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


def one_line(text: str) -> str:
    """Without what JSON could only write as an escape."""
    return _UNWRITABLE.sub(" ", text).strip()


def _description(text: str) -> str:
    lines: list[str] = []
    left = DESCRIPTION_BYTES
    for line in text.splitlines():
        room = left - (len(_LINE_BREAK) if lines else 0)
        if room < len("…".encode()):
            break
        written = one_line(line.translate(_MARKUP))
        shown = cut(written, room)
        lines.append(shown)
        if shown != written:
            break
        left = room - len(shown.encode())
    return _LINE_BREAK.join(lines)
