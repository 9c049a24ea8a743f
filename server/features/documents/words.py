"""Why something with a document was not done, in one place, and by which kind of the OA's failures."""

from server.errors import Forbidden, NotFound, Refused, Unavailable
from server.integrations.oa import Blocked, OAError, RefusedByOA, Unreachable

NO_ACCOUNT = "you have no account in the OA; ask the administrator to enter it"
AGAIN_MS = 5_000


def refused_by(fault: OAError) -> Refused:
    """What a person is told when the OA gave no usable answer."""
    match fault:
        case RefusedByOA():
            return NotFound("the OA does not show you this document: it is gone, or not yours")
        case Blocked():
            return Unavailable("the OA's gate turns this server away; the IT department has to act")
        case Unreachable():
            return Unavailable("the OA does not answer; nothing was done", retry_after_ms=AGAIN_MS)
        case _:
            return Unavailable("the OA answered something that cannot be relied on")


def no_account() -> Forbidden:
    """For somebody whom the OA does not know."""
    return Forbidden(NO_ACCOUNT)


def refused_file(fault: OAError) -> Refused:
    """The same for a file."""
    if isinstance(fault, RefusedByOA):
        return NotFound("the OA does not give out this file: it is gone, or too large")
    return refused_by(fault)
