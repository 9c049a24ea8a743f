"""Which documents may be approved without being opened first: from a WeCom card, or from a list.

The operator names the kinds, and words of risk (money, secrets) that keep a document out whatever its kind.
What a document's form says is known only once it is opened, so this is asked again then.
"""

from server.integrations.oa.documents import OpenedDocument
from server.settings import Settings

ANY_KIND = "*"


class PlainYes:
    """The operator's rules."""

    def __init__(self, settings: Settings) -> None:
        self._kinds = settings.oa_kinds_on_cards
        self._risks = settings.oa_words_of_risk

    def is_enough(self, kind: str, title: str) -> bool:
        """Whether a yes may be offered, by what a list shows."""
        allowed = ANY_KIND in self._kinds or kind in self._kinds
        return allowed and not self.is_risky(kind, title)

    def is_risky(self, *texts: str) -> bool:
        """Whether any of the texts holds a word of risk."""
        return any(word in text for word in self._risks for text in texts)

    def is_all(self, opened: OpenedDocument) -> bool:
        """Whether a document, now opened, wants nothing but a yes."""
        return (
            self.is_enough(opened.kind, opened.title)
            and not opened.demands
            and not self.is_risky(*(one.label for one in opened.filled))
            and not self.is_risky(*(table.title for table in opened.tables if table.rows))
            and not any(one.kind == "money" for one in opened.filled)
        )
