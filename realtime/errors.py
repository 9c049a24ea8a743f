"""What a client may be told: refusals of a command, and reasons for ending a connection."""

from enum import Enum


class Refused(Exception):
    """A command answered with a known error instead of a result.

    `code` is the wire name, `status` the same over HTTP; `message` is a sentence that says what is
    wrong and what to do. `retry_after_ms` says when asking again may help.
    """

    code = "refused"
    status = 400

    def __init__(self, message: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_ms = retry_after_ms


class Invalid(Refused):
    """The command's shape or values are wrong; the message names the place."""

    code, status = "invalid", 400


class Unauthenticated(Refused):
    """Nobody is signed in, or the session or ticket has ended."""

    code, status = "unauthenticated", 401


class Forbidden(Refused):
    """The actor is known and may not do this."""

    code, status = "forbidden", 403


class NotFound(Refused):
    """There is no such thing, or the actor may not know of it."""

    code, status = "not_found", 404


class ConflictRefused(Refused):
    """The thing changed meanwhile, or the client id was used for something else."""

    code, status = "conflict", 409


class TooLarge(Refused):
    """More bytes than a command may have."""

    code, status = "too_large", 413


class RateLimited(Refused):
    """Asked too often; `retry_after_ms` says when to ask again."""

    code, status = "rate_limited", 429


class Busy(Refused):
    """The server has more work than it accepts; nothing was done."""

    code, status = "busy", 503


class Unavailable(Refused):
    """Something this command needs cannot be reached now; nothing was done."""

    code, status = "unavailable", 503


class Closing(Enum):
    """Why the server ends a connection: the name told to the client, and whether to come back."""

    GOING_AWAY = ("going_away", True)
    REVOKED = ("revoked", False)
    TOO_SLOW = ("too_slow", True)
    RATE_LIMITED = ("rate_limited", True)
    BAD_FRAME = ("bad_frame", True)
    TOO_LARGE = ("too_large", True)

    def __init__(self, reason: str, reconnect: bool) -> None:
        self.reason = reason
        self.reconnect = reconnect
