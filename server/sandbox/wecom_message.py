"""How WeCom reads the body of `message/send`: what it refuses, what it cuts, what the phone shows.

Pure. Refusals carry WeCom's errcodes; the text before the hint follows the live ones.
"""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from server.sandbox.wecom_body import Bad, check_unescaped, read_object
from server.sandbox.wecom_state import Card

LONGEST_DUPLICATE_CHECK_S: Final = 14_400
_MEDIA: Final = ("image", "voice", "file", "video")
_TEXT_BYTES: Final = 2_048


@dataclass(frozen=True, slots=True)
class Order:
    """A request that makes sense: to whom, and what they will see."""

    body: dict[str, Any]
    users: tuple[str, ...]
    parties: tuple[str, ...]
    tags: tuple[str, ...]
    card: Card
    remember_s: int
    """The window of the duplicate check in seconds; 0 when it was not asked for."""
    task_id: str = ""
    buttons: tuple[dict[str, Any], ...] = ()
    """What may be pressed, of a card with buttons."""


def read_order(raw: bytes, agent_id: int) -> Order:
    """The order in these bytes, or `Bad`."""
    check_unescaped(raw)
    body = read_object(raw)
    _check_agent(body, agent_id)
    msgtype = body.get("msgtype")
    content = body.get(msgtype) if isinstance(msgtype, str) else None
    if msgtype not in _SHOWN:
        raise Bad(40008, "invalid message type")
    if not isinstance(content, dict):
        raise Bad(40035, f"invalid parameter: {msgtype} is missing")
    if body.get("safe", 0) == 1 and msgtype in {"news", "textcard"}:
        raise Bad(40074, "invalid safe: this message type cannot be safe")
    return Order(
        body=body,
        users=_names(body, "touser", 1_000, 40032),
        parties=_names(body, "toparty", 100, 82002),
        tags=_names(body, "totag", 100, 82003),
        card=_SHOWN[msgtype](msgtype, content),
        remember_s=_duplicate_check(body),
        **(_interactive(content) if msgtype == "template_card" else {}),
    )


def _check_agent(body: dict[str, Any], agent_id: int) -> None:
    given = body.get("agentid")
    if given is None:
        raise Bad(41011, "missing agentid")
    if isinstance(given, bool) or not isinstance(given, int) or given != agent_id:
        raise Bad(40056, "invalid agentid")
    if not any(body.get(field) for field in ("touser", "toparty", "totag")):
        raise Bad(82001, "all empty: touser, toparty, totag")


def _names(body: dict[str, Any], field: str, most: int, code: int) -> tuple[str, ...]:
    given = body.get(field, "")
    if not isinstance(given, str):
        raise Bad(40035, f"invalid parameter: {field} is not a string")
    names = tuple(name for name in given.split("|") if name)
    if len(names) > most:
        raise Bad(code, f"{field} is too long: at most {most}")
    return names


def _duplicate_check(body: dict[str, Any]) -> int:
    wanted = body.get("enable_duplicate_check", 0)
    interval = body.get("duplicate_check_interval", 1_800)
    if wanted not in (0, 1) or isinstance(interval, bool) or not isinstance(interval, int):
        raise Bad(40035, "invalid parameter: the duplicate check")
    if not 0 < interval <= LONGEST_DUPLICATE_CHECK_S:
        raise Bad(40035, "invalid parameter: duplicate_check_interval")
    return interval if wanted else 0


def _field(of: str, content: dict[str, Any], name: str, most: int, *, required: bool = True) -> str:
    value = content.get(name, "")
    if not isinstance(value, str):
        raise Bad(40058, f"{of}.{name} is not a string. invalid Request Parameter")
    if required and not value:
        raise Bad(40058, f"{of}.{name} exceed min length 1. invalid Request Parameter")
    if len(value.encode()) > most:
        raise Bad(40058, f"{of}.{name} exceed max length {most}. invalid Request Parameter")
    return value


def _url(of: str, content: dict[str, Any], *, required: bool = True) -> str:
    url = _field(of, content, "url", 2_048, required=required)
    if url and not url.startswith(("http://", "https://")):
        raise Bad(40058, f"{of}.url needs http or https. invalid Request Parameter")
    return url


def _notice_id(url: str) -> str | None:
    return parse_qs(urlsplit(url).query).get("n", [None])[0]


def _textcard(msgtype: str, content: dict[str, Any]) -> Card:
    url = _url(msgtype, content)
    return Card(
        msgtype,
        _field(msgtype, content, "title", 128),
        _field(msgtype, content, "description", 512),
        url,
        # Cut, not refused: the page says so of this one.
        _field(msgtype, content, "btntxt", 2_048, required=False)[:4] or "详情",
        _notice_id(url),
    )


def _text(msgtype: str, content: dict[str, Any]) -> Card:
    text = content.get("content")
    if not isinstance(text, str) or not text:
        raise Bad(44004, "empty content")
    if msgtype == "markdown" and len(text.encode()) > _TEXT_BYTES:
        raise Bad(45002, "content size out of limit")
    shown = text.encode()[:_TEXT_BYTES].decode(errors="ignore")
    return Card(msgtype, "", shown, "")


def _news(msgtype: str, content: dict[str, Any]) -> Card:
    articles = content.get("articles")
    if not isinstance(articles, list) or not 1 <= len(articles) <= 8:
        raise Bad(45008, "article count out of limit")
    first = articles[0]
    if not isinstance(first, dict):
        raise Bad(40035, "invalid parameter: an article is not an object")
    url = _url(msgtype, first, required=msgtype == "news" and not first.get("appid"))
    title = _field(msgtype, first, "title", 128)
    description = _field(msgtype, first, "description", 512, required=False)
    return Card(msgtype, title, description, url, "", _notice_id(url))


def _media(msgtype: str, content: dict[str, Any]) -> Card:
    if not isinstance(content.get("media_id"), str) or not content["media_id"]:
        raise Bad(40007, "invalid media_id")
    title = _field(msgtype, content, "title", 128, required=False)
    return Card(msgtype, title, _field(msgtype, content, "description", 512, required=False), "")


def _template_card(msgtype: str, content: dict[str, Any]) -> Card:
    title, action = content.get("main_title"), content.get("card_action")
    if not isinstance(content.get("card_type"), str) or not isinstance(title, dict):
        raise Bad(40058, "template_card.card_type is missing. invalid Request Parameter")
    if content["card_type"] in {"text_notice", "news_notice"} and not isinstance(action, dict):
        raise Bad(40058, "template_card.card_action is missing. invalid Request Parameter")
    if not title.get("title") and not content.get("sub_title_text"):
        raise Bad(40058, "template_card.main_title.title is missing. invalid Request Parameter")
    url = _url(msgtype, action, required=False) if isinstance(action, dict) else ""
    shown = (str(title.get("title", "")), str(title.get("desc", "")))
    return Card(msgtype, *shown, url, "", _notice_id(url))


def _interactive(content: dict[str, Any]) -> dict[str, Any]:
    """Task id and buttons of a card that can be pressed."""
    if content.get("card_type") not in INTERACTIVE:
        return {}
    task_id = content.get("task_id")
    if not isinstance(task_id, str) or not _TASK_ID.fullmatch(task_id):
        raise Bad(42014, "invalid task_id")
    buttons = content.get("button_list")
    if content["card_type"] != "button_interaction":
        buttons = [{"text": "提交", "key": "submit"}]
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 6:
        raise Bad(40058, "template_card.button_list needs 1 to 6. invalid Request Parameter")
    made = tuple(_button(button) for button in buttons)
    keys = [button["key"] for button in made if button["key"]]
    if len(set(keys)) < len(keys):
        raise Bad(40058, "template_card.button_list.key is there twice. invalid Request Parameter")
    return {"task_id": task_id, "buttons": made}


def _button(given: Any) -> dict[str, Any]:
    of = "template_card.button_list"
    if not isinstance(given, dict) or given.get("type", 0) not in (0, 1):
        raise Bad(40058, f"{of} is not a list of buttons. invalid Request Parameter")
    text = _field(of, given, "text", 60)
    if given.get("type", 0) == 1:
        return {"text": text, "key": "", "url": _url(of, given), "style": given.get("style", 1)}
    key = _field(of, given, "key", 1_024)
    return {"text": text, "key": key, "url": "", "style": given.get("style", 1)}


def read_update(raw: bytes, agent_id: int) -> tuple[list[str], str, str]:
    """Users, code and what a card is to say, out of `message/update_template_card`."""
    check_unescaped(raw)
    body = read_object(raw)
    if body.get("agentid") != agent_id or isinstance(body.get("agentid"), bool):
        raise Bad(40056, "invalid agentid")
    users = body.get("userids", [])
    if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
        raise Bad(40035, "invalid parameter: userids is not a list")
    if not 1 <= len(users) <= 1_000:
        raise Bad(82001 if not users else 40032, "userids: 1 to 1000")
    code = body.get("response_code")
    if not isinstance(code, str) or not code:
        raise Bad(42014, "invalid response_code")
    button, card = body.get("button"), body.get("template_card")
    if isinstance(button, dict):
        return users, code, _field("button", button, "replace_name", 60)
    if isinstance(card, dict):
        return users, code, _template_card("template_card", card).title
    raise Bad(40058, "button or template_card is missing. invalid Request Parameter")


INTERACTIVE: Final = ("button_interaction", "vote_interaction", "multiple_interaction")
_TASK_ID: Final = re.compile(r"[A-Za-z0-9_@-]{1,128}", re.ASCII)

_SHOWN: Final = {
    "text": _text,
    "markdown": _text,
    "textcard": _textcard,
    "news": _news,
    "mpnews": _news,
    "template_card": _template_card,
    **dict.fromkeys(_MEDIA, _media),
}
