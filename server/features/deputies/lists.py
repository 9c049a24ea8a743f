"""What a deputy sees: the lists of those for whom he or she stands in, apart from the own one.

The list is the mirror's, read through as for the person oneself. Numbers of others' documents never enter
the deputy's own: a badge that one cannot bring to zero says nothing.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from realtime.protocol import Nothing
from server.clock import Millis
from server.directory import Directory, Presence, card_of
from server.errors import NotFound
from server.features.deputies.documents import Deputation, PassedOn, passed_on_id
from server.features.deputies.protocol import (
    Deputed,
    DeputedItem,
    DeputedOpened,
    DeputedPerson,
    ListDeputed,
    PrincipalReminded,
    RemindPrincipal,
)
from server.features.deputies.standing import of_deputy
from server.integrations.oa import Item
from server.integrations.oa.mirror import Seen, Worklist
from server.notify.reminders import Held, remind
from server.settings import Settings
from server.work import UnitOfWork

MOST_ROWS: Final = 300
FRESH_S: Final = 30.0
"""Others' lists may be this old; one's own is asked for after five seconds."""
NOT_YOURS: Final = "no document that waits for somebody you stand in for"


async def list_deputed(
    command: ListDeputed,
    work: UnitOfWork,
    directory: Directory,
    presence: Presence,
    worklist: Worklist,
) -> Deputed:
    """Everybody the actor stands in for now, and what waits for them."""
    coming = await of_deputy(work, work.actor.person_id)
    holding = [one for one in coming if _is_to_be_seen(one, work.now, directory)]
    online = await presence.online({one.person_id for one in holding})
    # A bounded few; the mirror asks the OA within its own budget.
    readings = await asyncio.gather(
        *(worklist.read(one.person_id, "pending", 1, FRESH_S) for one in holding)
    )
    lists = [await worklist.seen(one.person_id) for one in holding]
    rows = _rows(holding, lists)
    return Deputed(
        people=[
            DeputedPerson(
                person=card_of(
                    directory.find(one.person_id), directory, online=one.person_id in online
                ),
                pending=seen.pending if seen is not None else 0,
                as_of=reading.as_of,
                stale=reading.stale,
                ends_on=one.ends_on,
            )
            for one, seen, reading in zip(holding, lists, readings, strict=True)
        ],
        items=await _items(work, rows, directory),
        turns_at=_next_turn(coming, work.now),
    )


def _is_to_be_seen(one: Deputation, now: int, directory: Directory) -> bool:
    person = directory.person(one.person_id)
    return one.holds(now) and person is not None and not person.is_retired


def _rows(holding: Sequence[Deputation], lists: Sequence[Seen | None]) -> list[tuple[str, Item]]:
    """All documents with whose they are, newest first."""
    rows = [
        (one.person_id, item)
        for one, seen in zip(holding, lists, strict=True)
        for item in (seen.items if seen is not None else ())
    ]
    rows.sort(key=lambda row: row[1].received_at or 0, reverse=True)
    return rows[:MOST_ROWS]


async def _items(
    work: UnitOfWork, rows: Sequence[tuple[str, Item]], directory: Directory
) -> list[DeputedItem]:
    deputy = work.actor.person_id
    passed = await work.get_many(
        PassedOn, [passed_on_id(deputy, item.request_id) for _, item in rows]
    )
    new = {one.request_id for one in passed.values() if one.opened_at is None}
    return [_item(person_id, item, directory, item.request_id in new) for person_id, item in rows]


def _item(person_id: str, item: Item, directory: Directory, is_new: bool) -> DeputedItem:
    creator = directory.by_oa(item.creator)
    return DeputedItem(
        for_person=person_id,
        item_id=item.item_id,
        request_id=item.request_id,
        title=item.title,
        creator_name=item.creator_name,
        received_at=item.received_at,
        urgency=item.urgency,
        node=item.node,
        source=item.source,
        is_new=is_new,
        kind=item.kind,
        creator_id=creator.id if creator is not None else None,
        department=directory.main_department(creator.id) if creator is not None else "",
    )


def _next_turn(coming: Sequence[Deputation], now: int) -> Millis | None:
    turns = (one.ends_at if one.holds(now) else one.begins_at for one in coming)
    return min(turns, default=None)


async def open_deputed(command: DeputedOpened, work: UnitOfWork) -> Nothing:
    """The deputy has seen it: nothing is owed for it any more."""
    id = passed_on_id(work.actor.person_id, command.request_id)
    passed = await work.get(PassedOn, id)
    # What waited before the period has nothing to be noted down.
    if passed is not None and passed.opened_at is None:
        work.patch(PassedOn, id, opened_at=work.now)
        work.record("deputies.opened", command.request_id, person=passed.person_id)
    return Nothing()


async def remind_principal(
    command: RemindPrincipal,
    work: UnitOfWork,
    directory: Directory,
    worklist: Worklist,
    settings: Settings,
) -> PrincipalReminded:
    """Tell the person oneself that a document waits, within the limits of all reminders."""
    coming = await of_deputy(work, work.actor.person_id)
    stands_in = any(o.person_id == command.person_id and o.holds(work.now) for o in coming)
    seen = await worklist.seen(command.person_id) if stands_in else None
    items = {item.request_id: item for item in (seen.items if seen is not None else ())}
    item = items.get(command.request_id)
    if item is None:
        raise NotFound(NOT_YOURS)
    [outcome] = await remind(
        work,
        [Held(command.person_id, item.request_id, item.received_at)],
        by_name=directory.find(work.actor.person_id).name,
        words="",
        zone=ZoneInfo(settings.his_timezone),
        due_ms=settings.notice_first_seconds * 1000,
    )
    if outcome.is_told:
        work.record("deputies.reminded", command.request_id, person=command.person_id)
    return PrincipalReminded(state=outcome.state, not_before=outcome.not_before)
