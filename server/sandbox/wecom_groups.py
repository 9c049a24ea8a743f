"""Groups that the app makes in the WeCom stand-in: `appchat/create|update|get|send`, and what they show.

Strict where WeCom's pages say so: sizes, ids, who may be in a group, limits a day, an hour and a minute.
What one member would see too much of is dropped without an error. A message is shown to whoever is in the
group at that moment and to nobody else, so that a judge can see who saw what.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from server.sandbox.config import SandboxConfig, SandboxPerson
from server.sandbox.wecom_body import Bad, check_unescaped, read_object
from server.sandbox.wecom_group_state import Group, GroupLog

MOST_MEMBERS: Final = 2_000
LEAST_MEMBERS: Final = 2
NAME_CHARACTERS: Final = 50
TEXT_BYTES: Final = 2_048
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
CREATED_A_DAY: Final = 1_000
UPDATED_AN_HOUR: Final = 1_000
PERSON_TIMES_A_MINUTE: Final = 20_000

_CHAT_ID: Final = re.compile(r"[0-9a-zA-Z]{1,32}")

Answer = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[Answer]]


class GroupStandIn:
    """The groups of one company's app. `most_members` is what the company has set; `is_rooted` whether
    the app's visible scope is the whole company."""

    def __init__(self, config: SandboxConfig, people: Mapping[str, SandboxPerson]) -> None:
        self._clock = config.clock
        self._people = people
        self.log = GroupLog(config.state_dir)
        self.most_members = MOST_MEMBERS
        self.is_rooted = True
        self._left: set[str] = set()

    def close(self) -> None:
        """Let go of the state."""
        self.log.close()

    def delete_account(self, user: str) -> None:
        """Somebody has left the company: WeCom knows the id no more, and no group holds it."""
        self._left.add(user.lower())
        for group in self.log.groups():
            staying = tuple(one for one in group.users if one != user.lower())
            owner = group.owner if group.owner in staying else staying[0]
            self.log.put(
                Group(group.chat_id, group.name, owner, staying), "left", self._clock.now()
            )

    def interface(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of each call; a handler answers its fields or raises `Bad`."""
        return [
            ("POST", "appchat/create", self._create),
            ("POST", "appchat/update", self._update),
            ("GET", "appchat/get", self._get),
            ("POST", "appchat/send", self._send),
        ]

    def doors(self) -> list[web.RouteDef]:
        """For judges and for the page."""
        return [
            web.get("/wecom/appchat", self._all),
            web.get("/wecom/appchat/{chatid}", self._one),
        ]

    # --- the interface

    async def _create(self, request: web.Request) -> Answer:
        body, now = await _body(request), self._clock.now()
        self._check_scope()
        users = _list(body, "userlist")
        chat_id = str(body.get("chatid") or self.log.fresh_id())
        if not _CHAT_ID.fullmatch(chat_id):
            raise Bad(86001, "invalid chatid")
        if not body.get("name"):
            raise Bad(86202, "missing chat name")
        self._check_size(users)
        self._check_users(users)
        owner = str(body.get("owner") or users[0])
        if owner.lower() not in _lower(users):
            raise Bad(86207, "chat owner is not in the user list")
        if self.log.group(chat_id) is not None:
            raise Bad(86215, "chatid exists")
        if self.log.calls_since("create", now - DAY_MS) >= CREATED_A_DAY:
            raise Bad(45009, "api freq out of limit")
        name = str(body["name"])[:NAME_CHARACTERS]
        self.log.put(Group(chat_id, name, owner.lower(), tuple(_lower(users))), "create", now)
        return {"chatid": chat_id}

    async def _update(self, request: web.Request) -> Answer:
        body, now = await _body(request), self._clock.now()
        group = self._group(str(body.get("chatid", "")))
        adding, removing = _list(body, "add_user_list"), _list(body, "del_user_list")
        self._check_users(adding)
        self._check_known(removing)
        owner = str(body.get("owner") or "").lower()
        gone = set(_lower(removing))
        if group.owner in gone and not owner:
            raise Bad(86203, "missing chat owner")
        staying = [user for user in group.users if user not in gone]
        users = tuple(dict.fromkeys((*staying, *_lower(adding))))
        self._check_size(users)
        if (owner or group.owner) not in users:
            raise Bad(86207, "chat owner is not in the user list")
        if self.log.calls_since("update", now - HOUR_MS) >= UPDATED_AN_HOUR:
            raise Bad(45009, "api freq out of limit")
        name = str(body.get("name") or group.name)[:NAME_CHARACTERS]
        self.log.put(Group(group.chat_id, name, owner or group.owner, users), "update", now)
        return {}

    async def _get(self, request: web.Request) -> Answer:
        group = self._group(request.query.get("chatid", ""))
        return {
            "chat_info": {
                "chatid": group.chat_id,
                "name": group.name,
                "owner": group.owner,
                "userlist": list(group.users),
            }
        }

    async def _send(self, request: web.Request) -> Answer:
        body, now = await _body(request), self._clock.now()
        group = self._group(str(body.get("chatid", "")))
        text = _shown(body)
        since = now - MINUTE_MS
        if self.log.person_times(since) + len(group.users) > PERSON_TIMES_A_MINUTE:
            raise Bad(45009, "api freq out of limit")
        self.log.say(group, str(body["msgtype"]), text, now)
        return {}

    # --- what they check

    def _group(self, chat_id: str) -> Group:
        self._check_scope()
        if not _CHAT_ID.fullmatch(chat_id):
            raise Bad(86001, "invalid chatid")
        group = self.log.group(chat_id)
        if group is None:
            raise Bad(86003, "chatid not found")
        return group

    def _check_scope(self) -> None:
        if not self.is_rooted:
            raise Bad(60011, "no privilege to access/modify contact/party/agent")

    def _check_size(self, users: list[str] | tuple[str, ...]) -> None:
        if not LEAST_MEMBERS <= len(set(_lower(users))) <= self.most_members:
            raise Bad(86006, "chat member count out of limit")

    def _check_users(self, users: list[str]) -> None:
        self._check_known(users)
        if not all(self._people[user.lower()].in_scope for user in users):
            raise Bad(60011, "no privilege to access/modify contact/party/agent")

    def _check_known(self, users: list[str]) -> None:
        if any(user.lower() not in self._people or user.lower() in self._left for user in users):
            raise Bad(40003, "invalid userid")

    # --- doors

    async def _all(self, request: web.Request) -> web.Response:
        return web.json_response([group.chat_id for group in self.log.groups()])

    async def _one(self, request: web.Request) -> web.Response:
        chat_id = request.match_info["chatid"]
        group = self.log.group(chat_id)
        if group is None:
            return web.json_response({"error": "There is no such group."}, status=404)
        return web.json_response(
            {
                "chatid": group.chat_id,
                "name": group.name,
                "owner": group.owner,
                "userlist": list(group.users),
                "messages": self.log.messages(chat_id),
                "dropped": self.log.dropped(chat_id),
            }
        )


async def _body(request: web.Request) -> dict[str, Any]:
    raw = await request.read()
    check_unescaped(raw)
    return read_object(raw)


def _list(body: dict[str, Any], field: str) -> list[str]:
    users = body.get(field, [])
    if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
        raise Bad(40031, f"invalid {field}")
    return users


def _lower(users: list[str] | tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(user.lower() for user in users))


def _shown(body: dict[str, Any]) -> str:
    """What the group will show of a message. A text is cut, as WeCom's page says."""
    kind = body.get("msgtype")
    if kind not in ("text", "markdown"):
        raise Bad(40008, "invalid message type")
    inner = body.get(kind)
    text = inner.get("content") if isinstance(inner, dict) else None
    if not isinstance(text, str) or not text:
        raise Bad(44004, "empty content")
    if kind == "markdown" and len(text.encode()) > TEXT_BYTES:
        raise Bad(45002, "content size out of limit")
    return text.encode()[:TEXT_BYTES].decode(errors="ignore")
