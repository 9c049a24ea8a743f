"""Groups in WeCom that the app makes (appchat): the promise, and the bytes of its requests.

The interface takes no id of ours for a message and recognises no repeat of one, so a message whose
outcome is unknown may be shown twice when it goes again. A group's `chat_id` is chosen by the caller:
making it twice makes one, and after any refusal `look` says whether it is there. What goes wrong is one
of the port's four errors; a refusal carries WeCom's errcode.

Adapters: `group_client.py` (WeCom's HTTP interface, and `NoGroups` where no WeCom is set), and
`memory_groups.py`. `tests/contracts/test_group_chats.py` asks both the same.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from server.integrations.wecom.textcard import cut

CallKind = Literal["create", "update", "send"]

NAME_CHARACTERS: Final = 50
TEXT_BYTES: Final = 2_048
MOST_MEMBERS: Final = 2_000
LEAST_MEMBERS: Final = 2

GROUP_GONE: Final = frozenset({86001, 86003})
"""WeCom knows no such group: it was dissolved, or belongs to another app."""
GROUP_SIZE: Final = frozenset({86006})
"""Too many members for what the company allows, or too few."""
SCOPE: Final = 60011
"""The app's visible scope is not the whole company, or does not hold a member."""

# WeCom refuses \uXXXX escapes (40033), and JSON has no other way to write these. A line break has one.
_UNWRITABLE: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group as WeCom has it."""

    name: str
    owner: str
    users: tuple[str, ...]

    def holds(self, users: Iterable[str]) -> bool:
        """Whether it holds exactly these; WeCom does not tell capitals from small letters."""
        return {user.lower() for user in users} == {user.lower() for user in self.users}


class GroupChats(Protocol):
    """Relied on: at most one outcome per call; every failure is a `WeComError`; a call ends within about
    half a minute. Order is the caller's: one call of a group at a time."""

    @property
    def is_there(self) -> bool:
        """Whether there is a WeCom to tell."""
        ...

    async def call(self, kind: CallKind, request: bytes) -> None:
        """Make, change or tell a group, by the exact bytes of the request."""
        ...

    async def look(self, chat_id: str) -> GroupState | None:
        """The group as it is; None when the app has none of this id."""
        ...

    async def may_join(self, user: str) -> bool:
        """Whether WeCom knows this user and lets the app reach them."""
        ...


def create_request(chat_id: str, name: str, owner: str, users: Sequence[str]) -> bytes:
    """The body of `appchat/create`."""
    body = {"name": group_name(name), "owner": owner, "userlist": list(users), "chatid": chat_id}
    return _written(body)


def update_request(
    chat_id: str,
    *,
    name: str = "",
    owner: str = "",
    adding: Sequence[str] = (),
    removing: Sequence[str] = (),
) -> bytes:
    """The body of `appchat/update`; what is empty stays as it is."""
    changed = {
        "name": group_name(name),
        "owner": owner,
        "add_user_list": list(adding),
        "del_user_list": list(removing),
    }
    return _written({"chatid": chat_id, **{key: value for key, value in changed.items() if value}})


def text_request(chat_id: str, text: str) -> bytes:
    """The body of `appchat/send` for a text, which is cut where WeCom would."""
    content = cut(_UNWRITABLE.sub(" ", text), TEXT_BYTES)
    return _written({"chatid": chat_id, "msgtype": "text", "text": {"content": content}, "safe": 0})


def group_name(name: str) -> str:
    """A name as WeCom will show it."""
    line = " ".join(_UNWRITABLE.sub(" ", name).split())
    return line if len(line) <= NAME_CHARACTERS else line[: NAME_CHARACTERS - 1] + "…"


def _written(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
