"""What somebody asks by typing a word or touching the menu. Anything else is something to look for."""

from dataclasses import dataclass
from typing import Final

LONGEST_SEARCH: Final = 100
SEARCH: Final = "search"

_WORDS: Final = {
    ("todos", "zh"): ("待办", "待办事项", "审批", "daiban", "db"),
    ("todos", "en"): ("todo", "todos", "to-do", "to do"),
    ("mail", "zh"): ("邮件", "邮箱", "youjian", "yj"),
    ("mail", "en"): ("mail", "email", "e-mail"),
    ("duty", "zh"): ("值班", "排班", "zhiban", "zb"),
    ("duty", "en"): ("duty", "on duty", "on call", "roster"),
    ("help", "zh"): ("帮助", "菜单", "bangzhu", "bz", "?", "？"),
    ("help", "en"): ("help", "menu"),
}
_KNOWN: Final = {word: asked for asked, words in _WORDS.items() for word in words}

QUESTIONS: Final = ("todos", "mail", "duty", "help")
"""Also the keys of the menu's buttons."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in which language to answer, and what to look for (of a search)."""

    name: str
    language: str
    text: str = ""


def read_question(typed: str) -> Question | None:
    """What typed words ask; None when there are none."""
    text = " ".join(typed.split())
    if not text:
        return None
    if known := _KNOWN.get(text.casefold().rstrip("。.!！")):
        return Question(*known)
    language = "en" if text.isascii() else "zh"
    return Question(SEARCH, language, text[:LONGEST_SEARCH])


def read_button(key: str) -> Question | None:
    """What a button of the menu asks."""
    return Question(key, "zh") if key in QUESTIONS else None
