"""A person as others see him or her: what several features show, said once."""

import zlib

import msgspec

from server.directory.directory import Directory
from server.directory.documents import Person


class PersonCard(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a list. `avatar_hue` (0-359) colours the picture that is made of the name."""

    person_id: str
    name: str
    title: str
    department_id: str
    department: str
    avatar_hue: int
    online: bool


def avatar_hue(person_id: str) -> int:
    """A colour that stays with a person."""
    return zlib.crc32(person_id.encode()) % 360


def card_of(person: Person, directory: Directory, *, online: bool, within: str = "") -> PersonCard:
    """The card, showing the post held `within` a department, else the main one."""
    posts = sorted(person.posts, key=lambda post: post.department_id != within)
    post = posts[0] if posts else None
    department = directory.department(post.department_id) if post else None
    return PersonCard(
        person_id=person.id,
        name=person.name,
        title=post.title if post else "",
        department_id=post.department_id if post else "",
        department=department.name if department else "",
        avatar_hue=avatar_hue(person.id),
        online=online,
    )
