"""What happens to notices after they were sent: buttons that were pressed, and subjects that are over.

Both are rows that wait for the node that leads, as `Owed` is. A press is written with the callback that
brought it, so that an answered callback is never lost; a withdrawal with the change that ended its subject.
Each is removed in the version that was carried out: whatever came meanwhile keeps it.
"""

from typing import ClassVar, Final

from server.clock import Millis
from server.storage import Collection, Index
from server.storage.document import Document

_BETWEEN: Final = "@"


class Press(Document, frozen=True):
    """A button of the card `id` (its task id) was pressed; a further press of the same card replaces it.

    `says` is what came of it, once that is known: then only the card is still to be changed.
    """

    collection: ClassVar[Collection] = Collection("presses", indexes=(Index("due", ("at",)),))

    wecom_user: str
    key: str
    response_code: str
    pressed_at: Millis
    at: Millis
    failures: int = 0
    says: str = ""

    @property
    def notice_id(self) -> str:
        return self.id.partition(_BETWEEN)[0]


class Withdrawal(Document, frozen=True):
    """A subject is over: cards about it lose their buttons, plain ones are taken back."""

    collection: ClassVar[Collection] = Collection("withdrawals", indexes=(Index("due", ("at",)),))

    kind: str
    subject: str
    over_at: Millis
    at: Millis
    failures: int = 0


class Phone(Document, frozen=True):
    """What WeCom has told of somebody's phone; the id is the WeCom user id in lower case."""

    collection: ClassVar[Collection] = Collection("phones")

    left_at: Millis | None = None
    """Since when the app is not to be seen there: nothing can be sent."""
    seen_at: Millis | None = None


def task_of(notice_id: str, now: Millis) -> str:
    """A card's task id: its notice, and when it was composed, since WeCom takes each id once."""
    return f"{notice_id}{_BETWEEN}{now}"


def phone_id(wecom_user: str) -> str:
    """WeCom does not tell ids apart by case, and answers in another than it was asked."""
    return wecom_user.lower()
