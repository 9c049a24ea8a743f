"""The hospital's days: which one a moment belongs to, in the hospital's zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from server.clock import Millis
from server.errors import Invalid


class HospitalDays:
    """Days as `2026-11-23` and hours from 0 to 23, by the wall clock of a zone."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._zone = ZoneInfo(zone)

    def day(self, at: int) -> str:
        """The day of a moment."""
        return self.slot(at)[0]

    def slot(self, at: int) -> tuple[str, int]:
        """The day and the hour of a moment."""
        there = datetime.fromtimestamp(at / 1000, UTC).astimezone(self._zone)
        return there.date().isoformat(), there.hour

    def moment(self, day: str, hour: int) -> Millis:
        """When an hour of a day begins."""
        there = datetime.fromisoformat(f"{day}T{hour:02d}:00").replace(tzinfo=self._zone)
        return Millis(int(there.timestamp() * 1000))


def days_from(first: str, last: str) -> list[str]:
    """All days from one to another, both included; none when the last is before the first."""
    start, count = date.fromisoformat(first), days_until(first, last) + 1
    return [(start + timedelta(days=n)).isoformat() for n in range(count)]


def days_until(first: str, last: str) -> int:
    """How many days later the last is. Raises Invalid when one of them is no day."""
    try:
        return (date.fromisoformat(last) - date.fromisoformat(first)).days
    except ValueError:
        raise Invalid("days are dates that exist, such as 2026-11-23") from None


def days_before(day: str, count: int) -> str:
    """The day so many days earlier."""
    return (date.fromisoformat(day) - timedelta(days=count)).isoformat()
