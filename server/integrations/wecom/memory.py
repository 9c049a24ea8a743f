"""WeCom in memory: everybody has a phone, and each shows a request once.

For tests of whoever sends, and for a hospital that has not connected WeCom yet. It keeps the whole
promise: the same bytes twice are one card, people it does not know are refused.
"""

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
        self._msgids: dict[bytes, str] = {}

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
        return Sent(self._msgids[request], refused)
