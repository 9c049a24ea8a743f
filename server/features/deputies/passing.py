"""Passing documents on: what arrives for somebody is told to whoever stands in for that person.

It happens in the unit of work that keeps the changed list, so whatever is kept was passed on. A deputy's
own deputy gets nothing of it: only what arrives for a person oneself is passed on.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from server.features.deputies.documents import Deputation, PassedOn, passed_on_id
from server.features.deputies.standing import of_person, tell
from server.integrations.oa import Item
from server.integrations.oa.mirror import Seen
from server.settings import Settings
from server.work import UnitOfWork

KIND = "deputed"


class Passing:
    """Keeps the promise of `todos.arrivals.Follower`."""

    def __init__(self, settings: Settings) -> None:
        self._due_in_ms = settings.notice_first_seconds * 1000

    async def __call__(
        self, work: UnitOfWork, person_id: str, arrived: Sequence[Item], gone: Sequence[str]
    ) -> None:
        _, deputation = await of_person(work, person_id)
        if deputation is None or not deputation.holds(work.now):
            return
        deputy = deputation.deputy_id
        came = [passed_on_id(deputy, item.request_id) for item in arrived]
        went = [passed_on_id(deputy, request_id) for request_id in gone]
        known = await work.get_many(PassedOn, [*came, *went])
        for id, item in zip(came, arrived, strict=True):
            self._pass_on(work, deputation, item, known.get(id))
        for id in went:
            # What waits for another one here as well is still the deputy's.
            if id in known and known[id].person_id == person_id:
                take_back(work, known[id])
        tell(work, deputy)

    def _pass_on(
        self, work: UnitOfWork, deputation: Deputation, item: Item, known: PassedOn | None
    ) -> None:
        if known is not None:
            self._pass_on_again(work, deputation, known)
            return
        passed = PassedOn(
            id=passed_on_id(deputation.deputy_id, item.request_id),
            deputation_id=deputation.id,
            deputy_id=deputation.deputy_id,
            person_id=deputation.person_id,
            request_id=item.request_id,
            title=item.title,
            creator_name=item.creator_name,
            arrived_at=work.now,
            is_urgent=item.urgency == "urgent",
        )
        work.put(passed)
        work.owe(KIND, passed.id, due_in_ms=self._due_in_ms)

    def _pass_on_again(self, work: UnitOfWork, deputation: Deputation, known: PassedOn) -> None:
        again = replace(
            known, gone_at=None, deputation_id=deputation.id, person_id=deputation.person_id
        )
        if known.gone_at is not None and known.notified == 0:
            # It went before the deputy was told, and what was owed went with it.
            again = replace(again, arrived_at=work.now)
            work.owe(KIND, known.id, due_in_ms=self._due_in_ms)
        work.put(again)


def take_back(work: UnitOfWork, passed: PassedOn) -> None:
    """It waits no more, or not for this deputy: nothing is owed, and a card on a phone is over."""
    if passed.gone_at is None:
        work.put(replace(passed, gone_at=work.now))
        work.withdraw(KIND, passed.id)


async def take_all_back(work: UnitOfWork, deputation: Deputation, seen: Seen | None) -> None:
    """A deputation has ended: what was told of it and still waits is over for the deputy."""
    ids = [passed_on_id(deputation.deputy_id, id) for id in (seen.request_ids if seen else ())]
    for passed in (await work.get_many(PassedOn, ids)).values():
        if passed.deputation_id == deputation.id:
            take_back(work, passed)
