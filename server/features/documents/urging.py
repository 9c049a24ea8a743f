"""Reminding (催办): who started a document, or has dealt with it, asks whoever holds it now to get on.

The OA says both who may see the document and, by names alone, who holds it. A name becomes a person only
where the document is on that person's list as the mirror saw it: two people may share a name, and nobody
is told of a document that is not theirs. Who cannot be told is named, not passed over in silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from server.directory import Directory
from server.errors import Forbidden
from server.features.documents.protocol import HolderCard, Urged, UrgeHolders
from server.features.documents.words import no_account, refused_by
from server.integrations.oa import OAError
from server.integrations.oa.documents import Documents, OpenedDocument
from server.integrations.oa.mirror import Worklist
from server.notify.reminders import Held, remind, weigh
from server.settings import Settings
from server.work import UnitOfWork


async def urge_holders(
    command: UrgeHolders,
    work: UnitOfWork,
    directory: Directory,
    documents: Documents,
    worklist: Worklist,
    settings: Settings,
) -> Urged:
    """Remind everybody who holds it and whom the limits allow."""
    actor = directory.find(work.actor.person_id)
    if not actor.oa_user_id:
        raise no_account()
    try:
        opened = await documents.open_document(actor.oa_user_id, command.request_id)
    except OAError as fault:
        raise refused_by(fault) from None
    if not await _may_ask(opened, actor.id, actor.oa_user_id, worklist):
        raise Forbidden("only who started it or has dealt with it")
    named = await holders_of(opened, actor.id, directory, worklist)
    reached = [one for holder in named for one in holder.held]
    outcomes = await remind(
        work,
        reached,
        by_name=actor.name,
        words=command.words.strip(),
        zone=ZoneInfo(settings.his_timezone),
        due_ms=settings.notice_first_seconds * 1000,
    )
    told = [held.holder_id for held, one in zip(reached, outcomes, strict=True) if one.is_told]
    if told:
        work.record("documents.urged", command.request_id, holders=told)
    cards = [
        HolderCard(
            person_id=held.holder_id,
            name=directory.find(held.holder_id).name,
            state=outcome.state,
            not_before=outcome.not_before,
        )
        for held, outcome in zip(reached, outcomes, strict=True)
    ]
    unknown = [_unreachable(holder.name) for holder in named if not holder.held]
    return Urged(holders=[*cards, *unknown])


def _unreachable(name: str) -> HolderCard:
    return HolderCard(person_id=None, name=name, state="unreachable", not_before=None)


async def may_urge(
    opened: OpenedDocument,
    work: UnitOfWork,
    directory: Directory,
    worklist: Worklist,
    settings: Settings,
) -> bool:
    """For `OpenedCard.may_urge`: whether a reminder of the actor's would reach anybody now."""
    actor = directory.find(work.actor.person_id)
    if not await _may_ask(opened, actor.id, actor.oa_user_id, worklist):
        return False
    zone = ZoneInfo(settings.his_timezone)
    for holder in await holders_of(opened, actor.id, directory, worklist):
        for held in holder.held:
            if (await weigh(work, held, zone)).is_told:
                return True
    return False


@dataclass(frozen=True, slots=True)
class Holder:
    """A name the OA gives, and the people here whom it means; none: they cannot be told."""

    name: str
    held: Sequence[Held]


async def holders_of(
    opened: OpenedDocument, actor_id: str, directory: Directory, worklist: Worklist
) -> list[Holder]:
    """Everybody else who has it now."""
    found = []
    for step in (step for step in opened.steps if step.state == "current"):
        for name in dict.fromkeys(step.holders):
            held = []
            for person_id in directory.named(name):
                seen = await worklist.seen(person_id)
                items = seen.items if seen is not None else ()
                mine = next((i for i in items if i.request_id == opened.request_id), None)
                if mine is not None:
                    held.append(Held(person_id, opened.request_id, mine.received_at or step.since))
            if not any(one.holder_id == actor_id for one in held):
                found.append(Holder(name, held))
    return found


async def _may_ask(
    opened: OpenedDocument, person_id: str, oa_user: str, worklist: Worklist
) -> bool:
    """Whether the OA shows that this person started it, or is done with it, and it still runs."""
    if not any(step.state == "current" and step.holders for step in opened.steps):
        return False
    if opened.creator == oa_user or opened.acted_at(oa_user):
        return True
    done = await worklist.read(person_id, "done", 1, max_age_s=60.0)
    return any(item.request_id == opened.request_id for item in done.items)
