"""The index over names: by characters, pinyin, initials, and any mixture of these.

Names are indexed by place: for each unit of a name (a character), those who have a given reading, or a
given beginning of a reading, at that place. A query is cut into units in every way that some name
allows; each step is one intersection of two sets, which is why it is quick. Names come and go one by
one, so a change never rebuilds anything.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from server.directory.readings import units_of

MOST_UNITS: Final = 12
LONGEST_QUERY: Final = 64
TWO_LETTER_INITIALS: Final = frozenset({"zh", "ch", "sh"})
IGNORED: Final = str.maketrans("", "", " \t'’·•.-")

# Better matches have lower ranks; those by a reading unlikely in a name come after all others.
EXACT, BEGINS, INITIALS, BEGINS_INITIALS, WITHIN, WITHIN_INITIALS, NUMBER = range(7)
UNLIKELY: Final = NUMBER + 1
RANKS: Final = 2 * UNLIKELY

Handle = int
Hit = tuple[int, set[Handle]]
NOBODY: Final[frozenset[Handle]] = frozenset()


def normalised(query: str) -> str:
    """A query as it is compared: full-width forms narrow, ü as v, no case, no spaces."""
    text = unicodedata.normalize("NFKC", query[:LONGEST_QUERY]).casefold()
    return text.replace("ü", "v").translate(IGNORED)


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


class NameIndex:
    """Finds names, which its owner knows by handles."""

    def __init__(self) -> None:
        self._full = Places()
        self._begun = Places()
        self._lengths: defaultdict[int, set[Handle]] = defaultdict(set)
        self._longest = 6

    def add(self, handle: Handle, name: str) -> None:
        """Make a name findable."""
        keys = _full_keys(name)
        self._full.add(handle, keys)
        self._begun.add(handle, _begun_keys(name))
        self._lengths[_length(name)].add(handle)
        self._longest = max([self._longest, *(len(text) for _, text, _ in keys)])

    def remove(self, handle: Handle, name: str) -> None:
        """Take back what `add` did with the same arguments."""
        self._full.remove(handle, _full_keys(name))
        self._begun.remove(handle, _begun_keys(name))
        self._lengths[_length(name)].discard(handle)

    def hits(self, text: str) -> Iterator[Hit]:
        """Who matches a normalised query, with the rank of the match; somebody may come twice."""
        for start in range(MOST_UNITS):
            yield from self._by_name(text, start, start, None, abbreviated=False)

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


def _length(name: str) -> int:
    return min(len(units_of(name)), MOST_UNITS)


def _full_keys(name: str) -> list[tuple[int, str, bool]]:
    """What may be typed in full at each place, and whether it is likely."""
    return [
        key
        for place, unit in enumerate(units_of(name)[:MOST_UNITS])
        for key in (
            (place, unit.text, True),
            *((place, r, n < unit.usual) for n, r in enumerate(unit.readings)),
        )
    ]


def _begun_keys(name: str) -> set[tuple[int, str, bool]]:
    return {
        (place, text[:length], is_likely)
        for place, text, is_likely in _full_keys(name)
        for length in range(1, len(text) + 1)
    }
