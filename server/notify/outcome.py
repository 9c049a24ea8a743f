"""What a call to WeCom came to, and what that means for the notice and for all others.

A pure function from an answer or an error to an outcome. Who waits how long is decided here and
nowhere else.
"""

import logging
import random
from dataclasses import dataclass
from typing import Final, Literal

from server.integrations.wecom import Misconfigured, Paused, RefusedByWeCom, Retry, Sent
from server.outbox import Notice

logger = logging.getLogger(__name__)

FIRST_WAIT_MS: Final = 1_000
LONGEST_WAIT_MS: Final = 30_000
MISCONFIGURED_MS: Final = 60_000

MOST_FAILURES: Final = 20
"""A notice that failed as often while others got through is given up."""
GIVEN_UP_AFTER_MS: Final = 24 * 3_600_000
"""And so is one that failed as often and is as old as this, though nobody got through."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more will be sent for this notice."""

    state: Literal["sent", "refused", "dead"]
    reason: str = ""
    msgid: str = ""
    response_code: str = ""


@dataclass(frozen=True, slots=True)
class Postponed:
    """It goes again. `counts` is 1 when it says something about this notice."""

    wait_ms: int
    reason: str
    counts: int = 1
    pause_s: float = 0.0
    """WeCom wants nothing at all for so long."""
    misconfigured: bool = False
    turned_away: bool = False
    """WeCom said that it took nothing. Otherwise nobody knows, and the same bytes go again."""


Outcome = Ended | Postponed


def outcome_of(notice: Notice, answer: Sent | Exception) -> Outcome:
    """What an answer, or the error in its place, means for this notice."""
    match answer:
        case Sent():
            for refusal in answer.refused.values():  # a notice has one recipient
                return Ended("refused", refusal, answer.msgid)
            return Ended("sent", msgid=answer.msgid, response_code=answer.response_code)
        case RefusedByWeCom():
            return Ended("refused", next(iter(answer.users.values()), str(answer)))
        case Paused():
            wait_ms = round(answer.seconds * 1000)
            return Postponed(wait_ms, str(answer), 0, pause_s=answer.seconds, turned_away=True)
        case Misconfigured():
            return Postponed(MISCONFIGURED_MS, str(answer), 0, misconfigured=True, turned_away=True)
        case Retry():
            # An errcode is WeCom's own word; without one it may be the answer that was lost.
            wait_ms, said = _wait_ms(notice.failures, answer.after), answer.code is not None
            return Postponed(wait_ms, str(answer), turned_away=said)
        case TimeoutError():
            return Postponed(_wait_ms(notice.failures, None), "no answer in time")
        case _:
            logger.error("sending a notice failed", exc_info=answer)
            return Postponed(_wait_ms(notice.failures, None), type(answer).__name__)


def given_up(notice: Notice, outcome: Outcome, *, now: int, others_get_through: bool) -> Outcome:
    """The outcome, or the end of a notice that has been tried for long enough."""
    if isinstance(outcome, Ended) or notice.failures + outcome.counts < MOST_FAILURES:
        return outcome
    if not others_get_through and now - notice.created_at < GIVEN_UP_AFTER_MS:
        return outcome
    return Ended("dead", outcome.reason)


def _wait_ms(failures: int, asked_s: float | None) -> int:
    """Growing with every failure, and never for all at once."""
    wait: float = min(FIRST_WAIT_MS * 2 ** min(failures, 16), LONGEST_WAIT_MS)
    return round(max(wait * random.uniform(0.75, 1.25), (asked_s or 0.0) * 1000))
