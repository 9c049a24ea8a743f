"""Reading the XML around an encrypted callback, and the one inside it.

Flat XML of our own making on WeCom's side; a document type is refused, so that no entity is ever
expanded, and so is anything too large to be a callback.
"""

from typing import Final
from xml.parsers import expat

from server.integrations.wecom.crypto import BadCallback

LARGEST_CALLBACK: Final = 1024 * 1024


def read_flat(body: bytes) -> dict[str, str]:
    """The children of `<xml>` by name. Deeper ones are joined by a dot: `BatchJob.JobId`."""
    if len(body) > LARGEST_CALLBACK:
        raise BadCallback("size")
    found: dict[str, str] = {}
    path: list[str] = []
    text: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(path) >= 8:
            raise BadCallback("xml")
        path.append(name)
        text.clear()

    def end(name: str) -> None:
        if len(path) > 1:
            found.setdefault(".".join(path[1:]), "".join(text).strip())
        path.pop()
        text.clear()

    def document_type(*parts: object) -> None:
        raise BadCallback("xml")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise BadCallback("xml") from None
    return found


def encrypted_part(body: bytes) -> str:
    """What is to be opened of a POSTed callback."""
    encrypted = read_flat(body).get("Encrypt")
    if not encrypted:
        raise BadCallback("xml")
    return encrypted
