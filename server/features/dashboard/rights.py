"""Who may look at which figures: leaders at all of them, everybody else at departments they have a post
in. Channels are checked when watching begins: a post or a role that ends while somebody looks takes the
figures away with the page or the line."""

from typing import Final

from server.auth import Actor, Role
from server.directory import Directory
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


def own_departments(actor: Actor, directory: Directory) -> frozenset[str]:
    """The departments in which the actor has a post."""
    person = directory.person(actor.person_id)
    return frozenset(post.department_id for post in person.posts) if person else frozenset()


def check_department(actor: Actor, department_id: str, directory: Directory) -> None:
    """Raises NotFound for a department that is not there, and just so for one that is not the actor's."""
    if sees_all(actor):
        is_open = directory.department(department_id) is not None
    else:
        is_open = department_id in own_departments(actor, directory)
    if not is_open or department_id in RESERVED:
        raise NotFound(UNKNOWN)


async def check_watching(work: UnitOfWork, channel: str, directory: Directory) -> None:
    """Whether the actor may watch a channel of figures. Raises NotFound."""
    scope = channel.partition(":")[2]
    if not (scope == HOSPITAL and sees_all(work.actor)):
        check_department(work.actor, scope, directory)
