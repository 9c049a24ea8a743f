"""WeCom (企业微信): how a notice reaches a phone that is not looking.

The promise is one call: give the bytes of a request, learn who got it. The bytes are built
beforehand by `textcard_request` and stored by the caller, because the *same* bytes must go again
when the outcome of a call is unknown: WeCom recognises an identical request within four hours and
shows it once. Everything that can go wrong is one of four errors, each saying what to do.

A card with buttons can be changed afterwards (`WeComCards`), and what was sent can be taken back.

Adapters: `client.py` (WeCom's HTTP interface) and `memory.py` (a phone book in memory). What the app
asks of WeCom as the house it lives in, and groups in WeCom, are promises of their own: `host.py`, kept
by `host_client.py`, and `groups.py`, kept by `group_client.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from server.integrations.wecom.desk import Finding, TokenState, WeComDesk
from server.integrations.wecom.groups import (
    GROUP_GONE,
    GROUP_SIZE,
    LEAST_MEMBERS,
    SCOPE,
    CallKind,
    GroupChats,
    GroupState,
    create_request,
    group_name,
    text_request,
    update_request,
)
from server.integrations.wecom.host import SPENT, Host, Level, Shown, Signature, Visitor
from server.integrations.wecom.template_card import Button, button_card_request, card_update
from server.integrations.wecom.textcard import textcard_request

UNREACHABLE: Final = "unreachable"
"""WeCom does not know this person, or the app may not write to them."""
UNLICENSED: Final = "unlicensed"
"""The company holds no interface licence for this person."""
CONTENT: Final = "content"
"""WeCom refuses what the request says, whoever it is for."""
NO_CALLBACK: Final = 43012
"""WeCom's errcode for buttons of an app whose callback nobody has set up."""


@dataclass(frozen=True, slots=True)
class Sent:
    """WeCom accepted the request. That the phone shows it is not in anybody's power to know."""

    msgid: str
    refused: Mapping[str, str] = field(default_factory=dict)
    """Who got nothing although the call succeeded, and why; ids as in the request."""
    response_code: str = field(default="", repr=False)
    """Changes the card once, within 72 h; only for one with buttons."""


class WeComError(Exception):
    """A request did not get through. Its text may be logged: no token, no secret, no address."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        """WeCom's errcode, when it gave one."""

    def __str__(self) -> str:
        return self.reason if self.code is None else f"{self.reason} (errcode {self.code})"


class Retry(WeComError):
    """Not done, or nobody knows: send the same bytes again later.

    `after` is a wait in seconds that WeCom or the client asks for; None leaves it to the caller.
    """

    def __init__(self, reason: str, code: int | None = None, after: float | None = None) -> None:
        super().__init__(reason, code)
        self.after = after


class Paused(WeComError):
    """Too much was asked: nothing of this app may be sent for `seconds`, then the same bytes."""

    def __init__(self, reason: str, seconds: float, code: int | None = None) -> None:
        super().__init__(reason, code)
        self.seconds = seconds


class Misconfigured(WeComError):
    """An administrator must change something first. Ring the alarm; repeating helps nobody."""


class RefusedByWeCom(WeComError):
    """Final for this request: nobody in it will get it. `users` says why, person by person."""

    def __init__(
        self, reason: str, code: int | None = None, users: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(reason, code)
        self.users: Mapping[str, str] = dict(users or {})


class WeCom(Protocol):
    """The one thing the product asks of WeCom.

    Relied on by the outbox: at most one outcome per call; every failure is a `WeComError`; the
    call ends within about half a minute (three times ten seconds at the very worst: token, send,
    send again with a fresh token); it holds no state of its own about the request, so that a crash
    loses nothing that the caller has stored. Calls may run side by side. How often one person may
    be written to is the caller's business: above 30 a minute or 1,000 an hour WeCom drops the
    surplus without saying so.
    """

    async def send(self, request: bytes) -> Sent:
        """Send these bytes, the exact JSON body of `message/send`."""
        ...


class WeComCards(Protocol):
    """What can be done about a message that was sent.

    Each is one call with one outcome, as `WeCom.send` is; both may be repeated. A code that changes a
    card is good once: whoever repeats after an unknown outcome may be refused because it *was* changed.
    """

    async def update_card(self, request: bytes) -> None:
        """Change a card, by the exact JSON body of `message/update_template_card`."""
        ...

    async def recall(self, msgid: str) -> None:
        """Take a message back from the phones it is on, within 24 h after it was sent."""
        ...


__all__ = [
    "CONTENT",
    "GROUP_GONE",
    "GROUP_SIZE",
    "LEAST_MEMBERS",
    "NO_CALLBACK",
    "SCOPE",
    "SPENT",
    "UNLICENSED",
    "UNREACHABLE",
    "Button",
    "CallKind",
    "Finding",
    "GroupChats",
    "GroupState",
    "Host",
    "Level",
    "Misconfigured",
    "Paused",
    "RefusedByWeCom",
    "Retry",
    "Sent",
    "Shown",
    "Signature",
    "TokenState",
    "Visitor",
    "WeCom",
    "WeComCards",
    "WeComDesk",
    "WeComError",
    "button_card_request",
    "card_update",
    "create_request",
    "group_name",
    "text_request",
    "textcard_request",
    "update_request",
]
