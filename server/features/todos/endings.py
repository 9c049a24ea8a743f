"""Leaves a record of each coming of a document that is over, in the unit of work that notices it."""

from server.acting.documents import Act
from server.acting.endings import Decision, Ending, How
from server.clock import Millis
from server.days import HospitalDays
from server.directory import Directory
from server.features.todos.documents import Todo
from server.settings import Settings
from server.work import UnitOfWork

OF_ACTS: dict[str, Decision] = {"reject": "rejected", "forward": ""}
"""Whatever else somebody does at a step is a yes."""


class Endings:
    """Who waited, where that person works, since when, and whether it was decided here."""

    def __init__(self, settings: Settings, directory: Directory) -> None:
        self._directory = directory
        self._days = HospitalDays(settings.his_timezone)

    async def leave(self, work: UnitOfWork, todo: Todo, received_at: Millis | None) -> None:
        """Record an end. An OA whose clock is ahead is not believed."""
        person = self._directory.person(todo.person_id)
        id = f"{todo.id}:{todo.comings}"
        first_seen = todo.came_at or todo.arrived_at
        arrived_at = received_at if received_at and received_at <= work.now else first_seen
        how, decision = await _decided(work, todo, arrived_at)
        ending = Ending(
            id=id,
            person_id=todo.person_id,
            request_id=todo.request_id,
            kind=todo.kind,
            department_id=person.posts[0].department_id if person and person.posts else "",
            arrived_at=arrived_at,
            ended_at=work.now,
            day=self._days.day(work.now),
            order=id,
            how=how,
            decision=decision,
        )
        work.overwrite(ending)


async def _decided(work: UnitOfWork, todo: Todo, since: Millis) -> tuple[How, Decision]:
    """By the person's last act on it since it came: also one whose outcome is not known yet, since its
    answer may come later than the news that the document is gone."""
    acts = await work.query(Act, "document", todo.person_id, todo.request_id, reverse=True, limit=1)
    act = acts[0] if acts else None
    if act is None or act.asked_at < since or act.state in ("moved", "refused"):
        return "elsewhere", ""
    return act.via, OF_ACTS.get(act.action, "approved")
