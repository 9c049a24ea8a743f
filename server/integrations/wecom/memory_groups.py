"""Groups in memory: what WeCom would hold and show, for tests of whoever tells it.

It keeps the whole promise: a group is made once whoever repeats it, a message shows as often as it is sent,
and what cannot be is refused by WeCom's number.
"""

import json
from collections.abc import Collection, Iterable
from typing import Any, Final

from server.integrations.wecom import RefusedByWeCom, WeComError
from server.integrations.wecom.groups import (
    LEAST_MEMBERS,
    MOST_MEMBERS,
    SCOPE,
    CallKind,
    GroupState,
)

_UNKNOWN_USER: Final = 40003
_NOT_FOUND: Final = 86003
_SIZE: Final = 86006
_NO_OWNER: Final = 86203
_OWNER_OUTSIDE: Final = 86207
_EXISTS: Final = 86215


class MemoryGroups:
    """The adapter of `GroupChats`. `users` are those WeCom knows, `out_of_scope` some of them whom the app
    may not reach; `failures` are raised one per call, before anything is done."""

    is_there = True

    def __init__(self, users: Collection[str], out_of_scope: Collection[str] = ()) -> None:
        self._users = set(_folded(users))
        self._out = set(_folded(out_of_scope))
        self.groups: dict[str, GroupState] = {}
        self.texts: dict[str, list[str]] = {}
        self.failures: list[WeComError] = []

    async def call(self, kind: CallKind, request: bytes) -> None:
        if self.failures:
            raise self.failures.pop(0)
        body = json.loads(request)
        match kind:
            case "create":
                self._create(body)
            case "update":
                self._update(body)
            case "send":
                self._group(body["chatid"])
                self.texts.setdefault(body["chatid"], []).append(body["text"]["content"])

    async def look(self, chat_id: str) -> GroupState | None:
        if self.failures:
            raise self.failures.pop(0)
        return self.groups.get(chat_id)

    async def may_join(self, user: str) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        return user.lower() in self._users - self._out

    def _create(self, body: dict[str, Any]) -> None:
        users = self._known(body["userlist"])
        if body["chatid"] in self.groups:
            raise _refused(_EXISTS)
        self._put(body["chatid"], GroupState(body["name"], body["owner"].lower(), users))

    def _update(self, body: dict[str, Any]) -> None:
        group = self._group(body["chatid"])
        gone = set(_folded(body.get("del_user_list", ())))
        adding = self._known(body.get("add_user_list", ()))
        owner = body.get("owner", "").lower()
        if group.owner in gone and not owner:
            raise _refused(_NO_OWNER)
        staying = (user for user in group.users if user not in gone)
        users = tuple(dict.fromkeys((*staying, *adding)))
        name = body.get("name") or group.name
        self._put(body["chatid"], GroupState(name, owner or group.owner, users))

    def _put(self, chat_id: str, group: GroupState) -> None:
        if not LEAST_MEMBERS <= len(group.users) <= MOST_MEMBERS:
            raise _refused(_SIZE)
        if group.owner not in group.users:
            raise _refused(_OWNER_OUTSIDE)
        self.groups[chat_id] = group

    def _group(self, chat_id: str) -> GroupState:
        if chat_id not in self.groups:
            raise _refused(_NOT_FOUND)
        return self.groups[chat_id]

    def _known(self, users: Iterable[str]) -> tuple[str, ...]:
        folded = _folded(users)
        if not self._users.issuperset(folded):
            raise _refused(_UNKNOWN_USER)
        if not self._out.isdisjoint(folded):
            raise _refused(SCOPE)
        return folded


def _folded(users: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(user.lower() for user in users))


def _refused(code: int) -> RefusedByWeCom:
    return RefusedByWeCom("WeCom refuses the request", code)
