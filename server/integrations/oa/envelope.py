"""An answer's bytes, made fit for a strict parser, or refused before one sees them.

Office systems answer with control characters in titles, in GBK without saying so in the document,
with a login page, or with an attack. Each is recognised here, on the text; what remains is UTF-8
without a declaration, without a document type, and with legal characters only.
"""

import codecs
import re
import zlib
from typing import Final

from server.integrations.oa import Blocked, NotUnderstood

_DECLARATION = re.compile(r"\s*<\?xml\b([^>]*)\?>", re.IGNORECASE)
_DECLARED = re.compile(r"encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9._-]+)", re.IGNORECASE)
_PROLOG = re.compile(r"(?:\s+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)
_REFERENCE = re.compile(r"&#(x[0-9a-fA-F]+|[0-9]+);")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body|script|meta)\b", re.IGNORECASE)
# Supersets stand for what is usually meant: a page "in GB2312" holds characters of GB18030.
_ENCODINGS: Final = {
    "utf-8": "utf-8-sig",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "iso8859-1": "cp1252",
    "cp1252": "cp1252",
    "ascii": "utf-8",
}


def fit_for_parsing(body: bytes, content_type: str) -> bytes:
    """Clean bytes of an XML document. Raises `Blocked` for a login page, `NotUnderstood` else."""
    text = body.decode(_encoding(body, content_type), errors="replace").lstrip("\ufeff")
    text = _DECLARATION.sub("", text, count=1) if _DECLARATION.match(text) else text
    prolog = _PROLOG.match(text)
    start = text[prolog.end() if prolog else 0 :]
    if _PAGE.match(start):
        raise Blocked("The OA answered with a web page, as its login or security filter does.")
    if start[:2] == "<!":
        raise NotUnderstood("The OA's answer declares a document type; it was not read.")
    if not start:
        raise NotUnderstood("The OA's answer was empty.")
    if start[0] != "<":
        raise NotUnderstood("The OA's answer is not XML.")
    text = _REFERENCE.sub(_legal_reference, text)
    return _ILLEGAL.sub(" ", text).encode()


def _encoding(body: bytes, content_type: str) -> str:
    """By mark, by the document's declaration, by the HTTP header, in this order."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    declaration = _DECLARATION.match(body[:200].decode("latin-1"))
    named = _DECLARED.search(declaration[1]) if declaration else None
    named = named or _CHARSET.search(content_type)
    if named is None:
        return "utf-8-sig"
    try:
        return _ENCODINGS[codecs.lookup(named[1]).name]
    except LookupError:
        raise NotUnderstood("The OA's answer is in an encoding we do not read.") from None


def _legal_reference(found: re.Match[str]) -> str:
    digits = found[1]
    # Longer numbers than this are no characters, and slow to convert.
    code = int(digits[1:], 16) if digits[0] == "x" else int(digits[:10])
    if len(digits) > 10 or code > 0x10FFFF:
        return " "
    if code in (0x9, 0xA, 0xD) or (code >= 0x20 and not _ILLEGAL.match(chr(code))):
        return found[0]
    return " "


class Unpacker:
    """Takes an answer's pieces up to a size, also unpacked: small bytes may hold a large answer."""

    def __init__(self, most_bytes: int, content_encoding: str) -> None:
        if content_encoding not in ("", "identity", "gzip", "deflate"):
            raise NotUnderstood("The OA's answer is packed in a way we did not ask for.")
        packed = content_encoding in ("gzip", "deflate")
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None
        self._most = most_bytes
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> None:
        if self._stream is not None:
            try:
                piece = self._stream.decompress(piece, self._most - self._size + 1)
            except zlib.error:
                raise NotUnderstood("The OA's answer is packed and damaged.") from None
        self._size += len(piece)
        if self._size > self._most:
            raise NotUnderstood(f"The OA's answer is larger than {self._most >> 20} MiB.")
        self._parts.append(piece)

    def body(self) -> bytes:
        return b"".join(self._parts)
