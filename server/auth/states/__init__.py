"""The port of states: where a browser goes after another house has told us who it is.

To be signed in by WeCom a browser leaves for WeCom's address and comes back with a state we gave it.
What the state stands for stays here, so that nothing that comes back with it has to be believed.

Promises every adapter keeps:

- A state is honoured once, on any node, in its time, and only for the browser it began in: with another
  one's mark it is as unknown as a made-up one, and not used up. Browsers are told apart by a value of
  chance in a cookie.
- Whoever shows it again is told that it was used, and where it led: a page may be loaded twice.
- Memory is bounded: the oldest states go first. Strangers may begin as many as they like.
- Where states are kept elsewhere and cannot be reached, both raise Unavailable within a second or two.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

LIFETIME_S: Final = 600
"""Longer than WeCom's code lives, since a QR picture may stand on the screen for a while."""
MOST: Final = 50_000
LONGEST: Final = 128


@dataclass(frozen=True, slots=True)
class Taken:
    """What a state stood for, and whether it had been taken before."""

    target: str
    again: bool


class States(Protocol):
    """States, begun and taken."""

    async def begin(self, browser: str, target: str) -> str:
        """A new state, of letters and digits, for a browser that wants to get to `target`.
        Raises Unavailable."""
        ...

    async def take(self, state: str, browser: str) -> Taken | None:
        """What it stood for; None when there is no such state (any more) for this browser.
        Raises Unavailable."""
        ...


def kept_as(state: str, browser: str) -> str | None:
    """The name under which adapters keep a state; None for what can be none."""
    if not (0 < len(state) <= LONGEST and 0 < len(browser) <= LONGEST):
        return None
    return hashlib.sha256(f"{state} {browser}".encode("utf-8", "replace")).hexdigest()
