"""What people wish about their notices, and the one decision that follows from it.

Kind of thing × road (WeCom, or the app alone, or gathered into a digest) × hours in which nothing rings.
`decide` is a pure function, asked once for each notice just before it is composed; nothing else in the
notifier knows of wishes. What is urgent goes through whatever somebody wished: it is for the hospital
to say what is urgent, and for nobody alone to miss it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from server.clock import Millis
from server.outbox import Priority, Why
from server.storage import Collection
from server.storage.document import Document

Road = Literal["wecom", "app", "digest"]
MOST_PERIODS: Final = 4
MOST_DIGESTS: Final = 6
DAY_MINUTES: Final = 1_440
DIGEST_HOURS: Final = (8, 17)
"""When a digest comes unless somebody chose other hours."""
_MOST_STEPS: Final = 16

Minute = Annotated[int, Meta(ge=0, lt=DAY_MINUTES)]
Weekday = Annotated[int, Meta(ge=0, le=6)]
Hour = Annotated[int, Meta(ge=0, le=23)]


class QuietPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """Hours in which nothing rings, on the days on which they begin (0 = Monday). Minutes of the day;
    one that ends at or before its beginning ends the next day, the same minute twice is a whole day."""

    days: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    begins: Minute
    ends: Minute


class Wishes(Document, frozen=True):
    """One per person who has chosen something; the id is the person's."""

    collection: ClassVar[Collection] = Collection("notice_wishes")

    quiet: list[QuietPeriod] = []
    roads: dict[str, Road] = {}
    digest_hours: list[int] = []
    mentions: bool = False
    """Whether being named rings in quiet hours too."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a notice now. `until` is when it is asked again, for one that waits."""

    action: Literal["send", "wait", "app", "digest"]
    why: Why = ""
    until: int = 0


SEND: Final = Verdict("send")


def decide(
    wishes: Wishes,
    kind: str,
    priority: Priority,
    *,
    named: bool = False,
    created_at: int,
    now: int,
    zone: ZoneInfo,
) -> Verdict:
    """What a person wishes to happen to a notice that could go now; `named` when it tells that somebody
    named the person."""
    if priority is Priority.URGENT:
        return SEND
    road = wishes.roads.get(kind, "wecom")
    if road == "app":
        return Verdict("app", "app")
    if road == "digest":
        slot = _next_slot(wishes.digest_hours or DIGEST_HOURS, created_at, zone)
        if slot > now:
            return Verdict("wait", "digest", quiet_until(wishes.quiet, slot, zone) or slot)
    ends = quiet_until(wishes.quiet, now, zone)
    rings = named and wishes.mentions and road == "wecom"
    if ends is not None and not rings:
        return Verdict("wait", "digest" if road == "digest" else "quiet", ends)
    return Verdict("digest", "digest") if road == "digest" else SEND


def quiet_until(periods: Sequence[QuietPeriod], now: int, zone: ZoneInfo) -> Millis | None:
    """When the quiet that holds now ends, periods that follow one another taken together; None: it rings."""
    moment = datetime.fromtimestamp(now / 1000, zone)
    for _ in range(_MOST_STEPS):
        ends = [end for period in periods if (end := _end_of(period, moment)) is not None]
        if not ends:
            break
        moment = max(ends)
    until = Millis(round(moment.timestamp() * 1000))
    return until if until > now else None


def _end_of(period: QuietPeriod, moment: datetime) -> datetime | None:
    """When this period ends, if the moment lies in it."""
    lasts = timedelta(minutes=(period.ends - period.begins) % DAY_MINUTES or DAY_MINUTES)
    for day in (moment.date(), moment.date() - timedelta(days=1)):
        begins = datetime.combine(day, _clock_time(period.begins), moment.tzinfo)
        if day.weekday() in period.days and begins <= moment < begins + lasts:
            return begins + lasts
    return None


def _clock_time(minute: int) -> time:
    return time(minute // 60, minute % 60)


def _next_slot(hours: Sequence[int], after: int, zone: ZoneInfo) -> Millis:
    """The first hour of a digest after a moment."""
    moment = datetime.fromtimestamp(after / 1000, zone)
    slots = [
        datetime.combine(moment.date() + timedelta(days=day), time(hour), zone)
        for day in (0, 1)
        for hour in hours
    ]
    return Millis(round(min(slot for slot in slots if slot > moment).timestamp() * 1000))


def chosen_roads(roads: Mapping[str, Road], kinds: Sequence[str]) -> dict[str, Road]:
    """Roads that differ from what is done anyway, for kinds that there are."""
    return {kind: roads[kind] for kind in kinds if roads.get(kind, "wecom") != "wecom"}
