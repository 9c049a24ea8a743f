"""What is kept of the HIS: its events as sent, the fact each set of them makes, and sums of the facts.

Events are the record and recognise repeats; a fact is what its events make of it, in whatever order they
came; sums are what is read. All three change in one commit. Events and facts are dropped once nothing
may change their day any more (`keeping.py`); sums stay.
"""

from typing import ClassVar

import msgspec

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document


class TakenEvent(Document, frozen=True):
    """An event as the HIS sent it, by which key and when it was taken."""

    collection: ClassVar[Collection] = Collection("his_events", indexes=(Index("at", ("at",)),))

    kind: str
    at: int
    department_id: str
    key_id: str
    taken_at: Millis
    type: str | None = None
    value: int | None = None
    count: int = 1
    corrects: str | None = None
    cancels: str | None = None


class Values(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event says, but for when."""

    kind: str
    department_id: str
    type: str | None = None
    value: int | None = None
    count: int = 1


class Correction(Values, frozen=True, kw_only=True):
    """What a correction says; of several the one with the highest `order` counts."""

    order: str


class Fact(Document, frozen=True):
    """What the events that name one fact make of it; the id is the original event's.

    `day` and `hour` are those of the original. `slot` and `order` are there while the fact is a reading
    that counts: the department's hour it belongs to, and its place among the readings of that hour.
    """

    collection: ClassVar[Collection] = Collection(
        "his_facts",
        indexes=(Index("at", ("at",)), Index("slot", ("slot", "order"), sparse=True)),
    )

    at: int
    original: Values | None = None
    correction: Correction | None = None
    cancelled: bool = False
    day: str = ""
    hour: int = 0
    slot: str | None = None
    order: str | None = None

    @property
    def effective(self) -> Values | None:
        """What the fact says; None while it counts nothing."""
        if self.cancelled or self.original is None:
            return None
        return self.correction or self.original


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The last reading of an hour."""

    order: str
    value: int


class DaySums(Document, frozen=True):
    """A department's day: counts by hour under `metric` or `metric:type`, the last reading by hour."""

    collection: ClassVar[Collection] = Collection(
        "his_sums", indexes=(Index("day", ("day", "department_id")),)
    )

    day: str
    department_id: str
    counts: dict[str, list[int]] = {}
    readings: dict[str, Reading] = {}

    @property
    def last_reading(self) -> int | None:
        """The newest reading of the day."""
        if not self.readings:
            return None
        return max(self.readings.values(), key=lambda reading: reading.order).value


class Heard(Document, frozen=True):
    """When the HIS was last heard; `signed` is the newest second signed with each key."""

    collection: ClassVar[Collection] = Collection("his_heard")

    at: Millis
    signed: dict[str, int] = {}


class Told(Document, frozen=True):
    """There is one, written with whatever is told, in the version read before the figures were: a node that
    was frozen and still believes that it leads reads again, and takes nothing back that another has told."""

    collection: ClassVar[Collection] = Collection("his_told")

    at: Millis


HEARD_ID = TOLD_ID = "his"
MOST_DEPARTMENTS = 1_000
"""Departments of one day that are read."""


def sums_id(day: str, department_id: str) -> str:
    """The id of a department's day."""
    return f"{day}:{department_id}"


def order_of(at: int, event_id: str) -> str:
    """Where an event stands among others: by its moment, then by its id."""
    return f"{at:016d}:{event_id}"
