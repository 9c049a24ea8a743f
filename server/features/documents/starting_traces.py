"""Finding a start whose answer was lost: in the person's own list, as a document that was not there before.

Title, kind and time have to fit, and no other start may have made it. What the list cannot prove is left
open: the OA swallows errors, so an empty list from before proves nothing and the time has to be close.
"""

from typing import Final

from server.clock import Millis
from server.features.documents.starting_records import Begun
from server.integrations.oa import Item
from server.integrations.oa.mirror import Worklist
from server.storage import Store
from server.storage.document import from_doc

CLOSE_MS: Final = 5 * 60_000
"""How far the OA's clock and ours may be apart."""
SAME_DAY_MS: Final = 12 * 3_600_000


class Traces:
    """Looks into people's lists of what they started."""

    def __init__(self, store: Store, worklist: Worklist) -> None:
        self._store = store
        self._worklist = worklist

    async def list_of(self, person_id: str) -> tuple[str, ...] | None:
        """The newest documents somebody started; None when the OA cannot be asked."""
        items = await self._read(person_id)
        return None if items is None else tuple(item.request_id for item in items)

    async def of(self, begun: Begun) -> str | None:
        """The request id of what came of a start; empty when it does not show, None when the OA cannot be
        asked."""
        items = await self._read(begun.person_id)
        if items is None:
            return None
        taken = await self._made_by_others(begun)
        fitting = [item for item in items if item.request_id not in taken and _fits(item, begun)]
        # The newest come first; what was sent first is taken for what is looked for.
        return fitting[-1].request_id if fitting else ""

    async def _read(self, person_id: str) -> tuple[Item, ...] | None:
        reading = await self._worklist.read(person_id, "started", 1, max_age_s=0)
        return None if reading.stale else reading.items

    async def _made_by_others(self, begun: Begun) -> set[str]:
        docs = await self._store.find(
            Begun.collection.name, "person", (begun.person_id,), reverse=True, limit=100
        )
        others = (from_doc(Begun, doc) for doc in docs)
        return {one.request_id for one in others if one.id != begun.id and one.request_id}


def _fits(item: Item, begun: Begun) -> bool:
    if item.request_id in begun.before or not _same(item.title, begun.title):
        return False
    if item.kind and begun.kind and not _same(item.kind, begun.kind):
        return False
    sent_at = begun.sent_at or begun.asked_at
    return _came_after(item.received_at, sent_at, proven=bool(begun.before))


def _came_after(at: Millis | None, sent_at: Millis, *, proven: bool) -> bool:
    if at is None:
        return proven
    return at >= sent_at - (SAME_DAY_MS if proven else CLOSE_MS)


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()) == " ".join(other.split())
