"""What the calls of WeCom's interface have in common in reading a body, and how they refuse."""

import json
import re
from typing import Any, Final

_ESCAPED: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")


class Bad(Exception):
    """WeCom's answer to a request it does not take."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def read_object(raw: bytes) -> dict[str, Any]:
    """A body that is a JSON object. Raises Bad."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise Bad(40035, "invalid parameter: the body is not JSON") from None
    if not isinstance(body, dict):
        raise Bad(40035, "invalid parameter: the body is not an object")
    return body


def check_unescaped(raw: bytes) -> None:
    """Of texts that people see WeCom takes the letters themselves, no `\\uxxxx`. Raises Bad."""
    if _ESCAPED.search(raw):
        raise Bad(40033, "invalid character: \\uxxxx is not allowed")
