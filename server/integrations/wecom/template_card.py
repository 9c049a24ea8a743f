"""The bytes of a card with buttons, and of what changes it afterwards.

Pure functions, as `textcard.py` has them for the plain card. A button either comes back to us as a
callback or opens an address. The task id names the card in that callback and is used once per app.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from server.integrations.wecom.textcard import (
    DESCRIPTION_BYTES,
    DUPLICATE_CHECK_S,
    TITLE_BYTES,
    checked_url,
    checked_users,
    cut,
    one_line,
)

MOST_BUTTONS: Final = 6
BUTTON_BYTES: Final = 30
KEY_BYTES: Final = 1_024
PRIMARY, PLAIN = 1, 2
_TASK_ID: Final = re.compile(r"[A-Za-z0-9_@-]{1,128}")


@dataclass(frozen=True, slots=True)
class Button:
    """What a person may press. `key` comes back with the callback."""

    text: str
    key: str


def button_card_request(
    agent_id: int,
    user_ids: Sequence[str],
    title: str,
    description: str,
    url: str,
    *,
    task_id: str,
    buttons: Sequence[Button],
    open_text: str = "查看",
) -> bytes:
    """The JSON body of `message/send` for a card with buttons, the last of which opens `url`.

    The same arguments always give the same bytes.
    """
    if not _TASK_ID.fullmatch(task_id):
        raise ValueError("a task id has 1 to 128 letters, digits, _, - or @")
    if not 0 < len(buttons) < MOST_BUTTONS or len({b.key for b in buttons}) < len(buttons):
        raise ValueError("a card has one to five buttons of its own, each with its key")
    address = checked_url(url)
    card: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": {
            "title": cut(one_line(title), TITLE_BYTES) or "…",
            "desc": cut(one_line(description), DESCRIPTION_BYTES),
        },
        "card_action": {"type": 1, "url": address},
        "task_id": task_id,
        "button_list": [
            *(
                {"type": 0, "text": _button_text(b.text), "style": PRIMARY, "key": b.key}
                for b in buttons
            ),
            {"type": 1, "text": _button_text(open_text), "style": PLAIN, "url": address},
        ],
    }
    return _bytes(
        {
            "touser": "|".join(checked_users(user_ids)),
            "msgtype": "template_card",
            "agentid": agent_id,
            "template_card": card,
            "enable_duplicate_check": 1,
            "duplicate_check_interval": DUPLICATE_CHECK_S,
        }
    )


def card_update(agent_id: int, user_ids: Sequence[str], response_code: str, says: str) -> bytes:
    """The JSON body of `message/update_template_card`: buttons give way to words."""
    return _bytes(
        {
            "userids": list(checked_users(user_ids)),
            "agentid": agent_id,
            "response_code": response_code,
            "button": {"replace_name": _button_text(says)},
        }
    )


def _button_text(text: str) -> str:
    return cut(one_line(text), BUTTON_BYTES)


def _bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
