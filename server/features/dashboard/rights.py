"""Who may look at which figures: leaders at all of them, everybody else at departments they have a post
in. Channels are checked when watching begins; posts change only while the server is down."""

from typing import Final

from server.auth import Actor, Role
from server.directory import Department, Person
from server.errors import NotFound
from server.work import UnitOfWork

FAMILY: Final = "dashboard"
HOSPITAL: Final = "hospital"
SOURCE: Final = "source"
RESERVED: Final = frozenset({HOSPITAL, SOURCE})
"""What cannot be the id of a department with figures: a channel and a key are called so."""

UNKNOWN: Final = "there is no such department among those you may look at"


def channel_of(department_id: str) -> str:
    """The state channel of a department's figures, or the hospital's."""
    return f"{FAMILY}:{department_id}"


def sees_all(actor: Actor) -> bool:
    """Whether the actor may look at every department."""
    return actor.has(Role.LEADER)


async def own_departments(work: UnitOfWork) -> frozenset[str]:
    """The departments in which the actor has a post."""
    person = await work.get(Person, work.actor.person_id)
    return frozenset(post.department_id for post in person.posts) if person else frozenset()


async def check_department(work: UnitOfWork, department_id: str) -> None:
    """Raises NotFound for a department that is not there, and just so for one that is not the actor's."""
    if department_id in RESERVED:
        raise NotFound(UNKNOWN)
    if sees_all(work.actor):
        if await work.get(Department, department_id) is None:
            raise NotFound(UNKNOWN)
    elif department_id not in await own_departments(work):
        raise NotFound(UNKNOWN)


async def check_watching(work: UnitOfWork, channel: str) -> None:
    """Whether the actor may watch a channel of figures. Raises NotFound."""
    scope = channel.partition(":")[2]
    if scope == HOSPITAL and sees_all(work.actor):
        return
    await check_department(work, scope)
