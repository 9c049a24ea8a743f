"""What is kept of callbacks: which were heard, and what was answered to whom."""

from typing import ClassVar

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document


class Heard(Document, frozen=True):
    """A callback that was acted on: the same again is not. The id says which it is."""

    collection: ClassVar[Collection] = Collection("wecom_heard", indexes=(Index("at", ("at",)),))

    at: Millis


class Reply(Document, frozen=True):
    """Somebody asked something in WeCom; `told` is 1 once that was answered. The id is the callback's."""

    collection: ClassVar[Collection] = Collection("wecom_replies", indexes=(Index("at", ("at",)),))

    person_id: str
    question: str
    language: str
    at: Millis
    text: str = ""
    told: int = 0
