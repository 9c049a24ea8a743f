"""What an administrator may ask about WeCom: whether it works, and if not, which setting is to blame.

A promise beside `WeCom`, which only sends. Nothing found here is acted upon.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from server.clock import Millis

Step = Literal["settings", "secret", "address", "scope", "callback"]
"""In the order in which one needs the other."""
Found = Literal["good", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step came to. `code` is WeCom's errcode, `detail` what to look at: an address, a name."""

    step: Step
    found: Found
    code: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TokenState:
    """When the token in use was fetched and ends."""

    fetched_at: Millis
    expires_at: Millis


class WeComDesk(Protocol):
    """Asked by hand and seldom: `examine` calls WeCom two or three times."""

    async def examine(self, wecom_user: str | None) -> list[Finding]:
        """Try one step after the other, as far as they go. `wecom_user` is somebody who should be in the
        app's scope. Raises nothing: what fails is what was found."""
        ...

    async def token(self) -> TokenState | None:
        """The token that is in use, if there is one."""
        ...
