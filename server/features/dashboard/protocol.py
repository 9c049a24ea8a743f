"""What crosses the socket for live figures.

A channel holds one value per department and one that tells of the source. What is told carries only the
values that changed; `stream.watch` answers all of them, each as the event that told it.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from realtime.protocol import Command, Event, Result
from server.clock import Millis
from server.integrations.his import RegistrationType

MOST_DAYS = 400
Day = Annotated[str, Meta(pattern="^2[0-9]{3}-[0-9]{2}-[0-9]{2}$")]


class Figures(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="figures"):
    """A department's day so far. Patients by registration type (types without any are left out),
    operations finished, and inpatients as last read (within seven days)."""

    department_id: str
    day: str
    registered: dict[str, int]
    seen: dict[str, int]
    called: dict[str, int]
    operations: int
    inpatients: int | None


class Source(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="source"):
    """When the HIS was last heard (null: never). `stale` once it has missed two times of `period_ms`."""

    as_of: Millis | None
    stale: bool
    period_ms: int


class DashboardUpdated(Event, frozen=True):
    """Values that changed, under the department's id or `source`; at most one event a second and
    channel. Counters begin at 0 when the hospital's day does."""

    wire_name: ClassVar[str] = "dashboard.updated"
    values: dict[str, Figures | Source]
    as_of: Millis


class Scopes(Command, frozen=True):
    """Which figures the actor may look at."""

    wire_name: ClassVar[str] = "dashboard.scopes"


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """A channel to watch; the hospital's has no department and no name."""

    channel: str
    name: str
    department_id: str | None


class ScopesShown(Result, frozen=True):
    """The hospital first, then departments that have figures, in the hospital's order."""

    channels: list[Scope]
    types: list[RegistrationType]
    zone: str
    today: str


class ShowRange(Command, frozen=True):
    """Sums over days, both included, at most 400. Without a department: all that the actor may see.
    A type narrows what has one: registered, called and seen."""

    wire_name: ClassVar[str] = "dashboard.range"
    from_day: Day
    to_day: Day
    department_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    type: RegistrationType | None = None


class DayRow(msgspec.Struct, frozen=True, kw_only=True):
    """A day; inpatients as last read by its end."""

    day: str
    registered: int
    seen: int
    called: int
    operations: int
    inpatients: int | None


class DepartmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A department over all days; inpatients as last read by the end of the last. `by_type` has
    registered, seen and called by registration type (types without any are left out)."""

    department_id: str
    name: str
    registered: int
    seen: int
    called: int
    operations: int
    inpatients: int | None
    by_type: dict[str, dict[str, int]]


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """By hour of the day, 24 each, over all days. Of one day also the inpatients as last read by the
    end of each hour (null before the first reading, and where there are several days)."""

    registered: list[int]
    seen: list[int]
    called: list[int]
    operations: list[int]
    inpatients: list[int | None]


class RangeShown(Result, frozen=True):
    """Days and departments that have figures. `as_of`: when the HIS was last heard (null: never)."""

    from_day: str
    to_day: str
    days: list[DayRow]
    departments: list[DepartmentRow]
    hours: Hours
    as_of: Millis | None
