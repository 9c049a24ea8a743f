"""How one person's pending documents are read, and when the answer is believed.

The count is asked first, since it is cheap. Which documents there are is read when the count moved,
or when the caller wants to be sure. The list is newest first, so its first page shows every
arrival; only if that differs from what was seen is the rest read, and the count once more to know
that nothing moved meanwhile.

**Zero is doubted.** Some systems answer 0 and an empty list when they have failed inside. "Nothing
waits" is believed when it was said twice, at least a moment apart; when the list, asked as if
something waited, is empty too; and when between the two the OA was seen to hold something for
anybody (or in this person's own list of done documents). Without such a sign it is believed only
after `PATIENCE_S`.

A person's first reading is doubted too, for a false zero there would make news of old documents. But
not for long, and not at all if the OA held something for somebody just before: a person is to have
a baseline early, or his first new document goes unannounced.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from server.clock import Clock
from server.integrations.oa import OA, PAGE_ROWS, Item, NotUnderstood
from server.integrations.oa.budget import Lane
from server.integrations.oa.mirror import Seen

Depth = Literal["count", "first_page", "whole"]
"""How much is read although the count stayed."""

FOLLOWED_PAGES: Final = 25
"""Pages of a list that are followed; whoever has more waiting is told a number for the rest."""

CONFIRM_S: Final = 1.0
"""Time between a zero and the reading that may confirm it."""

SIGN_AFTER_S: Final = 0.5
"""A sign of life counts from so long after the zero: answers under way then prove nothing."""

LIVELY_S: Final = 1.0
"""A sign of life speaks for what is asked this shortly after it, and no longer."""

FIRST_PATIENCE_S: Final = 3.0
"""The same for a person's first reading, where waiting long would swallow his first document."""

PATIENCE_S: Final = 600.0
"""A zero nobody contradicts and nothing confirms is believed after this."""

TRIES: Final = 3


class ZeroDoubted(NotUnderstood):
    """The OA says that nothing waits, and this is not yet believed."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: whether the documents were looked at, not only counted, and to the end."""

    seen: Seen
    verified: bool
    is_whole: bool = False


class PendingReader:
    """Reads pending lists. Remembers when the OA last held anything for anybody."""

    def __init__(self, oa: OA, clock: Clock) -> None:
        self._oa = oa
        self._clock = clock
        self._sign_at: float | None = None

    async def read(
        self, user: str, seen: Seen | None, doubted_at: float | None, depth: Depth, lane: Lane
    ) -> Read:
        """`seen` is what is known, `doubted_at` when the first zero of a row of zeros was heard.

        Raises `ZeroDoubted`, or what the OA port raises.
        """
        as_of, asked_at = self._clock.now(), self._clock.monotonic()
        has_sign = doubted_at is None or await self._has_sign(user, doubted_at, lane)
        counted = (await self._oa.counts(user, lane=lane)).pending
        if counted == 0:
            if seen is None or seen.items:
                at_once = seen is None and self._is_lively(asked_at)
                await self._believe_zero(user, seen, doubted_at, has_sign, at_once, lane)
            return Read(Seen((), 0, as_of), verified=True, is_whole=True)
        self._sign_at = self._clock.monotonic()
        if seen is not None and counted == seen.count and depth == "count":
            return Read(replace(seen, as_of=as_of), verified=False)
        if seen is not None and counted != seen.count and lane is Lane.VISIBLE:
            lane = Lane.HINTED  # something is known to have changed, and somebody is looking
        first = await self._page(user, 1, counted, lane)
        if (
            seen is not None
            and depth != "whole"
            and counted == seen.count
            and _ids(first) == _ids(seen.items[:PAGE_ROWS])
        ):
            fresh = first + seen.items[len(first) :]
            return Read(replace(seen, items=fresh, as_of=as_of), verified=True)
        items, counted = await self._whole(user, first, counted, lane)
        complete = counted <= FOLLOWED_PAGES * PAGE_ROWS
        return Read(Seen(items, counted, as_of, complete), verified=True, is_whole=True)

    async def _whole(
        self, user: str, first: tuple[Item, ...], counted: int, lane: Lane
    ) -> tuple[tuple[Item, ...], int]:
        for _ in range(TRIES):
            pages = min(FOLLOWED_PAGES, -(-counted // PAGE_ROWS))
            items = {item.request_id: item for item in first}
            for page in range(2, pages + 1):
                rows = await self._page(user, page, counted, lane)
                items |= {row.request_id: row for row in rows if row.request_id not in items}
            if pages == 1:
                return tuple(items.values()), counted
            again = (await self._oa.counts(user, lane=lane)).pending
            if again == counted:
                return tuple(items.values()), counted
            counted = again
            first = await self._page(user, 1, counted, lane)
        raise NotUnderstood("The OA's list changed each time while it was read.")

    async def _page(self, user: str, page: int, counted: int, lane: Lane) -> tuple[Item, ...]:
        rows = (await self._oa.list_items(user, "pending", page, counted, lane=lane)).items
        if not rows:
            raise NotUnderstood("The OA counts documents that its list does not show.")
        return rows

    async def _has_sign(self, user: str, since: float, lane: Lane) -> bool:
        """Whether the OA was seen to hold something just now, and after `since`; asks if not."""
        now = self._clock.monotonic()
        if now < since + SIGN_AFTER_S:
            return False
        if self._sign_at is not None and self._sign_at >= max(since + SIGN_AFTER_S, now - LIVELY_S):
            return True
        done = await self._oa.list_items(user, "done", 1, lane=lane)
        if done.items:
            self._sign_at = self._clock.monotonic()
        return bool(done.items)

    def _is_lively(self, asked_at: float) -> bool:
        return self._sign_at is not None and asked_at - self._sign_at <= LIVELY_S

    async def _believe_zero(
        self,
        user: str,
        seen: Seen | None,
        doubted_at: float | None,
        has_sign: bool,
        at_once: bool,
        lane: Lane,
    ) -> None:
        """Return when "nothing waits" is to be believed; raise `ZeroDoubted` otherwise."""
        if not at_once:
            if doubted_at is None:
                raise ZeroDoubted("The OA says for the first time that nothing waits.")
            waited_s = self._clock.monotonic() - doubted_at
            patience_s = FIRST_PATIENCE_S if seen is None else PATIENCE_S
            if waited_s < CONFIRM_S or (not has_sign and waited_s < patience_s):
                raise ZeroDoubted("The OA says that nothing waits, and shows nothing else either.")
        # As if something waited: told the true total, 0, some builds show no rows even if there
        # are.
        former = max(PAGE_ROWS, seen.count if seen is not None else 0)
        if (await self._oa.list_items(user, "pending", 1, former, lane=lane)).items:
            self._sign_at = self._clock.monotonic()
            raise ZeroDoubted("The OA counts nothing and lists documents.")


def _ids(items: tuple[Item, ...]) -> list[str]:
    return [item.request_id for item in items]


def changes(before: Seen | None, after: Seen) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """What arrived and which requests are gone. Beyond what is followed, neither is claimed."""
    if before is None:
        return after.items, ()
    known, now = before.request_ids, after.request_ids
    arrived = [item for item in after.items if item.request_id not in known]
    gone = [item for item in before.items if item.request_id not in now]
    if not before.complete and before.items:
        arrived = [item for item in arrived if _at(item) >= _at(before.items[-1])]
    if not after.complete and after.items:
        gone = [item for item in gone if _at(item) > _at(after.items[-1])]
    return tuple(arrived), tuple(item.request_id for item in gone)


def _at(item: Item) -> int:
    return item.received_at or 0
