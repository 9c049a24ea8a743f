"""Out of an OA's strings: plain text, moments and grades, leniently.

Titles come with tags, entities written as text and invisible characters; times are local, joined
from two columns, and either half may be missing. None of it is worth losing a row for.
"""

import html
import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from server.clock import Millis
from server.integrations.oa import Urgency

LONGEST_TEXT: Final = 500
MOST_READ: Final = 8
"""Characters looked at for each one kept; more is markup, or meant to keep us busy."""

# What never ends is looked for only as far as the next of its sort, so that many of them cost no more.
_UNSEEN = re.compile(
    r"<!--(?:(?!<!--).)*?-->|<(script|style)\b(?:(?!<(?:script|style)\b).)*?</\1\s*>",
    re.IGNORECASE | re.DOTALL,
)
# Only what is a whole tag: "x<y" and "<管理办法>" are text.
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9:-]*(?:\s[^<>]*)?/?>")
INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_TIME = re.compile(r"\s*(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[\sT]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_URGENCY: Final[dict[str, Urgency]] = {"0": "normal", "1": "important", "2": "urgent"}


def plain_text(value: str | None, most: int = LONGEST_TEXT) -> str:
    """One line of text as a person would read it."""
    if not value:
        return ""
    if value.isprintable() and "<" not in value and "&" not in value:
        return " ".join(value[: MOST_READ * most].split())[:most]
    text = html.unescape(_TAG.sub("", _UNSEEN.sub("", value[: MOST_READ * most])))
    text = "".join(
        " " if unicodedata.category(char) in ("Cc", "Zs", "Zl", "Zp") else char
        for char in INVISIBLE.sub("", text)
        if unicodedata.category(char) != "Cs"
    )
    return " ".join(text.split())[:most]


def sendable(value: str) -> str:
    """What a person typed, without what no XML can carry and nobody can see; lines and tabs stay."""
    return "".join(
        char
        for char in INVISIBLE.sub("", value)
        if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs")
    )


def moment(value: str | None, zone: tzinfo) -> Millis | None:
    """A local time as a moment; a date alone is its midnight; None for anything else."""
    if not value or (found := _TIME.match(value)) is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        local = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    return Millis(int(local.astimezone(UTC).timestamp()) * 1000)


def urgency(level: str | None) -> Urgency:
    """Grades beyond the known ones are shown as normal rather than guessed at."""
    return _URGENCY.get((level or "").strip(), "normal")


def zone_named(name: str) -> tzinfo:
    """A time zone. China's is known also on machines without a zone database."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        if name in ("Asia/Shanghai", "Asia/Chongqing", "PRC"):
            return timezone(timedelta(hours=8), name)
        raise ValueError(f"there is no time zone {name!r} on this machine") from None
