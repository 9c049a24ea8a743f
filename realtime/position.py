"""Where a reader stands in a channel, and whether it can be helped by a catch-up.

Pure decisions; reading the missed events is the product's, which has the storage.
"""

from collections.abc import Iterable, Mapping


def must_reload(
    reader_epoch: str | None,
    epoch: str,
    reader_positions: Mapping[str, int],
    positions: Mapping[str, int],
) -> bool:
    """Whether a reader holds what this store never gave it.

    Another epoch, or a position beyond the end, means that the store went back: the reader must throw
    away what it has. Channels it may not hear are not compared; they are simply left out of the answer.
    """
    if reader_epoch is not None and reader_epoch != epoch:
        return True
    return any(
        at > positions[channel] for channel, at in reader_positions.items() if channel in positions
    )


def first_gap(after: int, positions: Iterable[int]) -> int | None:
    """The first position that is missing when reading on after `after`; None when there is none."""
    expected = after + 1
    for position in positions:
        if position > expected:
            return expected
        expected = max(expected, position + 1)
    return None
