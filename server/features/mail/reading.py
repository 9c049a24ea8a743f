"""Reading mail: lists, numbers, a thread with its texts, who has read one's own, and search."""

from collections.abc import Sequence

from msgspec.structs import replace

from server.directory import Directory
from server.directory.audience import Audience
from server.errors import Forbidden
from server.features.mail.documents import Copy, MailBody, copy_id
from server.features.mail.holding import Held, held, newest_of_thread, with_mails
from server.features.mail.keeping import see
from server.features.mail.mailbox import (
    change_mailboxes,
    count_readers,
    count_thread,
    count_unread,
    revision_of,
    row_of,
)
from server.features.mail.protocol import (
    CountMail,
    ListMail,
    ListMailReaders,
    MailCount,
    MailFound,
    MailPage,
    MailReader,
    MailReaders,
    MailRow,
    MailShown,
    OpenedMail,
    OpenMail,
    SearchMail,
)
from server.work import UnitOfWork

THREAD_PAGE = 50
TEXT_BUDGET = 100_000
"""Characters of text in one answer besides the mail asked for."""
NAMED_IN_THREAD = 20
MOST_READERS = 200
SEARCHED = 5_000
"""A person's newest mails, which are searched."""


async def list_mail(command: ListMail, work: UnitOfWork) -> MailPage:
    """A page of the inbox or of what was sent. The revision is read first: what changes meanwhile is told
    under a greater one."""
    person_id = work.actor.person_id
    revision = await revision_of(work, person_id)
    unread = await count_unread(work, person_id)
    copies = await _page(command, work)
    page = copies[: command.limit]
    more = len(copies) > command.limit
    return MailPage(
        rows=await _rows(work, await with_mails(work, page)),
        before=page[-1].order if more else None,
        unread=unread,
        revision=revision,
    )


async def _page(command: ListMail, work: UnitOfWork) -> list[Copy]:
    person_id, before, limit = work.actor.person_id, command.before, command.limit + 1
    if command.unread_only and command.box == "inbox":
        return await work.query(Copy, "unread", person_id, lt=before, reverse=True, limit=limit)
    box = "in" if command.box == "inbox" else "out"
    return await work.query(Copy, "box", person_id, box, lt=before, reverse=True, limit=limit)


async def _rows(work: UnitOfWork, found: Sequence[Held]) -> list[MailRow]:
    person_id = work.actor.person_id
    threads = dict.fromkeys(each.mail.thread_id for each in found)
    counts = {thread: await count_thread(work, person_id, thread) for thread in threads}
    return [row_of(e.copy, e.mail, held=counts[e.mail.thread_id]) for e in found]


async def count_mail(command: CountMail, work: UnitOfWork) -> MailCount:
    """How many are unread."""
    person_id = work.actor.person_id
    revision = await revision_of(work, person_id)
    return MailCount(unread=await count_unread(work, person_id), revision=revision)


async def open_mail(command: OpenMail, work: UnitOfWork, directory: Directory) -> OpenedMail:
    """A mail within its thread, and both are read from now on as far as their texts are shown."""
    asked = await held(work, command.mail_id)
    thread_id, before = asked.mail.thread_id, command.before
    copies = await newest_of_thread(work, thread_id, THREAD_PAGE + 1, before=before)
    page = copies[:THREAD_PAGE]
    if before is None and asked.copy.id not in {copy.id for copy in page}:
        page.append(asked.copy)
    thread = await with_mails(work, page)
    texts = await _texts(work, thread, asked.mail.id)
    seen = see(work, [each for each in thread if each.mail.id in texts])
    if seen is not None:
        await change_mailboxes(work, [seen])
    count = await count_thread(work, work.actor.person_id, thread_id)
    return OpenedMail(
        thread_id=thread_id,
        mails=[await _shown(work, each, texts, count) for each in reversed(thread)],
        has_earlier=len(copies) > THREAD_PAGE,
        to=_still_here(asked.mail.to, directory),
    )


async def _texts(work: UnitOfWork, thread: Sequence[Held], asked: str) -> dict[str, str]:
    """The text of the mail asked for, and of as many others, newest first, as one answer may carry."""
    room, wanted = TEXT_BUDGET, []
    for each in thread:
        if each.mail.id != asked:
            room -= each.mail.length
        if room >= 0 or each.mail.id == asked:
            wanted.append(each.mail.id)
    bodies = await work.get_many(MailBody, wanted)
    return {id: body.text for id, body in bodies.items()}


async def _shown(work: UnitOfWork, each: Held, texts: dict[str, str], count: int) -> MailShown:
    mail, is_mine = each.mail, each.copy.box == "out"
    row = row_of(each.copy, mail, held=count, named=NAMED_IN_THREAD)
    return MailShown(
        row=replace(row, is_read=row.is_read or mail.id in texts),
        text=texts.get(mail.id),
        is_new=not row.is_read,
        read_count=await count_readers(work, mail) if is_mine else None,
    )


def _still_here(to: Audience, directory: Directory) -> Audience:
    people = directory.people(to.person_ids)
    departments = [id for id in to.department_ids if directory.department(id) is not None]
    return replace(
        to,
        department_ids=tuple(departments),
        person_ids=tuple(person.id for person in people if not person.is_retired),
    )


async def list_readers(command: ListMailReaders, work: UnitOfWork) -> MailReaders:
    """Who has read a mail of one's own, the first readers first."""
    mail = (await held(work, command.mail_id)).mail
    if mail.sender_id != work.actor.person_id:
        raise Forbidden("only its sender sees who has read a mail")
    copies = await work.query(Copy, "readers", mail.id, limit=MOST_READERS)
    return MailReaders(
        recipient_count=mail.recipient_count,
        read_count=await count_readers(work, mail),
        readers=[
            MailReader(person_id=copy.person_id, read_at=copy.read_at)
            for copy in copies
            if copy.read_at is not None
        ],
    )


async def search_mail(command: SearchMail, work: UnitOfWork) -> MailFound:
    """Words in the actor's own mails, newest first. The mails held are part of the question, so nothing
    of anybody else's can change the answer."""
    person_id = work.actor.person_id
    copies = await work.query(Copy, "person", person_id, reverse=True, limit=SEARCHED + 1)
    scopes = {copy.mail_id: 0 for copy in copies[:SEARCHED]}
    found = await work.store.search(
        MailBody.collection.name,
        command.text,
        scopes,
        before=command.before,
        limit=command.limit + 1,
    )
    page = found[: command.limit]
    ids = [copy_id(person_id, doc["_id"]) for doc in page]
    mine = await work.get_many(Copy, ids)
    return MailFound(
        rows=await _rows(work, await with_mails(work, [mine[id] for id in ids if id in mine])),
        before=page[-1]["_rank"] if len(found) > command.limit else None,
        older_left_out=len(copies) > SEARCHED,
    )
