"""What is kept for whole documents, beside the acts (`server.acting`)."""

from typing import ClassVar

from server.storage import Collection
from server.storage.document import Document


class SealKey(Document, frozen=True):
    """The key all nodes seal with, made of chance by whichever came first."""

    collection: ClassVar[Collection] = Collection("document_keys")

    key: str

    def __repr__(self) -> str:
        return f"SealKey(id={self.id!r})"
