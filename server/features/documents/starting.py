"""What a person may do to start a document: find its form, type, keep what was typed, send it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from server.clock import Millis
from server.directory import Directory
from server.errors import TooLarge
from server.features.documents.protocol import (
    BlankCard,
    DraftKept,
    KeepDraft,
    KindCard,
    Kinds,
    ListKinds,
    OpenBlank,
    Start,
    Started,
)
from server.features.documents.starting_kinds import StartKinds
from server.features.documents.starting_once import Starting
from server.features.documents.starting_records import Begun, StartDraft, draft_id
from server.features.documents.values import field_card, table_card
from server.features.documents.words import refused_start
from server.integrations.oa import OAError
from server.integrations.oa.documents import Documents
from server.work import UnitOfWork

MOST_DRAFTS: Final = 50
"""Of one person; the oldest goes."""
DRAFT_BYTES: Final = 60_000
SHOWN_AFTER_END_MS: Final = 10 * 60_000


async def list_kinds(
    command: ListKinds, work: UnitOfWork, kinds: StartKinds, starting: Starting
) -> Kinds:
    """What the actor may start, those used last first."""
    person_id = work.actor.person_id
    with _asking():
        known = await kinds.of(person_id, starting.oa_user(person_id), fresh=command.fresh)
    used: dict[str, Millis] = {}
    for begun in await work.query(Begun, "person", person_id, reverse=True, limit=200):
        if begun.state != "refused":
            used.setdefault(begun.workflow_id, begun.asked_at)
    drafts = {
        one.workflow_id: one.at
        for one in await work.query(StartDraft, "person", person_id, limit=MOST_DRAFTS)
    }
    cards = [
        KindCard(
            workflow_id=one.workflow_id,
            name=one.name,
            category=one.category,
            used_at=used.get(one.workflow_id),
            draft_at=drafts.get(one.workflow_id),
        )
        for one in known.kinds
    ]
    cards.sort(key=lambda card: -(card.used_at or 0))
    return Kinds(kinds=cards, as_of=known.as_of, stale=known.stale)


async def open_blank(
    command: OpenBlank,
    work: UnitOfWork,
    starting: Starting,
    documents: Documents,
    directory: Directory,
) -> BlankCard:
    """A fresh form from the OA, and what the actor has typed into it before."""
    person_id, workflow_id = work.actor.person_id, command.workflow_id
    with _asking():
        blank = await documents.blank(starting.oa_user(person_id), workflow_id)
    draft = await work.get(StartDraft, draft_id(person_id, workflow_id))
    begun = await starting.latest(person_id, workflow_id)
    return BlankCard(
        workflow_id=blank.workflow_id,
        kind=blank.kind,
        title=blank.title,
        fields=[field_card(one, directory) for one in blank.fields],
        tables=[table_card(one, directory) for one in blank.tables],
        draft=None if draft is None else draft.card,
        draft_at=None if draft is None else draft.at,
        started=begun.card if begun is not None and _is_news(begun, work.now) else None,
    )


def _is_news(begun: Begun, now: Millis) -> bool:
    return begun.is_open or now - (begun.ended_at or begun.asked_at) < SHOWN_AFTER_END_MS


async def keep_draft(command: KeepDraft, work: UnitOfWork) -> DraftKept:
    """Keep what was typed, whatever was kept before."""
    person_id = work.actor.person_id
    id = draft_id(person_id, command.workflow_id)
    kept = await work.query(StartDraft, "person", person_id, limit=MOST_DRAFTS + 1)
    if command.draft is None:
        for one in kept:
            if one.id == id:
                work.delete(one, unchanged=False)
        return DraftKept(draft_at=None)
    said = msgspec.json.encode(command.draft)
    if len(said) > DRAFT_BYTES:
        raise TooLarge("this form holds more than can be kept or sent from here")
    others = [one for one in kept if one.id != id]
    for oldest in others[: max(0, len(others) - MOST_DRAFTS + 1)]:
        work.delete(oldest, unchanged=False)
    work.overwrite(
        StartDraft(
            id=id,
            person_id=person_id,
            workflow_id=command.workflow_id,
            at=work.now,
            said=said.decode(),
        )
    )
    return DraftKept(draft_at=work.now)


async def start(command: Start, work: UnitOfWork, starting: Starting) -> Started:
    """Start it; the work is the service's own, because it goes on when this is answered."""
    if len(msgspec.json.encode(command.draft)) > DRAFT_BYTES:
        raise TooLarge("this form holds more than can be kept or sent from here")
    begun = await starting.start(work.actor, command)
    return Started(start=begun.card)


@contextmanager
def _asking() -> Iterator[None]:
    """The OA's failures, for whoever waits for its answer."""
    try:
        yield
    except OAError as fault:
        raise refused_start(fault) from None
