"""Groups over WeCom's HTTP interface, on the client that sends notices too; and where there is no WeCom.

Pauses are kept apart from those of notices: the limits of groups are others, and one that is reached
says nothing about the other.
"""

from typing import Final

from server.clock import Clock
from server.integrations.wecom import (
    CallKind,
    GroupState,
    Misconfigured,
    RefusedByWeCom,
)
from server.integrations.wecom.client import Pauses, WeComClient
from server.integrations.wecom.failures import TOO_OFTEN, failure
from server.integrations.wecom.groups import GROUP_GONE

NOT_OURS: Final = 86008
"""A group of this id exists, and another app has made it."""


class WeComGroups:
    """The adapter of `GroupChats`."""

    is_there = True

    def __init__(self, client: WeComClient, clock: Clock) -> None:
        self._client = client
        self._pauses = Pauses(clock)

    async def call(self, kind: CallKind, request: bytes) -> None:
        answer = await self._client.answer(f"appchat/{kind}", request)
        code: int = answer["errcode"]
        if code == 0:
            self._pauses.end()
            return
        raise failure(code, answer, (), self._pauses.begin() if code == TOO_OFTEN else 0.0)

    async def look(self, chat_id: str) -> GroupState | None:
        try:
            answer = await self._client.get("appchat/get", params={"chatid": chat_id})
        except RefusedByWeCom as refused:
            if refused.code in {*GROUP_GONE, NOT_OURS}:
                return None
            raise
        told = answer.get("chat_info") or {}
        users = tuple(str(user) for user in told.get("userlist") or ())
        return GroupState(str(told.get("name", "")), str(told.get("owner", "")), users)

    async def may_join(self, user: str) -> bool:
        try:
            await self._client.user.get(user)
        except RefusedByWeCom:
            return False
        return True


class NoGroups:
    """No WeCom is set: nothing is told to anybody."""

    is_there = False

    async def call(self, kind: CallKind, request: bytes) -> None:
        raise Misconfigured("no WeCom is set")

    async def look(self, chat_id: str) -> GroupState | None:
        raise Misconfigured("no WeCom is set")

    async def may_join(self, user: str) -> bool:
        raise Misconfigured("no WeCom is set")
