"""What came of a call, and what that means for its group. Pure.

Who waits how long is decided here. Nothing is given up but a message whose text WeCom will not have: it is
counted among those passed over, of which the group is told.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from server.clock import Millis
from server.features.chat.mirror.documents import Call, Mirror, Roll
from server.features.chat.mirror.protocol import Trouble
from server.integrations.wecom import (
    GROUP_GONE,
    GROUP_SIZE,
    SCOPE,
    CallKind,
    GroupState,
    Misconfigured,
    Paused,
    RefusedByWeCom,
    Retry,
)

log = logging.getLogger(__name__)

Told = Callable[[Mirror, Roll, Call, Millis], tuple[Mirror, Roll]]
"""Mirror and roll after a call."""

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
REFUSED_WAIT_S: Final = 60.0
LONGEST_REFUSED_WAIT_S: Final = 900.0
MISCONFIGURED_WAIT_S: Final = 60.0
SHOWN_AFTER: Final = 3
"""Failures in a row before members see one that may be over in a moment."""

CONTENT: Final = frozenset({40008, 40033, 40035, 40058, 44004, 45002, 82004})
"""WeCom refuses what a message says: the same would be refused again."""


@dataclass(frozen=True, slots=True)
class Setback:
    """A call that did not go through. `is_known`: WeCom has said that it took nothing."""

    trouble: Trouble
    wait_s: float
    is_known: bool = True
    code: int = 0
    is_passing: bool = False
    """Over in a moment, most likely: shown only when it lasts."""
    left_out: tuple[str, ...] = ()
    """Users that were found to be out of reach."""
    found: GroupState | None = None
    """The group, which was there already."""
    is_lost: bool = False
    is_unfit: bool = False
    """The message will never be taken."""

    @property
    def is_worth_asking(self) -> bool:
        """Whether WeCom refused something that may be somebody's fault."""
        return self.trouble in {"refused", "scope"}


def setback_of(fault: Exception, kind: CallKind, failures: int) -> Setback:
    """What a failed call means."""
    wait_s = min(FIRST_WAIT_S * 2 ** min(failures, 16), LONGEST_WAIT_S)
    wait_s *= random.uniform(0.75, 1.25)
    match fault:
        case Paused():
            return Setback("paused", fault.seconds, code=fault.code or 0)
        case Misconfigured():
            return Setback("settings", MISCONFIGURED_WAIT_S, code=fault.code or 0)
        case Retry():
            longer = max(wait_s, fault.after or 0.0)
            known = fault.code is not None
            return Setback("unreachable", longer, known, fault.code or 0, is_passing=True)
        case RefusedByWeCom():
            return _refused(fault.code or 0, kind, failures)
        case _:
            return Setback("unreachable", wait_s, is_known=False, is_passing=True)


def _refused(code: int, kind: CallKind, failures: int) -> Setback:
    wait_s = min(REFUSED_WAIT_S * 2 ** min(failures, 8), LONGEST_REFUSED_WAIT_S)
    if kind == "send" and code in CONTENT:
        return Setback("", 0.0, code=code, is_unfit=True)
    if code in GROUP_GONE and kind != "create":
        return Setback("lost", FIRST_WAIT_S * 2 ** min(failures, 10), code=code, is_lost=True)
    if code in GROUP_SIZE:
        return Setback("too_many", wait_s, code=code)
    return Setback("scope" if code == SCOPE else "refused", wait_s, code=code)


def told(mirror: Mirror, roll: Roll, call: Call, now: Millis) -> tuple[Mirror, Roll]:
    """After a call that WeCom took."""
    after = replace(mirror, call=None, failures=0, due_at=Millis(0), trouble="", code=0)
    if call.kind == "send":
        after = replace(after, position=max(mirror.position, call.upto))
        if not call.upto and not mirror.is_greeted:
            return replace(after, is_greeted=True), roll
        return (replace(after, passed_over=0) if not call.upto else after), roll
    after = replace(after, is_made=True, told_name=call.name, told_owner=call.owner)
    gone = set(call.removing)
    staying = (user for user in roll.users if user not in gone)
    before = () if call.kind == "create" else staying
    return after, replace(roll, users=tuple(dict.fromkeys((*before, *call.adding))))


def settled(
    mirror: Mirror, roll: Roll, call: Call, now: Millis, *, setback: Setback
) -> tuple[Mirror, Roll]:
    """After a call that failed."""
    if setback.is_unfit:
        log.warning("WeCom will not have a message", extra={"code": setback.code})
        position = max(mirror.position, call.upto)
        more = mirror.passed_over + 1 if call.upto else 0
        after = replace(mirror, call=None, position=position, passed_over=more, is_greeted=True)
        return after, roll
    if setback.found is not None:
        return _found(mirror, roll, call, setback.found)
    if setback.left_out:
        out = tuple(dict.fromkeys((*roll.left_out, *setback.left_out)))
        return replace(mirror, call=None), replace(roll, left_out=out, left_out_at=now)
    failures = mirror.failures + 1
    after = replace(
        mirror,
        call=None if setback.is_known else mirror.call,
        failures=failures,
        due_at=Millis(now + round(setback.wait_s * 1000)),
    )
    if not setback.is_passing or failures >= SHOWN_AFTER:
        since = mirror.trouble_at if mirror.trouble == setback.trouble else now
        after = replace(after, trouble=setback.trouble, code=setback.code, trouble_at=since)
    if setback.is_lost:
        after = replace(after, is_made=False, is_greeted=False, made_before=mirror.made_before + 1)
        return after, replace(roll, users=())
    return after, roll


def _found(mirror: Mirror, roll: Roll, call: Call, found: GroupState) -> tuple[Mirror, Roll]:
    """The group was there: it is as WeCom says, whoever made it when."""
    ours = {user.lower(): user for user in (*roll.users, *call.adding)}
    users = tuple(ours.get(user.lower(), user) for user in found.users)
    owner = ours.get(found.owner.lower(), found.owner)
    after = replace(mirror, call=None, is_made=True, told_name=found.name, told_owner=owner)
    return after, replace(roll, users=users)
