"""The search index over people: by characters, pinyin, initials, any mixture, and digits.

Names are indexed by place: for each unit of a name (a character), the people who have a given
reading, or a given beginning of a reading, at that place. A query is cut into units in every way that
somebody's name allows; each step is one intersection of two sets, which is why it is quick. Entries
come and go one by one, so a change of a person never rebuilds anything.
"""

import heapq
import unicodedata
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import islice, takewhile
from typing import Final, NamedTuple

from server.directory.documents import Person
from server.directory.readings import sorting_key, units_of

MOST_UNITS: Final = 8
LONGEST_QUERY: Final = 64
TWO_LETTER_INITIALS: Final = frozenset({"zh", "ch", "sh"})
SHORTEST_NUMBER: Final = 3
MANY: Final = 500
IGNORED: Final = str.maketrans("", "", " \t'’·•.-")

# Better matches have lower ranks; those by a reading unlikely in a name come after all others.
EXACT, BEGINS, INITIALS, BEGINS_INITIALS, WITHIN, WITHIN_INITIALS, NUMBER = range(7)
UNLIKELY: Final = NUMBER + 1

Handle = int
Hit = tuple[int, set[Handle]]
NOBODY: Final[frozenset[Handle]] = frozenset()


class Places:
    """Who has a text at a place of the name: in any way, and as a likely reading."""

    __slots__ = ("_any", "_likely")

    def __init__(self) -> None:
        self._any: defaultdict[tuple[int, str], set[Handle]] = defaultdict(set)
        self._likely: defaultdict[tuple[int, str], set[Handle]] = defaultdict(set)

    def add(self, handle: Handle, keys: Iterable[tuple[int, str, bool]]) -> None:
        for place, text, is_likely in keys:
            self._any[place, text].add(handle)
            if is_likely:
                self._likely[place, text].add(handle)

    def remove(self, handle: Handle, keys: Iterable[tuple[int, str, bool]]) -> None:
        for place, text, _ in keys:
            self._any[place, text].discard(handle)
            self._likely[place, text].discard(handle)

    def among(self, people: "Matching | None", place: int, text: str) -> "Matching":
        """Those who match so far (None: everybody) and have the text here."""
        anyhow = self._any.get((place, text), NOBODY)
        likely = self._likely.get((place, text), NOBODY)
        if people is None or not anyhow:
            return Matching(anyhow, likely)
        return Matching(people.anyhow & anyhow, people.likely & likely)


class Matching(NamedTuple):
    """People who match, and those of them who do by likely readings alone."""

    anyhow: AbstractSet[Handle]
    likely: AbstractSet[Handle]

    def __and__(self, others: AbstractSet[Handle]) -> "Matching":
        return Matching(self.anyhow & others, self.likely & others)


def normalised(query: str) -> str:
    """A query as it is compared: full-width forms narrow, ü as v, no case, no spaces."""
    text = unicodedata.normalize("NFKC", query[:LONGEST_QUERY]).casefold()
    return text.replace("ü", "v").translate(IGNORED)


class PeopleIndex:
    """Finds people by what somebody remembers of them."""

    def __init__(self) -> None:
        self._full = Places()
        self._begun = Places()
        self._lengths: defaultdict[int, set[Handle]] = defaultdict(set)
        self._grams: defaultdict[str, set[Handle]] = defaultdict(set)
        self._codes: list[tuple[str, Handle]] = []
        self._numbers: dict[Handle, str] = {}
        self._order: dict[Handle, tuple[str, str, Handle]] = {}
        self._phone_book: list[tuple[str, str, Handle]] = []
        self._handles: dict[str, Handle] = {}
        self._entries: dict[Handle, Person] = {}
        self._next = 0
        self._longest = 6

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
        keys = _full_keys(person)
        self._full.add(handle, keys)
        self._begun.add(handle, _begun_keys(person))
        self._longest = max([self._longest, *(len(text) for _, text, _ in keys)])
        self._lengths[_length(person)].add(handle)
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
        self._full.remove(handle, _full_keys(person))
        self._begun.remove(handle, _begun_keys(person))
        self._lengths[_length(person)].discard(handle)
        for gram in _grams(self._numbers.pop(handle)):
            self._grams[gram].discard(handle)
        for code in _codes_of(person):
            del self._codes[bisect_left(self._codes, (code, handle))]

    def search(self, query: str, limit: int) -> list[Person]:
        """The best matches, best first; equals in the order of a phone book."""
        text = normalised(query)
        if not text:
            return []
        ranked: list[set[Handle]] = [set() for _ in range(2 * UNLIKELY)]
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
        for start in range(MOST_UNITS):
            yield from self._by_name(text, start, start, None, abbreviated=False)
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

    def _by_name(
        self, text: str, start: int, place: int, people: Matching | None, *, abbreviated: bool
    ) -> Iterator[Hit]:
        """Take the next unit off the text; `people` match so far (None: everybody)."""
        ended = self._begun.among(people, place, text)
        if ended.anyhow:
            for rank, found in self._ranked(text, ended, start, place, abbreviated):
                yield rank, set(found.likely)
                yield rank + UNLIKELY, set(found.anyhow)
        if place + 1 == MOST_UNITS:
            return
        for length in range(1, min(len(text), self._longest + 1)):
            piece, rest = text[:length], text[length:]
            whole = self._full.among(people, place, piece)
            if whole.anyhow:
                yield from self._by_name(rest, start, place + 1, whole, abbreviated=abbreviated)
            if length == 1 or piece in TWO_LETTER_INITIALS:
                begun = self._begun.among(people, place, piece)
                if len(begun.anyhow) > len(whole.anyhow):
                    yield from self._by_name(rest, start, place + 1, begun, abbreviated=True)

    def _ranked(
        self, text: str, ended: Matching, start: int, place: int, abbreviated: bool
    ) -> Iterator[tuple[int, Matching]]:
        if start > 0:
            yield (WITHIN_INITIALS if abbreviated else WITHIN), ended
            return
        whole_name = ended & self._lengths[place + 1]
        if abbreviated:
            yield INITIALS, whole_name
            yield BEGINS_INITIALS, ended
        else:
            yield EXACT, self._full.among(whole_name, place, text)
            yield BEGINS, ended


def _length(person: Person) -> int:
    return min(len(units_of(person.name)), MOST_UNITS)


def _full_keys(person: Person) -> list[tuple[int, str, bool]]:
    """What may be typed in full at each place, and whether it is likely."""
    return [
        key
        for place, unit in enumerate(units_of(person.name)[:MOST_UNITS])
        for key in (
            (place, unit.text, True),
            *((place, r, n < unit.usual) for n, r in enumerate(unit.readings)),
        )
    ]


def _begun_keys(person: Person) -> set[tuple[int, str, bool]]:
    return {
        (place, text[:length], is_likely)
        for place, text, is_likely in _full_keys(person)
        for length in range(1, len(text) + 1)
    }


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
