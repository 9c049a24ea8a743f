"""The app's menu in WeCom: a way in, and the questions that can also be typed."""

from typing import Any

from server.features.wecom.questions import QUESTIONS
from server.features.wecom.texts import say

LANGUAGE = "zh"


def menu_of(url: str) -> dict[str, Any]:
    """What WeCom is told; `url` is how phones reach the server."""
    mine = [
        {"type": "click", "name": say(LANGUAGE, f"menu_{name}"), "key": name}
        for name in QUESTIONS
        if name != "help"
    ]
    return {
        "button": [
            {"type": "view", "name": say(LANGUAGE, "menu_open"), "url": f"{url}/messages"},
            {"name": say(LANGUAGE, "menu_mine"), "sub_button": mine},
            {"type": "click", "name": say(LANGUAGE, "menu_help"), "key": "help"},
        ]
    }
