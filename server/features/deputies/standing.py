"""Who stands in for whom: read, begun, ended. Nothing here knows of documents."""

from typing import Final

from msgspec.structs import replace

from realtime.channel import person_channel
from server.features.deputies.documents import Deputation, Represented
from server.features.deputies.protocol import DeputiesChanged
from server.work import UnitOfWork

CHANGED_KEY: Final = "deputies.changed"
KIND: Final = "deputy"
MOST_STOOD_FOR: Final = 20
"""People that one may stand in for at a time."""


async def of_person(
    work: UnitOfWork, person_id: str
) -> tuple[Represented | None, Deputation | None]:
    """Somebody's deputation that is not over, and the document by which there is one at a time."""
    newest = await work.get(Represented, person_id)
    if newest is None:
        return None, None
    deputation = await work.get(Deputation, newest.deputation_id)
    if deputation is None or deputation.is_over(work.now):
        return newest, None
    return newest, deputation


async def of_deputy(work: UnitOfWork, deputy_id: str) -> list[Deputation]:
    """For whom somebody stands in, now or later; the first to end comes first."""
    return await work.query(Deputation, "deputy", deputy_id, gt=work.now, limit=MOST_STOOD_FOR + 5)


def begin(
    work: UnitOfWork, deputation: Deputation, represented: Represented | None, due_ms: int
) -> None:
    """Keep a new one; `represented` is as it was read."""
    newest = Represented(id=deputation.person_id, deputation_id=deputation.id)
    work.put(newest if represented is None else replace(represented, deputation_id=deputation.id))
    work.put(deputation)
    work.owe(KIND, deputation.id, due_in_ms=due_ms)
    tell(work, deputation.person_id, deputation.deputy_id)


def end(work: UnitOfWork, deputation: Deputation, due_ms: int) -> Deputation:
    """End it now, before its time."""
    ended = replace(
        deputation,
        ends_at=work.now,
        turns_at=None,
        ended_by=work.actor.person_id,
        news=deputation.news + 1,
    )
    work.put(ended)
    work.owe(KIND, deputation.id, due_in_ms=due_ms)
    tell(work, deputation.person_id, deputation.deputy_id)
    return ended


def tell(work: UnitOfWork, *people: str) -> None:
    """Let the pages of these people ask again."""
    for person_id in people:
        work.append(person_channel(person_id), DeputiesChanged(at=work.now), key=CHANGED_KEY)
