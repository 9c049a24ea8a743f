"""Whom WeCom's group should hold, and the call that brings it closer. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.features.chat.mirror.documents import Call, Mirror, Roll
from server.integrations.wecom import (
    LEAST_MEMBERS,
    CallKind,
    create_request,
    group_name,
    update_request,
)

PORTION: Final = 100
"""Users named in one call; a larger group is filled by several."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A group as it should be in WeCom: the owner first among the users."""

    name: str
    owner: str
    users: tuple[str, ...]
    without_account: int

    @property
    def is_enough(self) -> bool:
        """Whether WeCom would make a group of them."""
        return len(self.users) >= LEAST_MEMBERS


def wanted(
    mirror: Mirror, people: tuple[str, ...], roll: Roll, user_of: Callable[[str], str | None]
) -> Wanted:
    """Members who have an account that can be reached. Where the owner has none, whoever WeCom has as one
    stays it."""
    out = set(roll.left_out)
    users = [user for person in people if (user := user_of(person)) and user not in out]
    users = list(dict.fromkeys(users))
    wishes = (user_of(mirror.owner_id), mirror.told_owner, users[0] if users else "")
    owner = next((user for user in wishes if user in users), "")
    first = [owner] if owner else []
    rest = [user for user in users if user != owner]
    return Wanted(group_name(mirror.title), owner or "", (*first, *rest), len(people) - len(users))


def next_call(mirror: Mirror, roll: Roll, wish: Wanted, call_id: str) -> Call | None:
    """The next call that makes the group or brings it closer to the wish; None when it is so."""
    if not mirror.is_made:
        users = wish.users[:PORTION]
        request = create_request(mirror.chat_id, wish.name, wish.owner, users)
        return _call(call_id, "create", request, wish, users, ())
    there, wished = set(roll.users), set(wish.users)
    adding = tuple(user for user in wish.users if user not in there)[:PORTION]
    removing = tuple(user for user in roll.users if user not in wished)[:PORTION]
    name = "" if mirror.told_name == wish.name else wish.name
    owner = "" if mirror.told_owner == wish.owner else wish.owner
    if not (adding or removing or name or owner):
        return None
    request = update_request(
        mirror.chat_id, name=name, owner=owner, adding=adding, removing=removing
    )
    return _call(call_id, "update", request, wish, adding, removing)


def _call(
    call_id: str,
    kind: CallKind,
    request: bytes,
    wish: Wanted,
    adding: tuple[str, ...],
    removing: tuple[str, ...],
) -> Call:
    return Call(
        id=call_id,
        kind=kind,
        request=request.decode(),
        adding=adding,
        removing=removing,
        name=wish.name,
        owner=wish.owner,
    )
