"""From when to when: days of the hospital, as people name them, and the moments they stand for."""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from server.clock import Millis
from server.errors import Invalid

BEGINS_WITHIN_DAYS: Final = 90
MOST_DAYS: Final = 366


def today(now: Millis, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(now / 1000, zone).date()


def period(begins_on: str, ends_on: str, now: Millis, zone: ZoneInfo) -> tuple[Millis, Millis]:
    """The first moment, and the first one after it. Raises Invalid."""
    first, last = _day(begins_on), _day(ends_on)
    this_day = today(now, zone)
    if not this_day <= first <= this_day + timedelta(days=BEGINS_WITHIN_DAYS):
        raise Invalid(f"it begins today or within {BEGINS_WITHIN_DAYS} days")
    if not first <= last < first + timedelta(days=MOST_DAYS):
        raise Invalid(f"it ends on or after its first day, and lasts at most {MOST_DAYS} days")
    return _midnight(first, zone), _midnight(last + timedelta(days=1), zone)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text} is no day") from None


def _midnight(day: date, zone: ZoneInfo) -> Millis:
    return Millis(round(datetime.combine(day, time(), zone).timestamp() * 1000))
