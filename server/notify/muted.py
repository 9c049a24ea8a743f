"""That somebody was not told because the place is muted, for the ledger: one row per person and place.

A busy conversation is looked at every second; the row is written again only now and then, with the
time of the newest thing that was not told.
"""

from collections.abc import Sequence
from typing import Final

from server.clock import Millis
from server.notify.duty import Claim
from server.outbox import Notice, Owed
from server.storage import Op, Put
from server.storage.document import to_doc

EVERY_MS: Final = 600_000
MOST_KNOWN: Final = 20_000


class Muted:
    """Which rows were written lately."""

    def __init__(self) -> None:
        self._written: dict[str, int] = {}

    def rows(self, row: Owed, claims: Sequence[Claim], now: int) -> list[Op]:
        """What to write for people who were not told of a place because they muted it."""
        if len(self._written) > MOST_KNOWN:
            self._written.clear()
        ops: list[Op] = []
        for claim in claims:
            id = f"muted:{row.kind}:{row.subject}:{claim.person_id}"
            if abs(now - self._written.get(id, -EVERY_MS)) >= EVERY_MS:
                self._written[id] = now
                doc = to_doc(_settled(id, row, claim, Millis(now)))
                ops.append(Put(Notice.collection.name, doc, None))
        return ops


def _settled(id: str, row: Owed, claim: Claim, now: Millis) -> Notice:
    return Notice(
        id=id,
        person_id=claim.person_id,
        kind=row.kind,
        subject=row.subject,
        state="settled",
        priority=claim.priority,
        at=now,
        created_at=now,
        upto=claim.upto,
        after=claim.after,
        count=claim.count,
        why="muted",
    )
