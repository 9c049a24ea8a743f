"""The postman: brings mails to their recipients and takes recalled ones back, some people at a time.

What is under way is in the store, written with the mail or its recall, so a kill at any moment loses
nothing: whoever starts next goes on. A portion is one unit of work, with the copies, the mailboxes, what
is told and owed, and how far the delivery has come; it is there whole or not at all. A recall removes the
delivery in the version read, so a portion that crosses it finds that nothing is left to do. Deliveries
take turns, so that a mail to everybody does not hold up one to a colleague.

Run by the node that leads, for as long as it does; stopping abandons the portion under way, which is
safe. Where several nodes serve, what others left is looked for every second.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from msgspec.structs import replace

from server.directory import Directory
from server.features.mail.documents import Copy, Delivery, Mail, copy_id, received_copy
from server.features.mail.mailbox import Change, change_mailboxes, row_of
from server.nodes import Leader
from server.settings import Settings
from server.storage import Store
from server.work import SystemWork, UnitOfWork

log = logging.getLogger(__name__)

PORTION: Final = 50
"""People at a time: a few milliseconds of the event loop."""
MOST_AT_ONCE: Final = 500
"""Deliveries that take turns; more wait for the first to end."""
RETRY_S: Final = 2.0
LOOK_S: Final = 1.0


class Postman:
    """Wakes up when something was left for it, and at the start."""

    def __init__(
        self,
        store: Store,
        system: SystemWork,
        directory: Directory,
        settings: Settings,
        *,
        portion: int = PORTION,
        look_s: float = math.inf,
    ) -> None:
        self._store = store
        self._system = system
        self._directory = directory
        self._portion_size = portion
        self._look_s = look_s
        self._due_in_ms = settings.notice_first_seconds * 1000
        self._woken = asyncio.Event()
        self._quiet = asyncio.Event()

    def wake(self) -> None:
        """Something was left in the store."""
        self._quiet.clear()
        self._woken.set()

    async def quiet(self) -> None:
        """Wait until everything left so far was delivered and told."""
        await self._quiet.wait()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._woken.clear()
            wait_s = self._look_s
            if not await self.deliver():
                wait_s = RETRY_S
            elif not self._woken.is_set():
                self._quiet.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s if math.isfinite(wait_s) else None):
                    await self._woken.wait()

    async def deliver(self) -> bool:
        """A portion of each delivery in turn until none is left. False: something failed and is left."""
        failed: set[str] = set()
        while True:
            try:
                docs = await self._store.scan(Delivery.collection.name, limit=MOST_AT_ONCE)
            except Exception:
                log.exception("what mail is under way cannot be read")
                return False
            waiting = [doc["_id"] for doc in docs if doc["_id"] not in failed]
            if not waiting:
                return not failed
            for id in waiting:
                if not await self._try(id):
                    failed.add(id)

    async def _try(self, id: str) -> bool:
        try:
            await self._system.do(lambda work: self._portion(work, id))
        except Exception:
            log.exception("a mail was not delivered; it stays under way", extra={"delivery": id})
            return False
        return True

    async def _portion(self, work: UnitOfWork, id: str) -> None:
        delivery = await work.get(Delivery, id)
        if delivery is None:
            return
        mail = await work.find(Mail, delivery.mail_id)
        carry = self._bring if delivery.kind == "send" else self._take_back
        further = await carry(work, delivery, mail)
        if further is None:
            work.delete(delivery)
        else:
            work.put(further)

    async def _bring(self, work: UnitOfWork, delivery: Delivery, mail: Mail) -> Delivery | None:
        """Copies for the next people; what is left to do then."""
        people = delivery.left[: self._portion_size]
        left = delivery.left[self._portion_size :]
        there = await work.get_many(Copy, [copy_id(person_id, mail.id) for person_id in people])
        copies = [
            received_copy(mail, person_id, work.now)
            for person_id in people
            if copy_id(person_id, mail.id) not in there and self._works_here(person_id)
        ]
        for copy in copies:
            work.insert(copy)
        if copies:
            await change_mailboxes(work, [_arrival(copy, mail) for copy in copies])
            work.owe("mail", mail.id, due_in_ms=self._due_in_ms)
        return replace(delivery, left=left) if left else None

    def _works_here(self, person_id: str) -> bool:
        person = self._directory.person(person_id)
        return person is not None and not person.is_retired

    async def _take_back(self, work: UnitOfWork, delivery: Delivery, mail: Mail) -> Delivery | None:
        """Remove the next people's copies that were not read, and mark the others; what is left then."""
        size = self._portion_size
        copies = await work.query(Copy, "mail", mail.id, gt=delivery.after, limit=size)
        received = [copy for copy in copies if copy.box == "in"]
        for copy in received:
            if copy.read_at is None:
                work.delete(copy)
        changes = [_recall(copy, mail) for copy in received if copy.order is not None]
        if changes:
            await change_mailboxes(work, changes)
        return replace(delivery, after=copies[-1].person_id) if len(copies) == size else None


def _arrival(copy: Copy, mail: Mail) -> Change:
    return Change(copy.person_id, mail.thread_id, unread_by=1, held_by=1, row=row_of(copy, mail))


def _recall(copy: Copy, mail: Mail) -> Change:
    """Gone for whoever has not read it; whoever has keeps it and is told."""
    if copy.read_at is not None:
        return Change(copy.person_id, mail.thread_id, row=row_of(copy, mail))
    return Change(copy.person_id, mail.thread_id, unread_by=-1, held_by=-1, gone=[mail.id])


@asynccontextmanager
async def delivering(
    store: Store, system: SystemWork, directory: Directory, settings: Settings, leader: Leader
) -> AsyncIterator[Postman]:
    """The postman, at work while the context lasts and this node leads."""
    look_s = math.inf if leader.is_alone else LOOK_S
    postman = Postman(store, system, directory, settings, look_s=look_s)
    async with leader.keep("mail delivery", postman.run):
        yield postman
