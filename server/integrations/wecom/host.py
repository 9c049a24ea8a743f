"""WeCom as the house the app lives in: who came through its door, and what signs the page's calls.

A second promise beside that of sending. Everything that can go wrong is one of the package's errors.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

SPENT: Final = frozenset({40029, 42022})
"""WeCom's codes for a sign-in code that was used, is out of time, or never was."""

Level = Literal["config", "agent"]
"""Which of a page's two permissions a signature is for: the company's, or the app's."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whom WeCom vouches for. Somebody from outside of the company has no user id."""

    user_id: str
    ticket: str = field(default="", repr=False)
    """Opens what the member agreed to show, for half an hour; empty when nothing was asked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a member agreed to show: the phone number WeCom has checked, and the mail address the company has
    given. An address that members type in themselves is none of it: it proves nothing."""

    user_id: str
    mobile: str = field(default="", repr=False)
    mail: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a page shows WeCom to be allowed calls at its present address."""

    timestamp: int
    nonce: str
    signature: str


class Host(Protocol):
    """What the product asks of WeCom on behalf of somebody who is just coming, or is there.

    A code is good once: `visitor` asks with it at most once that WeCom has understood, and whoever has
    lost the answer begins anew. Tickets are asked for by one caller at a time and kept for as long as they
    are good. Every call ends within half a minute.
    """

    corp_id: str
    agent_id: int

    @property
    def is_there(self) -> bool:
        """Whether any WeCom is set; without one nothing is to be offered."""
        ...

    def door(self, back: str, state: str, *, asks: bool) -> str:
        """Where a page inside WeCom goes to come back to `back` with a code; the member is asked for
        private facts, or nothing is shown at all."""
        ...

    def picture(self, back: str, state: str) -> str:
        """Where any browser goes to show a QR picture that a member scans."""
        ...

    async def visitor(self, code: str) -> Visitor:
        """Who came with this code. Raises WeComError; RefusedByWeCom with a code in SPENT for one that
        is worth nothing."""
        ...

    async def shown(self, ticket: str) -> Shown:
        """What the member with this ticket agreed to show. Raises WeComError."""
        ...

    async def sign(self, level: Level, page: str) -> Signature:
        """A signature for the page at an address. Raises WeComError."""
        ...
