"""One list, newest first, out of two that are each newest first and come in pages.

What a person has done lies in two lists of the OA: documents still running and documents archived.
The page asked for is merged from where the page before it ended; those places are remembered
while the totals stay, so that reading on costs two to four pages. A leap far ahead starts at an
estimated place instead of walking there page by page: the order there is approximate, the cost is
bounded.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from server.integrations.oa import PAGE_ROWS, Item

Fetch = Callable[[int, int], Awaitable[tuple[Item, ...]]]
"""Rows of a page, given its number and the list's total."""

Offsets = tuple[int, int]

FARTHEST_WALK: Final = 10
"""Pages walked at most to find where a page begins."""

REMEMBERED_PEOPLE: Final = 500


class Places:
    """Where pages of merged lists begin, for the people who read lately."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Offsets, dict[int, Offsets]]] = OrderedDict()

    def of(self, whose: str, totals: Offsets) -> dict[int, Offsets]:
        """Page number to offsets; empty but for the first page when the lists' totals changed."""
        kept = self._known.pop(whose, None)
        starts = kept[1] if kept is not None and kept[0] == totals else {1: (0, 0)}
        self._known[whose] = (totals, starts)
        while len(self._known) > REMEMBERED_PEOPLE:
            self._known.popitem(last=False)
        return starts


async def merged_page(
    page: int, totals: Offsets, fetches: tuple[Fetch, Fetch], starts: dict[int, Offsets]
) -> tuple[Item, ...]:
    """The rows of one page; learns in `starts` where the next ones begin."""
    sides = [_Side(fetch, total) for fetch, total in zip(fetches, totals, strict=True)]
    nearest = max(known for known in starts if known <= page)
    if page - nearest > FARTHEST_WALK:
        before = (page - 1) * PAGE_ROWS
        first = round(before * totals[0] / max(1, sum(totals)))
        starts = {page: (first, before - first)}
        nearest = page
    rows: tuple[Item, ...] = ()
    for number in range(nearest, page + 1):
        rows, starts[number + 1] = await _one_page(sides, starts[number])
    return rows


async def _one_page(sides: list["_Side"], at: Offsets) -> tuple[tuple[Item, ...], Offsets]:
    rows: dict[str, Item] = {}
    offsets = list(at)
    while len(rows) < PAGE_ROWS:
        heads = [await side.head(offset) for side, offset in zip(sides, offsets, strict=True)]
        there = [(head[1], which) for which, head in enumerate(heads) if head is not None]
        if not there:
            break
        item, which = max(there, key=lambda pair: (pair[0].received_at or 0, -pair[1]))
        head = heads[which]
        offsets[which] = (head[0] if head else offsets[which]) + 1
        rows.setdefault(item.request_id, item)
    return tuple(rows.values()), (offsets[0], offsets[1])


class _Side:
    """One of the two lists, its pages read when needed."""

    def __init__(self, fetch: Fetch, total: int) -> None:
        self._fetch, self._total = fetch, total
        self._pages: dict[int, tuple[Item, ...]] = {}

    async def head(self, offset: int) -> tuple[int, Item] | None:
        """The row at an offset and where it really is: rows moved away leave pages short."""
        while offset < self._total:
            number, row = offset // PAGE_ROWS + 1, offset % PAGE_ROWS
            if number not in self._pages:
                self._pages[number] = await self._fetch(number, self._total)
            if row < len(self._pages[number]):
                return offset, self._pages[number][row]
            offset = number * PAGE_ROWS
        return None
