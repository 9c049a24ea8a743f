"""Limits of failed sign-ins, per account and per address.

Only failures count: a whole hospital leaves through one address, and all of it may sign in at eight
o'clock. The counts live in memory; a restart forgives, which costs an attacker more than it gives. Of
several nodes each allows its part, so that together they allow what one alone would.
"""

import ipaddress
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from server.clock import Clock
from server.errors import RateLimited

WINDOW_S: Final = 900.0
PER_ACCOUNT: Final = 10
PER_ADDRESS: Final = 100
LEAST: Final = 2
"""What every node allows, however many there are: nobody types without a mistake."""

Key = tuple[str, str]


class SignInLimits:
    """Remembers failures for a window of time, in bounded memory: the oldest keys go first."""

    def __init__(
        self,
        clock: Clock,
        *,
        per_account: int = PER_ACCOUNT,
        per_address: int = PER_ADDRESS,
        window_s: float = WINDOW_S,
        most_keys: int = 20_000,
        nodes: Callable[[], int] = lambda: 1,
        sentence: str = "too many failed sign-ins; wait and try again",
    ) -> None:
        self._clock = clock
        self._limits = {"account": per_account, "address": per_address}
        self._window_s = window_s
        self._most_keys = most_keys
        self._nodes = nodes
        self._sentence = sentence
        self._failures: OrderedDict[Key, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def check(self, account: str, address: str) -> None:
        """Raises RateLimited when either has failed too often."""
        wait_s = max(self._wait_s(key) for key in _keys(account, address))
        if wait_s > 0:
            raise RateLimited(
                self._sentence,
                retry_after_ms=math.ceil(wait_s * 1000),
            )

    def failed(self, account: str, address: str) -> None:
        """Count a failure against both."""
        now = self._clock.monotonic()
        for key in _keys(account, address):
            failures = self._failures.setdefault(key, deque(maxlen=self._limits[key[0]]))
            failures.append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > self._most_keys:
            self._failures.popitem(last=False)

    def taken_back(self, account: str, address: str) -> None:
        """The newest failure of both was none: it was counted beforehand."""
        for key in _keys(account, address):
            failures = self._failures.get(key)
            if failures:
                failures.pop()

    def succeeded(self, account: str) -> None:
        """Forget the account's failures: its owner is there. The address keeps its own."""
        self._failures.pop(("account", account), None)

    def _wait_s(self, key: Key) -> float:
        failures = self._failures.get(key)
        if failures is None:
            return 0.0
        horizon = self._clock.monotonic() - self._window_s
        while failures and failures[0] <= horizon:
            failures.popleft()
        if not failures:
            del self._failures[key]
            return 0.0
        allowed = max(LEAST, self._limits[key[0]] // self._nodes())
        return failures[-allowed] - horizon if len(failures) >= allowed else 0.0


def _keys(account: str, address: str) -> tuple[Key, Key]:
    return ("account", account), ("address", _network_of(address))


def _network_of(address: str) -> str:
    """Who has an IPv6 address has 2**64 of them, all in one network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))
