"""Opening a document, reading on in its log, and taking note of copies."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from server.acting.acts import Acts
from server.acting.copies import read_here
from server.acting.verdict import is_waiting
from server.auth import Actor
from server.clock import Clock
from server.directory import Directory
from server.errors import Invalid
from server.features.documents import urging
from server.features.documents.protocol import (
    CopiesRead,
    ListOpinions,
    OpenDocument,
    OpenedCard,
    Opinions,
    ReadCopies,
)
from server.features.documents.seals import LogNote, Seals
from server.features.documents.shown import Shown
from server.features.documents.words import no_account, refused_by
from server.integrations.oa import OAError
from server.integrations.oa.documents import Documents
from server.integrations.oa.mirror import Worklist
from server.settings import Settings
from server.work import UnitOfWork

MARKED_AT_ONCE = 4
MARK_S = 8.0

log = logging.getLogger(__name__)


def oa_user_of(actor: Actor, directory: Directory) -> str:
    """The actor's own account in the OA. Raises Forbidden."""
    person = directory.find(actor.person_id)
    if not person.oa_user_id:
        raise no_account()
    return person.oa_user_id


async def open_document(
    command: OpenDocument,
    work: UnitOfWork,
    directory: Directory,
    clock: Clock,
    oa: Documents,
    acts: Acts,
    seals: Seals,
    worklist: Worklist,
    settings: Settings,
) -> OpenedCard:
    """Open it in the OA, now and for this person. It says also what became of an act nobody knew of."""
    oa_user = oa_user_of(work.actor, directory)
    try:
        opened = await oa.open_document(oa_user, command.request_id)
    except OAError as fault:
        raise refused_by(fault) from None
    as_of = clock.now()
    await read_here(work, work.actor.person_id, [command.request_id])
    last = await acts.last(work.actor.person_id, command.request_id)
    if last is not None:
        last = await acts.conclude(last, opened, oa_user)
    shown = Shown(work.actor, opened.request_id, opened.workflow_id, directory, seals)
    # Whoever is asked for something has nobody to remind; it also costs questions.
    may_urge = not is_waiting(opened) and await urging.may_urge(
        opened, work, directory, worklist, settings
    )
    return shown.document(opened, as_of, last, may_urge=may_urge)


async def list_opinions(
    command: ListOpinions, work: UnitOfWork, directory: Directory, oa: Documents, seals: Seals
) -> Opinions:
    """Older entries, for whoever was shown the newer ones."""
    oa_user = oa_user_of(work.actor, directory)
    sealed = seals.read(LogNote, command.before)
    if sealed is None or sealed.person_id != work.actor.person_id:
        raise Invalid("open the document again: this place in its log is not known any more")
    note = sealed.note
    if note.request_id != command.request_id:
        raise Invalid("this is a place in another document's log")
    try:
        page = await oa.opinions(oa_user, (note.workflow_id, note.request_id), note.more_before)
    except OAError as fault:
        raise refused_by(fault) from None
    shown = Shown(work.actor, note.request_id, note.workflow_id, directory, seals)
    return Opinions(
        opinions=shown.opinions(page.opinions), more_before=shown.more_before(page.more_before)
    )


async def mark_read(
    command: ReadCopies,
    work: UnitOfWork,
    directory: Directory,
    oa: Documents,
    worklist: Worklist,
) -> CopiesRead:
    """Tell the OA of each, a few side by side, and name those it did not take."""
    oa_user = oa_user_of(work.actor, directory)
    request_ids = list(dict.fromkeys(command.request_ids))
    marked = await _marked(oa, oa_user, request_ids)
    failed = [id for id in request_ids if id not in marked]
    await read_here(work, work.actor.person_id, list(marked))
    worklist.hint([work.actor.person_id])
    work.record(
        "documents.marked_read",
        work.actor.person_id,
        request_ids=[id for id in request_ids if id in marked],
        failed=failed,
    )
    return CopiesRead(failed=failed)


async def _marked(oa: Documents, oa_user: str, request_ids: Sequence[str]) -> set[str]:
    """Those that the OA took within the time a page waits. To mark one twice does no harm."""
    slots = asyncio.Semaphore(MARKED_AT_ONCE)
    marked: set[str] = set()

    async def mark(request_id: str) -> None:
        async with slots:
            try:
                await oa.mark_read(oa_user, request_id)
            except OAError as fault:
                log.info("a copy was not marked as read: %s", fault.kind)
            else:
                marked.add(request_id)

    with suppress(TimeoutError):
        async with asyncio.timeout(MARK_S):
            await asyncio.gather(*map(mark, request_ids))
    return marked
