"""WeCom in memory: everybody has a phone, and each shows a request once.

For tests of whoever sends, and for a hospital that has not connected WeCom yet. It keeps the whole
promise: the same bytes twice are one card, people it does not know are refused.
"""

import json
from collections.abc import Collection

from server.integrations.wecom import (
    UNREACHABLE,
    RefusedByWeCom,
    Sent,
    WeComError,
)
from server.integrations.wecom.textcard import recipients


class MemoryWeCom:
    """`unknown` people are refused; `failures` are raised one per call, before anything is sent."""

    def __init__(self, unknown: Collection[str] = ()) -> None:
        self.unknown = {user.lower() for user in unknown}
        self.failures: list[WeComError] = []
        self.calls: list[bytes] = []
        self.phones: dict[str, list[bytes]] = {}
        self.changed: list[bytes] = []
        self.recalled: list[str] = []
        self._msgids: dict[bytes, str] = {}
        self._codes: set[str] = set()

    async def send(self, request: bytes) -> Sent:
        self.calls.append(request)
        if self.failures:
            raise self.failures.pop(0)
        users = recipients(request)
        refused = {user: UNREACHABLE for user in users if user.lower() in self.unknown}
        if len(refused) == len(users):
            raise RefusedByWeCom("nobody in the request is reachable", 81013, refused)
        if request not in self._msgids:
            self._msgids[request] = f"memory-{len(self._msgids) + 1}"
            for user in users:
                if user not in refused:
                    self.phones.setdefault(user.lower(), []).append(request)
        msgid = self._msgids[request]
        code = f"code-{msgid}" if b'"button_list"' in request else ""
        self._codes.add(code)
        return Sent(msgid, refused, response_code=code)

    async def update_card(self, request: bytes) -> None:
        if self.failures:
            raise self.failures.pop(0)
        code = json.loads(request)["response_code"]
        if code not in self._codes:
            raise RefusedByWeCom("WeCom refuses the request", 42036)
        self._codes.discard(code)
        self.changed.append(request)

    async def recall(self, msgid: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.recalled.append(msgid)
