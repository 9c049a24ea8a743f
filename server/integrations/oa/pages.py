"""Pages of lists that are not followed: asked for when somebody opens them, kept for a while."""

from collections import OrderedDict
from typing import Final

from server.clock import Clock, Millis
from server.integrations.oa import OA, PAGE_ROWS, NotUnderstood, OAError, Page, State
from server.integrations.oa.asking import Asking
from server.integrations.oa.book import Book, Person
from server.integrations.oa.mirror import Reading

PAGES_KEPT: Final = 2_000

PageKey = tuple[str, str, State, int]
"""Person, OA user, list, page: what a former account of somebody held is not that person's."""


class Pages:
    """The last page seen of each kind, so that it can be shown while the OA is away."""

    def __init__(self, oa: OA, book: Book, clock: Clock, asking: Asking) -> None:
        self._oa, self._book, self._clock, self._asking = oa, book, clock, asking
        self._pages: OrderedDict[PageKey, tuple[Page, Millis, float]] = OrderedDict()

    async def read(self, person: Person, state: State, page: int, max_age_s: float) -> Reading:
        """A page no older than asked for, or stale."""
        key: PageKey = (person.person_id, person.oa_user, state, page)
        kept = self._pages.get(key)
        fresh = kept is not None and self._clock.monotonic() - kept[2] <= max_age_s
        if not fresh:
            fresh = await self._asking.shared(key, self._fetch(person, key))
            kept = self._pages.get(key)
        if kept is None:
            return Reading((), None, None, stale=True)
        return Reading(kept[0].items, kept[0].total, kept[1], stale=not fresh)

    def forget(self, person_id: str) -> None:
        for key in [key for key in self._pages if key[0] == person_id]:
            del self._pages[key]

    async def _fetch(self, person: Person, key: PageKey) -> None:
        _, _, state, number = key
        as_of, started = self._clock.now(), self._clock.monotonic()
        try:
            page = await self._oa.list_items(person.oa_user, state, number)
            if not page.items and (page.total or 0) > (number - 1) * PAGE_ROWS:
                raise NotUnderstood("The OA counts documents that its list does not show.")
        except OAError as failed:
            self._book.trouble = failed.sentence
            raise
        self._book.heard()
        self._pages[key] = (page, as_of, started)
        self._pages.move_to_end(key)
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
