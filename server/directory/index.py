"""The search index over people: by name in any spelling, account, employee number, and digits.

Entries come and go one by one, so a change of a person never rebuilds anything. Names are the business
of `names`.
"""

import heapq
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Final

from server.directory.documents import Person
from server.directory.names import (
    BEGINS_INITIALS,
    EXACT,
    NUMBER,
    RANKS,
    Handle,
    Hit,
    NameIndex,
    normalised,
)
from server.directory.readings import sorting_key

SHORTEST_NUMBER: Final = 3
MANY: Final = 500


class PeopleIndex:
    """Finds people by what somebody remembers of them."""

    def __init__(self) -> None:
        self._names = NameIndex()
        self._grams: defaultdict[str, set[Handle]] = defaultdict(set)
        self._codes: list[tuple[str, Handle]] = []
        self._numbers: dict[Handle, str] = {}
        self._order: dict[Handle, tuple[str, str, Handle]] = {}
        self._phone_book: list[tuple[str, str, Handle]] = []
        self._handles: dict[str, Handle] = {}
        self._entries: dict[Handle, Person] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, person: Person) -> None:
        """Make a person findable, as he or she is now."""
        self.remove(person.id)
        handle = self._next
        self._next += 1
        self._handles[person.id] = handle
        self._entries[handle] = person
        self._order[handle] = (sorting_key(person.name), person.id, handle)
        insort(self._phone_book, self._order[handle])
        self._numbers[handle] = _numbers_of(person)
        self._names.add(handle, person.name)
        for gram in _grams(self._numbers[handle]):
            self._grams[gram].add(handle)
        for code in _codes_of(person):
            insort(self._codes, (code, handle))

    def remove(self, person_id: str) -> None:
        """Make a person unfindable; unknown ones already are."""
        handle = self._handles.pop(person_id, None)
        if handle is None:
            return
        person = self._entries.pop(handle)
        del self._phone_book[bisect_left(self._phone_book, self._order.pop(handle))]
        self._names.remove(handle, person.name)
        for gram in _grams(self._numbers.pop(handle)):
            self._grams[gram].discard(handle)
        for code in _codes_of(person):
            del self._codes[bisect_left(self._codes, (code, handle))]

    def search(self, query: str, limit: int) -> list[Person]:
        """The best matches, best first; equals in the order of a phone book."""
        text = normalised(query)
        if not text:
            return []
        ranked: list[set[Handle]] = [set() for _ in range(RANKS)]
        for rank, people in self._hits(text):
            ranked[rank] |= people
        found: list[Handle] = []
        seen: set[Handle] = set()
        for people in ranked:
            found += self._first(people - seen, limit - len(found))
            seen |= people
            if len(found) >= limit:
                break
        return [self._entries[handle] for handle in found]

    def _first(self, people: set[Handle], count: int) -> list[Handle]:
        """So many of the people, those first that stand first in a phone book."""
        if len(people) <= MANY:
            return heapq.nsmallest(count, people, key=self._order.__getitem__)
        # Of many, the first few are soon met by turning the pages.
        in_order = (handle for _, _, handle in self._phone_book if handle in people)
        return list(islice(in_order, count))

    def _hits(self, text: str) -> Iterator[Hit]:
        yield from self._by_code(text)
        yield from self._names.hits(text)
        if len(text) >= SHORTEST_NUMBER and text.isascii() and text.isalnum():
            yield NUMBER, self._by_number(text)

    def _by_code(self, text: str) -> Iterator[Hit]:
        """By account and employee number, whole or from the beginning."""
        if len(text) < 2:
            return
        place = bisect_left(self._codes, (text, -1))
        end = bisect_left(self._codes, (text + "\U0010ffff", -1))
        codes = self._codes[place:end]
        yield EXACT, {handle for _, handle in takewhile(lambda code: code[0] == text, codes)}
        yield BEGINS_INITIALS, {handle for _, handle in codes}

    def _by_number(self, text: str) -> set[Handle]:
        """By any part of a phone number, account or employee number."""
        sets = [self._grams.get(gram, set()) for gram in _grams(text)]
        candidates = set.intersection(*sorted(sets, key=len))
        if len(text) == SHORTEST_NUMBER:
            return candidates
        numbers = self._numbers
        return {handle for handle in candidates if text in numbers[handle]}


def _codes_of(person: Person) -> set[str]:
    return {normalised(code) for code in (person.id, person.employee_number) if code}


def _numbers_of(person: Person) -> str:
    """Everything with digits, one a line."""
    phones = ("".join(filter(str.isdigit, n)) for n in (person.mobile, person.office_phone))
    return "\n".join(sorted({*filter(None, phones), *_codes_of(person)}))


def _grams(numbers: str) -> set[str]:
    return {
        number[i : i + SHORTEST_NUMBER]
        for number in numbers.split("\n")
        for i in range(len(number) - SHORTEST_NUMBER + 1)
    }
