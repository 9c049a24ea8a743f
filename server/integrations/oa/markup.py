"""Out of an OA's HTML: markup that does no harm, text with its lines, and the files that it names.

Opinions may keep their paragraphs, emphasis and tables, and nothing else: no links (they lead into the
OA's own pages), no pictures (signatures too are fetched from its address), no attributes at all. Files
stand only in such HTML: as a link that opens one in the OA's page, and often one more to fetch it. Of
both only the number of the file is kept.
"""

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import nh3
from lxml import etree

from server.integrations.oa.documents import Attachment
from server.integrations.oa.plain import INVISIBLE, plain_text

MOST_MARKUP: Final = 20_000
"""Characters of an opinion or a long text that are looked at."""

MOST_FILES: Final = 100
LONGEST_NAME: Final = 200

_TAGS: Final = frozenset(
    ("p", "div", "br", "b", "strong", "i", "em", "u", "s", "sub", "sup", "blockquote")
) | frozenset(("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"))
_UNSEEN: Final = frozenset(
    (
        "script",
        "style",
        "title",
        "noscript",
        "textarea",
        "select",
        "iframe",
        "object",
        "svg",
        "math",
    )
)
_CLEANER: Final = nh3.Cleaner(
    tags=set(_TAGS), clean_content_tags=set(_UNSEEN), attributes={}, link_rel=None
)
_PARSER: Final = etree.HTMLParser(
    encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True
)
_A_TAG = re.compile(r"<[a-zA-Z/!]")
_LINE = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6]|blockquote)\s*>|<hr\s*/?>", re.IGNORECASE)
_CELL = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
_EMPTY_LINES = re.compile(r"\n{3,}")

_FETCHED = re.compile(r"[?&;]fileid=([0-9]{1,18})(?![0-9])", re.IGNORECASE)
_OPENED = re.compile(r"openDoc\w{0,20}\(\s*'?[0-9]+'?\s*,\s*'?([0-9]{1,18})'?\s*[,)]")
_SIZE = re.compile(
    r"[(（]\s*+([0-9][0-9,]{0,12}(?:\.[0-9]{1,6})?)\s*+([KMG]?)B?\s*+[)）]\s*+$", re.IGNORECASE
)
_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_FETCH_WORDS: Final = frozenset(("下载", "下載", "download", "打开", "查看", "预览"))


def harmless_html(value: str | None) -> str:
    """An opinion as it may stand in a page; empty when nothing of it can be read."""
    text = INVISIBLE.sub("", (value or "")[:MOST_MARKUP])
    if not _A_TAG.search(text):
        lines = html.unescape(text).strip().splitlines()
        return "<br>".join(html.escape(line, quote=False) for line in lines)
    clean = _CLEANER.clean(text).strip()
    return clean if plain_text(clean) else ""


def text_in(value: str | None) -> str:
    """A long text as a person would read it, its lines kept."""
    text = (value or "")[:MOST_MARKUP]
    if _A_TAG.search(text):
        text = _CELL.sub(" ", _LINE.sub("\n", text.replace("\r", "").replace("\n", " ")))
    lines = [plain_text(line, MOST_MARKUP) for line in text.splitlines()]
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


def holds_markup(value: str | None) -> bool:
    """Whether a stored text is more than its words."""
    return _A_TAG.search(value or "") is not None


def markup_of(words: str) -> str:
    """What a person typed, as it goes where an OA keeps HTML."""
    return html.escape(words, quote=False).replace("\r\n", "\n").replace("\n", "<br>")


def file_name(value: str | None) -> str:
    """A file's name without any path, unseen characters, or dots that would hide it."""
    name = re.split(r"[/\\]", plain_text(value))[-1].strip().lstrip(".").strip()
    if len(name) > LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        name = stem[: LONGEST_NAME - len(ending) - 1] + dot + ending[:20]
    return name


def files_in(*values: str | None) -> tuple[Attachment, ...]:
    """The files that pieces of HTML name, each once."""
    found: dict[str, Attachment] = {}
    for value in values:
        if not value or "<" not in value:
            continue
        for one in _files(_links(value[:MOST_MARKUP])):
            if len(found) < MOST_FILES:
                found.setdefault(one.id, one)
    return tuple(found.values())


def _links(markup: str) -> list[tuple[str, str]]:
    """What links lead to and how they are called, in their order. Read by lxml: the standard library's
    parser takes seconds for a few thousand characters of tags that never end."""
    root: Any = etree.HTML(markup.encode(errors="replace"), _PARSER)
    found = [] if root is None else root.iter("a")
    return [(_number(one.attrib), "".join(one.itertext())) for one in found]


def _files(links: Iterable[tuple[str, str]]) -> list[Attachment]:
    """A name may stand at a link of its own, before the one that tells the number."""
    names: dict[str, str] = {}
    waiting = ""
    for number, text in links:
        words = text.strip()
        name = "" if words.lower() in _FETCH_WORDS else words
        if not number:
            waiting = name or waiting
            continue
        if not names.get(number):
            names[number] = name or waiting
        waiting = ""
    return [_attachment(number, name) for number, name in names.items()]


def _number(given: Mapping[str, str]) -> str:
    found = _FETCHED.search(given.get("href", "")) or _OPENED.search(
        given.get("onclick", "") + given.get("href", "")
    )
    return found[1] if found else ""


def _attachment(number: str, name: str) -> Attachment:
    size = _SIZE.search(name)
    told = None
    if size is not None:
        told = round(float(size[1].replace(",", "")) * _UNITS[size[2].upper()])
        name = name[: size.start()]
    return Attachment(number, file_name(name) or number, told)
