"""Naming a deputy, seeing who stands in for whom, and ending it.

A deputy is given sight of a list and nothing else: to act, or even to open a document, the OA is asked
with the deputy's own account, as always.
"""

from zoneinfo import ZoneInfo

from realtime.protocol import Nothing
from server.auth import Role
from server.directory import Directory, Person, Presence, card_of
from server.errors import ConflictRefused, Forbidden, Invalid
from server.features.deputies.documents import Deputation
from server.features.deputies.passing import take_all_back
from server.features.deputies.periods import period, today
from server.features.deputies.protocol import (
    DeputationCard,
    Deputies,
    DeputyNamed,
    EndDeputation,
    NameDeputy,
    ShowDeputies,
)
from server.features.deputies.standing import MOST_STOOD_FOR, begin, end, of_deputy, of_person
from server.ids import new_id
from server.integrations.oa.mirror import Worklist
from server.settings import Settings
from server.work import UnitOfWork


async def show_deputies(
    command: ShowDeputies,
    work: UnitOfWork,
    directory: Directory,
    presence: Presence,
    settings: Settings,
) -> Deputies:
    """Who stands in for somebody, and the other way round."""
    person = _whose(command.person_id, work, directory)
    _, mine = await of_person(work, person.id)
    others = await of_deputy(work, person.id)
    shown = [one for one in (mine, *others) if one is not None]
    cards = {c.deputation_id: c for c in await _cards(shown, work, directory, presence)}
    return Deputies(
        mine=cards[mine.id] if mine is not None else None,
        for_others=[cards[one.id] for one in others],
        today=today(work.now, ZoneInfo(settings.his_timezone)).isoformat(),
    )


async def name_deputy(
    command: NameDeputy,
    work: UnitOfWork,
    directory: Directory,
    presence: Presence,
    settings: Settings,
) -> DeputyNamed:
    """Name somebody; the same once more is answered with what stands."""
    person = _whose(command.person_id, work, directory)
    deputy = directory.find(command.deputy_id)
    if deputy.id == person.id:
        raise Invalid("nobody stands in for oneself")
    zone = ZoneInfo(settings.his_timezone)
    represented, standing = await of_person(work, person.id)
    if standing is None or not _is_the_same(standing, command):
        if standing is not None:
            raise ConflictRefused("there is a deputy already; end that first")
        if len(await of_deputy(work, deputy.id)) >= MOST_STOOD_FOR:
            raise ConflictRefused("this colleague stands in for very many already")
        begins_at, ends_at = period(command.begins_on, command.ends_on, work.now, zone)
        standing = Deputation(
            id=new_id(work.now),
            person_id=person.id,
            deputy_id=deputy.id,
            begins_on=command.begins_on,
            ends_on=command.ends_on,
            begins_at=begins_at,
            ends_at=ends_at,
            set_by=work.actor.person_id,
            set_at=work.now,
            turns_at=begins_at if begins_at > work.now else ends_at,
        )
        begin(work, standing, represented, settings.notice_first_seconds * 1000)
        _record(work, "deputies.set", standing)
    [card] = await _cards([standing], work, directory, presence)
    return DeputyNamed(deputation=card)


async def end_deputation(
    command: EndDeputation,
    work: UnitOfWork,
    directory: Directory,
    worklist: Worklist,
    settings: Settings,
) -> Nothing:
    """End it, and take back what stands on the deputy's phone."""
    person = _whose(command.person_id, work, directory)
    _, standing = await of_person(work, person.id)
    if standing is not None:
        ended = end(work, standing, settings.notice_first_seconds * 1000)
        await take_all_back(work, ended, await worklist.seen(person.id))
        _record(work, "deputies.ended", ended)
    return Nothing()


def _whose(person_id: str, work: UnitOfWork, directory: Directory) -> Person:
    """Whom a command is about. Raises Forbidden, NotFound."""
    if person_id not in ("", work.actor.person_id) and not work.actor.has(Role.SYSTEM_ADMIN):
        raise Forbidden("only an administrator does this for somebody else")
    return directory.find(person_id or work.actor.person_id)


def _is_the_same(standing: Deputation, command: NameDeputy) -> bool:
    return (standing.deputy_id, standing.begins_on, standing.ends_on) == (
        command.deputy_id,
        command.begins_on,
        command.ends_on,
    )


def _record(work: UnitOfWork, action: str, one: Deputation) -> None:
    work.record(
        action,
        one.person_id,
        deputation=one.id,
        deputy=one.deputy_id,
        begins_on=one.begins_on,
        ends_on=one.ends_on,
    )


async def _cards(
    shown: list[Deputation], work: UnitOfWork, directory: Directory, presence: Presence
) -> list[DeputationCard]:
    online = await presence.online({id for one in shown for id in (one.person_id, one.deputy_id)})
    return [_card(one, work.now, directory, online) for one in shown]


def _card(one: Deputation, now: int, directory: Directory, online: set[str]) -> DeputationCard:
    person, deputy = directory.people((one.person_id, one.deputy_id))
    by = directory.person(one.set_by) if one.set_by != one.person_id else None
    return DeputationCard(
        deputation_id=one.id,
        person=card_of(person, directory, online=person.id in online),
        deputy=card_of(deputy, directory, online=deputy.id in online),
        begins_on=one.begins_on,
        ends_on=one.ends_on,
        begins_at=one.begins_at,
        ends_at=one.ends_at,
        holds=one.holds(now),
        set_by_name=by.name if by is not None else "",
    )
