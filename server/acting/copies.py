"""Copies that were circulated to people, and since when each is known to be read: for the read rate only.

One small record per person and document, made when a list that holds it is first looked at: by the tour of
the node that leads, or by the person here. What somebody opens or marks as read here counts at once.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from server.clock import Millis
from server.days import HospitalDays
from server.directory import Directory
from server.integrations.oa import Item
from server.settings import Settings
from server.storage import Collection, Index
from server.storage.document import Document
from server.work import UnitOfWork

FOLLOWED_MS: Final = 30 * 86_400_000
"""A copy is followed so long after it came."""


class Copy(Document, frozen=True):
    """A copy of one person. `received_at` is when the OA says that it came, or else when it was first seen
    here, `day` that day of the hospital's; `read_at` is when it was first known to be read."""

    collection: ClassVar[Collection] = Collection(
        "copies",
        indexes=(
            Index("day", ("day", "order")),
            Index("person", ("person_id", "received_at")),
            Index("received_at", ("received_at",)),
        ),
    )

    person_id: str
    request_id: str
    kind: str
    department_id: str
    received_at: Millis
    day: str
    order: str
    """The id again, by which a day is read in portions."""
    read_at: Millis | None = None


def copy_id(person_id: str, request_id: str) -> str:
    """The id of a person's copy."""
    return f"{person_id}:{request_id}"


class Copies:
    """Makes and changes the records, in a unit of work."""

    def __init__(self, settings: Settings, directory: Directory) -> None:
        self._directory = directory
        self._days = HospitalDays(settings.his_timezone)

    async def noted(self, work: UnitOfWork, person_id: str, items: Iterable[Item]) -> None:
        """Follow what lies in a person's list of copies from now on."""
        recent = {
            copy_id(person_id, item.request_id): item
            for item in items
            if item.received_at is None or item.received_at > work.now - FOLLOWED_MS
        }
        known = await work.get_many(Copy, list(recent))
        for id, item in recent.items():
            if id not in known:
                work.put(self.made(person_id, item, work.now))

    def made(self, person_id: str, item: Item, now: Millis, read_at: Millis | None = None) -> Copy:
        """The first record of a copy. An OA whose clock is ahead is not believed."""
        person = self._directory.person(person_id)
        id = copy_id(person_id, item.request_id)
        received_at = min(item.received_at or now, now)
        return Copy(
            id=id,
            person_id=person_id,
            request_id=item.request_id,
            kind=item.kind,
            department_id=person.posts[0].department_id if person and person.posts else "",
            received_at=received_at,
            day=self._days.day(received_at),
            order=id,
            read_at=read_at,
        )


async def read_here(work: UnitOfWork, person_id: str, request_ids: Sequence[str]) -> None:
    """The actor has opened these, or marked them as read: of what is followed, it is known from now on."""
    ids = [copy_id(person_id, one) for one in request_ids]
    for copy in (await work.get_many(Copy, ids)).values():
        if copy.read_at is None:
            # Whatever the tour writes meanwhile: a conflict would have the OA asked again.
            work.patch(Copy, copy.id, read_at=work.now)
