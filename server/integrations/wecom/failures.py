"""WeCom's error codes, turned into what to do about them. Only the code decides, never the text."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from server.integrations.wecom import (
    CONTENT,
    UNREACHABLE,
    Misconfigured,
    Paused,
    RefusedByWeCom,
    Retry,
    WeComError,
)

DEAD_TOKEN: Final = frozenset({40014, 42001})
TOO_OFTEN: Final = 45009

_AGAIN: Final = {
    -1: "WeCom is busy",
    45033: "too many calls at once",
    40014: "WeCom refused a fresh token as invalid",
    42001: "WeCom refused a fresh token as expired",
}
_WRONG_SETTING: Final = {
    40001: "the app's secret is wrong",
    40013: "the corp id is wrong",
    40056: "the agent id is wrong",
    40091: "the app's secret is not valid",
    41001: "a call went out without a token",
    41002: "the corp id is missing",
    41004: "the app's secret is missing",
    41011: "the agent id is missing",
    48002: "the app may not use this interface",
    50001: "the redirect domain is not the app's trusted domain",
    50003: "the app is disabled",
    60020: "this server's address is not among the app's trusted addresses",
}
_UNREACHABLE: Final = {
    40003: "WeCom does not know the user id",
    46004: "WeCom does not know the user id",
    50002: "the person is outside the app's visible scope",
    60011: "the app may not reach this person",
    60021: "the person is outside the app's visible scope",
    60111: "WeCom does not know the user id",
    81013: "nobody in the request is reachable",
}
_SEEN_ADDRESS: Final = re.compile(r"from ip: ?([0-9a-fA-F.:]{3,45})")


def failure(
    code: int, answer: Mapping[str, Any], users: Iterable[str] = (), pause_s: float = 60.0
) -> WeComError:
    """The error to raise for an answer with this errcode; `users` are the request's receivers."""
    if code in _AGAIN:
        return Retry(_AGAIN[code], code)
    if code == TOO_OFTEN:
        return Paused("WeCom's limit of calls is reached", pause_s, code)
    if code in _WRONG_SETTING:
        return Misconfigured(_WRONG_SETTING[code] + _seen_address(code, answer), code)
    if code in _UNREACHABLE:
        return RefusedByWeCom(_UNREACHABLE[code], code, dict.fromkeys(users, UNREACHABLE))
    return RefusedByWeCom("WeCom refuses the request", code, dict.fromkeys(users, CONTENT))


def named(value: object) -> frozenset[str]:
    """The ids in `invaliduser` and its kind, lower-cased: `a|b`, or a list in some answers."""
    names = value.split("|") if isinstance(value, str) else value
    if not isinstance(names, list):
        return frozenset()
    return frozenset(str(name).lower() for name in names if name)


def _seen_address(code: int, answer: Mapping[str, Any]) -> str:
    # The one piece of the text worth keeping: which address an administrator has to allow.
    seen = _SEEN_ADDRESS.search(str(answer.get("errmsg", ""))) if code == 60020 else None
    return f": WeCom saw {seen[1]}" if seen else ""
