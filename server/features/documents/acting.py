"""Acting on a document from a page.

The document is opened afresh and everything is held against it; then the floor keeps the act and tells the OA
(`server.acting.acts`). A command waits for that three seconds; the telling goes on in a task of `Telling`, so
the page may be left. Until the act is kept nothing has happened, and leaving means that nothing will.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from server.acting.acts import Acts, Said
from server.acting.documents import Act as KeptAct
from server.acting.plain_yes import PlainYes
from server.acting.verdict import is_waiting
from server.auth import Actor
from server.clock import Clock
from server.directory import Directory
from server.errors import Busy, ConflictRefused, Invalid, Refused, Unavailable
from server.features.documents.commands import oa_user_of
from server.features.documents.filling import Filling
from server.features.documents.protocol import Act, Acted
from server.features.documents.shown import seen_of
from server.features.documents.words import OAAway, refused_by
from server.integrations.oa import OAError
from server.integrations.oa.documents import Documents, OpenedDocument, Submission
from server.settings import Settings
from server.storage import refusing
from server.work import SystemWork, UnitOfWork

WAIT_S: Final = 3.0
OPEN_S: Final = 6.0
"""Pages give up a command after some seconds; by then it has to be certain that nothing was done."""
MOST_AT_ONCE: Final = 500
END_WITHIN_S: Final = 4.0

log = logging.getLogger(__name__)


class Telling:
    """Owns the acts that are being told on this node."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[KeptAct]] = set()

    async def wait(self, telling: Coroutine[Any, Any, KeptAct], wait_s: float) -> KeptAct | None:
        """What it came to within the time; None: it goes on."""
        if len(self._tasks) >= MOST_AT_ONCE:
            telling.close()
            raise Busy("too many people act at this moment; nothing was done", retry_after_ms=2_000)
        task = asyncio.create_task(telling, name="an act in the OA")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait({task}, timeout=wait_s)
        return task.result() if task.done() else None

    def _ended(self, task: asyncio.Task[KeptAct]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(fault := task.exception(), Exception):
            # What was kept before stays asked, and is read back.
            log.info("an act was not told: %s", type(fault).__name__)

    async def close(self) -> None:
        """Let what is being told end; what does not is read back later."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=END_WITHIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


@asynccontextmanager
async def telling() -> AsyncIterator[Telling]:
    """As a service, for the command."""
    made = Telling()
    try:
        yield made
    finally:
        await made.close()


@dataclass(frozen=True, slots=True)
class Door:
    """What stands between a command and the OA."""

    directory: Directory
    oa: Documents
    acts: Acts
    rule: PlainYes

    async def opened(self, oa_user: str, request_id: str) -> OpenedDocument:
        """The document as it is now. Raises Refused: nothing was done."""
        try:
            async with asyncio.timeout(OPEN_S):
                return await self.oa.open_document(oa_user, request_id)
        except OAError as fault:
            raise refused_by(fault) from None
        except TimeoutError:
            raise OAAway("the OA is too slow at this moment; nothing was done") from None

    def has_moved(self, command: Act, opened: OpenedDocument) -> bool:
        """Whether it is not any more what the person decided upon."""
        if command.seen:
            return command.seen != seen_of(opened)
        return not is_waiting(opened)

    def said(self, command: Act, actor: Actor, opened: OpenedDocument, *, after: int) -> Said:
        """What the OA is to be told, if the document as it is now allows it. Raises Refused."""
        self._check_offer(command, opened)
        filling = Filling(opened, self.directory)
        values, rows = filling.values(command.fields), filling.rows(command.rows)
        if command.action not in ("reject", "forward"):
            filling.check_complete(values)
        return Said(
            actor=actor,
            client_id=command.client_id,
            via="page",
            submission=Submission(command.action, command.opinion, values, rows),
            to_people=tuple(dict.fromkeys(command.to)),
            to=self._recipients(command, actor),
            after=after,
        )

    def _check_offer(self, command: Act, opened: OpenedDocument) -> None:
        if command.action not in opened.actions:
            raise Invalid("the OA does not offer this for this document now")
        if not command.seen:
            is_plain = command.action == "approve" and not (command.fields or command.rows)
            if not is_plain or not _is_as_listed(command, opened) or not self.rule.is_all(opened):
                raise ConflictRefused("this document wants more than a yes; open it")
        if command.action == "forward":
            if command.fields or command.rows:
                raise Invalid("who forwards a document changes nothing in it")
            return
        if command.to:
            raise Invalid("only what is forwarded goes to people of one's choice")
        if "opinion" in opened.demands and not command.opinion.strip():
            raise Invalid("this step asks for an opinion")
        if "affirmation" in opened.demands and not command.affirmed:
            raise Invalid("this step asks for a second confirmation")

    def _recipients(self, command: Act, actor: Actor) -> tuple[str, ...]:
        if command.action != "forward":
            return ()
        if not command.to:
            raise Invalid("choose to whom it is forwarded")
        users = []
        for person_id in dict.fromkeys(command.to):
            person = self.directory.find(person_id)
            if person_id == actor.person_id:
                raise Invalid("you have this document already")
            if not person.oa_user_id:
                raise Invalid(f"{person.name} has no account in the OA")
            users.append(person.oa_user_id)
        return tuple(users)


def _is_as_listed(command: Act, opened: OpenedDocument) -> bool:
    """Whether it is at the step, and under the title, at which a list showed it; as far as a list said."""
    return command.listed_title in ("", opened.title) and command.listed_node in (
        "",
        opened.node,
        opened.status,
    )


async def act(
    command: Act,
    work: UnitOfWork,
    directory: Directory,
    clock: Clock,
    settings: Settings,
    oa: Documents,
    acts: Acts,
    telling: Telling,
    system: SystemWork,
) -> Acted:
    """Once for each client id of a person, whatever happens on the way."""
    person_id = work.actor.person_id
    known = await acts.by_client(person_id, command.client_id)
    if known is None:
        door = Door(directory, oa, acts, PlainYes(settings))
        try:
            known = await _told(command, work.actor, door, clock, telling)
        except Refused as refused:
            await _record_refused(command, work.actor, refused, system)
            raise
        known = known or await acts.by_client(person_id, command.client_id)
    if known is None:
        raise Unavailable("this cannot be kept at this moment; look again before you repeat it")
    if (known.request_id, known.action) != (command.request_id, command.action):
        raise ConflictRefused("this client_id was used for something else; use a new one")
    return Acted(act=known.card)


async def _told(
    command: Act, actor: Actor, door: Door, clock: Clock, telling: Telling
) -> KeptAct | None:
    """The act once it is kept; None when it takes longer. Raises Refused: nothing was done."""
    began = clock.monotonic()
    acts, oa_user = door.acts, oa_user_of(actor, door.directory)
    # Before it is opened: what is done meanwhile does not show in the opening.
    last = await acts.last(actor.person_id, command.request_id)
    opened = await door.opened(oa_user, command.request_id)
    if last is not None:
        await acts.conclude(last, opened, oa_user)
    if door.has_moved(command, opened):
        submission = Submission(command.action, command.opinion)
        said = Said(actor, command.client_id, "page", submission)
        return await acts.put_aside(oa_user, opened, said)
    said = door.said(command, actor, opened, after=0 if last is None else last.number)
    rest_s = max(0.5, WAIT_S - (clock.monotonic() - began))
    return await telling.wait(acts.tell(oa_user, opened, said), rest_s)


async def _record_refused(command: Act, actor: Actor, refused: Refused, system: SystemWork) -> None:
    """Who wanted to do what, and why nothing came of it: no act is kept of that."""

    async def record(work: UnitOfWork) -> None:
        work.record(
            "documents.not_acted",
            command.request_id,
            did=command.action,
            via="page",
            why=refused.code,
        )

    with refusing():
        await system.do(record, actor)
