"""Bigrams: how text of any script is made searchable from two characters on.

Chinese has no spaces, and a person searches for 会议 or for 王五. So a text is indexed as its overlapping
pairs of characters, without case and width; a query is the run of its own pairs. The same pairs serve every
adapter. Pairs never contain white space or ASCII punctuation (those stand as private-use characters),
so an index that splits at white space keeps each pair whole. Whoever changes the folding has to index
again what is stored (`migrations/0002_full_width.py`).
"""

import re
from operator import add
from typing import Final

SHORTEST: Final = 2
"""Characters a query needs at least."""

_PRIVATE: Final = 0xE000
_FULL_WIDTH: Final = 0xFEE0
"""How far the full-width letters and digits, as Chinese keyboards write them, are from the plain ones."""
_STAND_INS: Final = {
    **{code: _PRIVATE + code for code in range(0x80) if not chr(code).isalnum()},
    **{code + _FULL_WIDTH: code for code in range(0x80) if chr(code).isalnum()},
    0xA0: _PRIVATE + 0x20,
    0x3000: _PRIVATE + 0x20,
}


_HAS_STAND_IN: Final = re.compile(f"[{re.escape(''.join(map(chr, _STAND_INS)))}]")


def folded(text: str) -> str:
    """The text as it is compared: without case and width, every kind of blank as a blank."""
    text = text.casefold()
    # Most Chinese texts have none, and translating looks every character up.
    return text.translate(_STAND_INS) if _HAS_STAND_IN.search(text) else text


def bigrams(text: str) -> list[str]:
    """Every pair of neighbouring characters, in order; empty for a text shorter than a pair."""
    characters = folded(text)
    return list(map(add, characters, characters[1:]))


def holds(text: str, query: str) -> bool:
    """Whether `text` holds `query` as search understands it, for adapters that check candidates."""
    return folded(query) in folded(text)
