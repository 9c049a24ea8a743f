"""What people wish about their own notices, and why they did or did not get one."""

from msgspec.structs import replace

from realtime.channel import person_channel
from server.errors import Invalid
from server.features.notices.protocol import (
    KINDS,
    MOST_LISTED,
    NEVER_SILENT,
    NoticeHistory,
    NoticePreferences,
    PreferencesChanged,
    SetPreferences,
    ShowPreferences,
    ShowWhy,
)
from server.features.notices.shapes import all_roads, item_of
from server.notify.notifier import KEEP_MS
from server.notify.wishes import DIGEST_HOURS, Road, Wishes, chosen_roads
from server.outbox import Filter, Notice, ledger_page
from server.settings import Settings
from server.work import UnitOfWork

PREFERENCES_KEY = "notices.preferences"
MOST_WAITING = 200
KEPT_DAYS = KEEP_MS // (24 * 3_600_000)


async def show_preferences(
    command: ShowPreferences, work: UnitOfWork, settings: Settings
) -> NoticePreferences:
    return _shown(await _wishes(work), settings)


async def set_preferences(
    command: SetPreferences, work: UnitOfWork, settings: Settings
) -> NoticePreferences:
    before = await _wishes(work)
    hours = sorted(set(command.digest_hours))
    roads: dict[str, Road] = {each.kind: each.road for each in command.roads}
    after = Wishes(
        id=before.id,
        quiet=command.quiet,
        roads=chosen_roads(roads, KINDS),
        digest_hours=[] if hours == list(DIGEST_HOURS) else hours,
        mentions=command.mentions,
    )
    shown = _shown(after, settings)
    if after != before:
        work.put(after)
        await _decide_again(work)
        work.append(
            person_channel(work.actor.person_id),
            PreferencesChanged(
                quiet=shown.quiet,
                roads=shown.roads,
                digest_hours=shown.digest_hours,
                mentions=shown.mentions,
            ),
            key=PREFERENCES_KEY,
        )
        work.record(
            "notices.set_preferences",
            work.actor.person_id,
            roads=after.roads,
            periods=len(after.quiet),
            digest_hours=after.digest_hours,
            mentions=after.mentions,
        )
    return shown


async def _decide_again(work: UnitOfWork) -> None:
    """What waits because of a wish is due now, and decided by the new ones."""
    newest = await work.query(
        Notice, "person", work.actor.person_id, reverse=True, limit=MOST_WAITING
    )
    for notice in newest:
        if notice.state == "queued" and notice.why in ("quiet", "digest") and not notice.into:
            work.put(replace(notice, at=work.now, why=""))


async def show_why(command: ShowWhy, work: UnitOfWork) -> NoticeHistory:
    wanted = Filter(person_id=work.actor.person_id, kind=command.kind, subject=command.subject)
    try:
        page = await ledger_page(work.store, wanted, command.after, min(command.limit, MOST_LISTED))
    except ValueError as fault:
        raise Invalid(str(fault)) from None
    items = [item_of(notice) for notice in page.notices]
    return NoticeHistory(items=items, next=page.next, kept_days=KEPT_DAYS)


async def _wishes(work: UnitOfWork) -> Wishes:
    person_id = work.actor.person_id
    return await work.get(Wishes, person_id) or Wishes(id=person_id)


def _shown(wishes: Wishes, settings: Settings) -> NoticePreferences:
    return NoticePreferences(
        quiet=wishes.quiet,
        roads=all_roads(wishes.roads),
        digest_hours=wishes.digest_hours or list(DIGEST_HOURS),
        mentions=wishes.mentions,
        never_silent=list(NEVER_SILENT),
        timezone=settings.his_timezone,
    )
