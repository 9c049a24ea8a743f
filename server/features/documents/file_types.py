"""What a file of the OA may be to a browser: judged by its name's ending and its first bytes, both of which
have to agree; what the OA calls it counts for nothing.

Only pictures, plain text and PDF are ever shown in place. Everything else is saved, under a type that helps
the phone choose an app where ending and bytes agree, and as mere bytes where they do not.
"""

import codecs
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

LOOKED_AT: Final = 512
"""First bytes a judgement needs."""
LONGEST_NAME: Final = 120

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_BEGINNINGS: Final[dict[str, tuple[str, tuple[bytes, ...]]]] = {
    "pdf": ("application/pdf", (b"%PDF-",)),
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    "docx": (f"{_OFFICE}wordprocessingml.document", _ZIP),
    "xlsx": (f"{_OFFICE}spreadsheetml.sheet", _ZIP),
    "pptx": (f"{_OFFICE}presentationml.presentation", _ZIP),
    "ofd": ("application/ofd", _ZIP),
    "zip": ("application/zip", _ZIP),
    "doc": ("application/msword", _OLE),
    "wps": ("application/vnd.ms-works", _OLE),
    "xls": ("application/vnd.ms-excel", _OLE),
    "ppt": ("application/vnd.ms-powerpoint", _OLE),
}
_SHOWN: Final = frozenset({"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp"})
_BYTES: Final = "application/octet-stream"
_UNFIT: Final = re.compile(r'[\x00-\x1f\x7f-\x9f"*/:<>?\\|\u200b-\u200f\u202a-\u202e\u2066-\u2069]')


@dataclass(frozen=True, slots=True)
class FileType:
    """How a file is given out."""

    content_type: str
    may_be_shown: bool


def type_of(name: str, begins: bytes) -> FileType:
    """By both."""
    ending = _ending(name)
    if ending in ("txt", "log", "csv"):
        charset = _charset(begins)
        if charset is None:
            return FileType(_BYTES, False)
        return FileType(f"text/plain; charset={charset}", ending != "csv")
    if ending == "webp" and begins[:4] == b"RIFF" and begins[8:12] == b"WEBP":
        return FileType("image/webp", True)
    content_type, beginnings = _BEGINNINGS.get(ending, (_BYTES, ()))
    if not begins.startswith(beginnings):
        return FileType(_BYTES, False)
    return FileType(content_type, content_type in _SHOWN)


def safe_name(name: str) -> str:
    """A name without anything that is more than a name, its ending kept."""
    name = _UNFIT.sub("_", name).strip(" .") or "file"
    if len(name) <= LONGEST_NAME:
        return name
    ending = _ending(name)[:10]
    return name[: LONGEST_NAME - len(ending) - 1] + ("." + ending if ending else "")


def disposition(name: str, *, shown: bool) -> str:
    """The header, for browsers new and old."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    kind = "inline" if shown else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _ending(name: str) -> str:
    _, dot, ending = name.rpartition(".")
    return ending.strip().lower() if dot else ""


def _charset(begins: bytes) -> str | None:
    """Of plain text; None for what is none. The last character may have been cut through."""
    if any(byte < 9 or 13 < byte < 32 for byte in begins if byte != 27):
        return None
    for charset in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(charset)().decode(begins)
        except UnicodeDecodeError:
            continue
        return charset
    return None
