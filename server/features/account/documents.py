"""How each person wants the app to look."""

from typing import ClassVar

from server.features.account.protocol import Font, Language, Theme
from server.storage import Collection
from server.storage.document import Document


class Preferences(Document, frozen=True):
    """One per person who has chosen something; the id is the person's."""

    collection: ClassVar[Collection] = Collection("preferences")

    theme: Theme = "system"
    font: Font = "normal"
    language: Language = "zh"
