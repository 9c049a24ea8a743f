"""Where a reader stands in a channel: whether something between is missing.

A pure decision; reading what is missing is the product's, which has the storage.
"""

from collections.abc import Iterable


def first_gap(after: int, positions: Iterable[int]) -> int | None:
    """The first position that is missing when reading on after `after`; None when there is none."""
    expected = after + 1
    for position in positions:
        if position > expected:
            return expected
        expected = max(expected, position + 1)
    return None
