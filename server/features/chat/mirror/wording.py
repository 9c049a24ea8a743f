"""What a group in WeCom reads. Chinese, as everything that leaves for phones.

WeCom reads a text as markup that can hold links. What people write is text; this keeps it text. A long
one is cut, and says where the whole of it stands.
"""

from typing import Final

from server.features.chat.shapes import Message, Recalled

LONGEST: Final = 1_600
"""Bytes of one message's text: with name and link it fits into what WeCom shows."""

_MARKUP: Final = str.maketrans({"<": "＜", ">": "＞"})


def plain(text: str) -> str:
    """Text that stays text."""
    return text.translate(_MARKUP)


def greeting(title: str, *, with_messages: bool, url: str) -> str:
    """The first line: WeCom shows a group only once it has one."""
    carried = "群成员、群名称和消息" if with_messages else "群成员和群名称"
    return (
        f"本群由院信群聊“{plain(title)}”建立，{carried}以院信为准。"
        f'在这里发送的内容不会回到院信。<a href="{url}">打开院信</a>'
    )


def said(name: str, message: Message, url: str) -> str:
    """A message: who, and what."""
    if isinstance(message.content, Recalled):
        return recalled(name)
    text = plain(message.content.text)
    encoded = text.encode()
    if len(encoded) > LONGEST:
        text = encoded[:LONGEST].decode(errors="ignore") + f'… <a href="{url}">查看全文</a>'
    return f"{plain(name)}：{text}"


def recalled(name: str) -> str:
    """WeCom cannot take a group's message back; the group is told that it was meant to."""
    return f"{plain(name)}撤回了一条消息。"


def passed_over(count: int, url: str) -> str:
    """Messages that are not shown here."""
    return f'有 {count} 条消息没有同步到这里，<a href="{url}">请在院信中查看</a>'
