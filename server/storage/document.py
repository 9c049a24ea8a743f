"""Typed documents: a msgspec class for what a collection holds.

Features work with these; the store sees plain JSON objects. The version of a document is not part of
it: the unit of work remembers which one was read.
"""

from typing import Any, ClassVar, TypeVar

import msgspec

from server.storage import Collection, Doc


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something stored under an id. Fields holding their default are left out of the stored form."""

    collection: ClassVar[Collection]

    id: str = msgspec.field(name="_id")


D = TypeVar("D", bound=Document)


def to_doc(document: Document) -> Doc:
    """The stored form."""
    doc: dict[str, Any] = msgspec.to_builtins(document)
    return doc


def from_doc(kind: type[D], doc: Doc) -> D:
    """The typed form of what the store gave."""
    return msgspec.convert(doc, kind)
