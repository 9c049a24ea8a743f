"""What a person may ask of the figures: where they may look, and sums over days."""

from server.auth import Actor
from server.days import HospitalDays, days_until
from server.directory import Directory
from server.errors import Forbidden, Invalid
from server.features.dashboard.protocol import (
    MOST_DAYS,
    RangeShown,
    Scope,
    Scopes,
    ScopesShown,
    ShowRange,
)
from server.features.dashboard.ranges import sum_range
from server.features.dashboard.rights import (
    HOSPITAL,
    channel_of,
    check_department,
    own_departments,
    sees_all,
)
from server.features.dashboard.ticker import Ticker
from server.integrations.his import TYPES
from server.settings import Settings
from server.work import UnitOfWork


async def show_scopes(
    command: Scopes, work: UnitOfWork, directory: Directory, ticker: Ticker, settings: Settings
) -> ScopesShown:
    """The channels the actor may watch that have, or may get, something to show."""
    all_of_them = sees_all(work.actor)
    own = frozenset() if all_of_them else own_departments(work.actor, directory)
    hospital = [Scope(channel=channel_of(HOSPITAL), name="", department_id=None)]
    departments = [
        Scope(
            channel=channel_of(branch.department.id),
            name=branch.department.name,
            department_id=branch.department.id,
        )
        for branch in directory.tree
        if branch.department.id in ticker.departments
        and (all_of_them or branch.department.id in own)
    ]
    days = HospitalDays(settings.his_timezone)
    return ScopesShown(
        channels=[*(hospital if all_of_them else ()), *departments],
        types=list(TYPES),
        zone=days.zone,
        today=days.day(work.now),
    )


async def show_range(
    command: ShowRange, work: UnitOfWork, directory: Directory, ticker: Ticker
) -> RangeShown:
    """Sums of what the actor may see; who asked for which days is recorded."""
    length = days_until(command.from_day, command.to_day) + 1
    if length < 1:
        raise Invalid("from_day lies after to_day")
    if length > MOST_DAYS:
        raise Invalid(f"at most {MOST_DAYS} days at once; ask for fewer")
    departments = _departments(command, work.actor, directory)
    sums = await sum_range(work, command.from_day, command.to_day, departments, command.type)
    work.record(
        "dashboard.range",
        command.department_id or (HOSPITAL if departments is None else "own"),
        from_day=command.from_day,
        to_day=command.to_day,
    )
    return RangeShown(
        from_day=command.from_day,
        to_day=command.to_day,
        days=sums.days,
        departments=sums.departments(command.to_day, directory),
        hours=sums.hours,
        as_of=ticker.heard_at,
    )


def _departments(command: ShowRange, actor: Actor, directory: Directory) -> frozenset[str] | None:
    """Which departments are asked for; None: all there are."""
    if command.department_id is not None:
        check_department(actor, command.department_id, directory)
        return frozenset({command.department_id})
    if sees_all(actor):
        return None
    own = own_departments(actor, directory)
    if not own:
        raise Forbidden("you have no post in a department; only leaders see the whole hospital")
    return own
