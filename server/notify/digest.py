"""A digest: what a person wants gathered goes on one card, at the hours chosen.

Whichever of the waiting notices is sent first carries the others: with its bytes it is written into
each of them (`into`) that it does. They stay in the queue, ask at their next turn what became of it, and
end as it did. So a crash at any moment leaves either notices that still wait, or notices that know whom to
ask; nothing has to be put right.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from realtime.application import Reach
from realtime.presence import Presence
from server.notify.duty import Draft, Duty
from server.notify.texts import digest_description, digest_title
from server.outbox import Notice
from server.storage import Op, Patch, Store
from server.storage.document import from_doc

PATH: Final = "/me/notices"
MOST_GATHERED: Final = 100
ASK_AGAIN_MS: Final = 2_000
_NOTICES: Final = Notice.collection.name


@dataclass(frozen=True, slots=True)
class Gathered:
    """One of those that are carried: its row as read, and what it says."""

    notice: Notice
    version: int
    draft: Draft

    def carried_by(self, carrier: Notice, now: int) -> Op:
        """Write down who carries it, and how far it is told by that."""
        told = {
            "into": carrier.id,
            "at": now + ASK_AGAIN_MS,
            "path": self.draft.path,
            "upto": self.draft.upto,
            "after": self.draft.after,
        }
        return Patch(_NOTICES, self.notice.id, told, self.version)


class Digest:
    """Finds what goes on one card, and words it."""

    def __init__(self, store: Store, presence: Presence, duties: Mapping[str, Duty]) -> None:
        self._store = store
        self._presence = presence
        self._duties = duties

    async def others(self, carrier: Notice, is_due: Callable[[Notice], bool]) -> list[Gathered]:
        """What else is due for the same card: still unseen, and not on a screen."""
        docs = await self._store.find(
            _NOTICES, "person", (carrier.person_id,), reverse=True, limit=2 * MOST_GATHERED
        )
        found: list[Gathered] = []
        for doc in reversed(docs):
            notice = from_doc(Notice, doc)
            if _waits_too(notice, carrier) and is_due(notice) and len(found) < MOST_GATHERED:
                draft = await self._draft(notice)
                if draft is not None:
                    found.append(Gathered(notice, doc["_v"], draft))
        return found

    async def _draft(self, notice: Notice) -> Draft | None:
        duty = self._duties.get(notice.kind)
        if duty is None:
            return None
        draft = await duty.draft(notice.person_id, notice.subject)
        if draft is None:
            return None
        reach = await self._presence.reach([notice.person_id], draft.newest_at)
        return draft if reach.get(notice.person_id, Reach.AWAY) is Reach.AWAY else None

    async def carrier_of(self, notice: Notice) -> Notice | None:
        """The notice that carries this one, as it is now."""
        doc = await self._store.get(_NOTICES, notice.into)
        return None if doc is None else from_doc(Notice, doc)


def _waits_too(notice: Notice, carrier: Notice) -> bool:
    return (
        notice.id != carrier.id
        and notice.state == "queued"
        and notice.why == "digest"
        and notice.into in ("", carrier.id)
    )


def one_card(own: Draft, others: Sequence[Gathered]) -> Draft:
    """The card for all of them; it settles its own place, the others settle theirs."""
    drafts = [own, *(other.draft for other in others)]
    return Draft(
        title=digest_title("zh", sum(draft.count for draft in drafts)),
        description=digest_description("zh", [(draft.title, draft.count) for draft in drafts]),
        path=PATH,
        upto=own.upto,
        newest_at=own.newest_at,
        after=own.after,
        count=own.count,
    )
