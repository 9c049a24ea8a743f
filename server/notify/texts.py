"""The common wording of notices, in a person's language.

Names of people and groups are shown; what was written is shown only where the hospital has decided so
(`notice_show_text`), because a locked screen is read by whoever stands beside it.
"""

from collections.abc import Sequence
from typing import Final

MOST_COUNTED: Final = 99
EXCERPT_CHARACTERS: Final = 40
DIGEST_LINES: Final = 4

_WORDS: Final[dict[str, dict[str, str]]] = {
    "zh": {
        "one": "{who} 发来一条新消息",
        "many": "{who} 发来 {count} 条新消息",
        "group_one": "{who} 发来一条新消息",
        "group_many": "{who}等 {count} 条新消息",
        "mention": "{who} 提到了你",
        "todo": "待办：{title}",
        "todo_from": "{who} 提交，等待你处理",
        "urgent": "【紧急】",
        "urged": "催办：{title}",
        "urged_by": "{who} 提醒你处理",
        "deputed": "代{who}：{title}",
        "deputed_from": "{who} 提交，{principal} 请你代为关注",
        "approve": "同意",
        "approved": "已同意",
        "handled": "已处理",
        "open": "请打开查看",
        "changed": "已变动，请打开查看",
        "not_done": "未办成，请打开查看",
        "digest": "你有 {count} 条通知",
        "digest_line": "{title}（{count}）",
        "digest_more": "……等 {count} 项",
        "late": "补发的通知",
        "late_text": "此前有一条通知没有送达，请打开查看",
    },
    "en": {
        "one": "{who} sent you a message",
        "many": "{who} sent you {count} messages",
        "group_one": "{who} wrote a message",
        "group_many": "{count} new messages from {who} and others",
        "mention": "{who} mentioned you",
        "todo": "To do: {title}",
        "todo_from": "From {who}, waiting for you",
        "urgent": "[Urgent] ",
        "urged": "Reminder: {title}",
        "urged_by": "{who} asks you to handle it",
        "deputed": "For {who}: {title}",
        "deputed_from": "From {who}; {principal} asks you to look after it",
        "approve": "Approve",
        "approved": "Approved",
        "handled": "Handled",
        "open": "Please open",
        "changed": "Changed, please open",
        "not_done": "Not done, please open",
        "digest": "You have {count} notices",
        "digest_line": "{title} ({count})",
        "digest_more": "… {count} things in all",
        "late": "A notice sent again",
        "late_text": "An earlier notice did not reach you; please open it",
    },
}


def say(language: str, word: str, **values: object) -> str:
    """One of the common phrases; an unknown language is answered in Chinese."""
    return _WORDS.get(language, _WORDS["zh"])[word].format(**values)


def counted(count: int) -> str:
    """A count as badges show it: 99+ from a hundred on."""
    return str(count) if count <= MOST_COUNTED else f"{MOST_COUNTED}+"


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT_CHARACTERS else line[: EXCERPT_CHARACTERS - 1] + "…"


def message_description(
    language: str, who: str, count: int, *, group: bool, text: str = "", mentioned: bool = False
) -> str:
    """What a chat notice says below its title; `text` only if it may be shown."""
    if mentioned:
        line = say(language, "mention", who=who)
    elif count > 1:
        word = "group_many" if group else "many"
        line = say(language, word, who=who, count=counted(count))
    else:
        line = say(language, "group_one" if group else "one", who=who)
    return f"{line}\n{excerpt(text)}" if text else line


def todo_title(language: str, title: str, *, urgent: bool = False) -> str:
    """The title of a notice about one document."""
    mark = say(language, "urgent") if urgent else ""
    return mark + say(language, "todo", title=title)


def todo_description(language: str, creator: str) -> str:
    """What a notice about one document says below its title."""
    return say(language, "todo_from", who=creator)


def urged_title(language: str, title: str, *, urgent: bool = False) -> str:
    """The title of a notice that reminds of one document."""
    mark = say(language, "urgent") if urgent else ""
    return mark + say(language, "urged", title=title)


def urged_description(language: str, who: str) -> str:
    """What such a notice says below its title."""
    return say(language, "urged_by", who=who)


def deputed_title(language: str, who: str, title: str, *, urgent: bool = False) -> str:
    """The title of a notice about a document that waits for somebody else."""
    mark = say(language, "urgent") if urgent else ""
    return mark + say(language, "deputed", who=who, title=title)


def deputed_description(language: str, creator: str, principal: str) -> str:
    """What such a notice says below its title."""
    return say(language, "deputed_from", who=creator, principal=principal)


def digest_title(language: str, count: int) -> str:
    """The title of a card for several things."""
    return say(language, "digest", count=counted(count))


def digest_description(language: str, parts: Sequence[tuple[str, int]]) -> str:
    """What a card for several things says: the titles their own cards would have had."""
    lines = [
        say(language, "digest_line", title=excerpt(title), count=counted(count))
        for title, count in parts[:DIGEST_LINES]
    ]
    if len(parts) > DIGEST_LINES:
        lines.append(say(language, "digest_more", count=len(parts)))
    return "\n".join(lines)
