"""Why something with a document was not done, in one place, and by which kind of the OA's failures."""

from server.errors import Forbidden, NotFound, Refused, Unavailable
from server.integrations.oa import Blocked, OAError, RefusedByOA, Unreachable


class OAAway(Unavailable):
    """The OA does not answer."""

    code = "oa_away"


class OABlocked(Unavailable):
    """Something in front of the OA turns us away, and will until an operator has acted."""

    code = "oa_blocked"


class OAUnclear(Unavailable):
    """The OA answered, and it means nothing."""

    code = "oa_unclear"


class NoOAAccount(Forbidden):
    """The directory names no account in the OA for this person."""

    code = "oa_no_account"


NO_ACCOUNT = "you have no account in the OA; ask the administrator to enter it"
AGAIN_MS = 5_000


def refused_by(fault: OAError) -> Refused:
    """What a person is told when the OA gave no usable answer."""
    match fault:
        case RefusedByOA():
            return NotFound("the OA does not show you this document: it is gone, or not yours")
        case Blocked():
            return OABlocked("the OA's gate turns this server away; the IT department has to act")
        case Unreachable():
            return OAAway("the OA does not answer; nothing was done", retry_after_ms=AGAIN_MS)
        case _:
            return OAUnclear("the OA answered something that cannot be relied on")


def no_account() -> Forbidden:
    """For somebody whom the OA does not know."""
    return NoOAAccount(NO_ACCOUNT)


def refused_start(fault: OAError) -> Refused:
    """The same for a document that is to be started."""
    if isinstance(fault, RefusedByOA):
        return Forbidden("the OA does not let you start this")
    return refused_by(fault)


def refused_file(fault: OAError) -> Refused:
    """The same for a file."""
    if isinstance(fault, RefusedByOA):
        return NotFound("the OA does not give out this file: it is gone, or too large")
    return refused_by(fault)
