"""The port of socket tickets: what a page shows once to open its socket.

A ticket is got over the signed-in HTTP session and handed in with the socket's CONNECT, so that the
session's own token never travels in a place where it might be logged.

Promises every adapter keeps:

- A ticket is honoured once, on any node, and not after its time; it is never stored with the data.
- It names a session, not a person: whether that session still stands is asked when it is redeemed
  (`Sessions.actor`), so a revoked session's tickets are worth nothing.
- Memory is bounded: a session's oldest tickets go first, and when all together are too many, `issue`
  raises Busy.
- Where tickets are kept elsewhere and cannot be reached, both raise Unavailable within a second or two.
"""

from typing import Final, Protocol

LIFETIME_S: Final = 60
_NOBODYS: Final = "check"
"""No session is called so: what is issued for it opens nothing."""


class Tickets(Protocol):
    """Tickets, issued and redeemed."""

    async def issue(self, session_id: str) -> str:
        """A new ticket of a session. Raises Busy, Unavailable."""
        ...

    async def redeem(self, ticket: str) -> str | None:
        """The id of the session the ticket was issued to, the first time and in time; else None.
        Raises Unavailable."""
        ...


async def try_out(tickets: Tickets) -> None:
    """Issue a ticket and redeem it, to see whether anybody could connect. Raises Busy, Unavailable."""
    await tickets.redeem(await tickets.issue(_NOBODYS))
