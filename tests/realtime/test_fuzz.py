"""A handful of what `python -m tests.realtime.fuzz` tries for an hour."""

import pytest

from tests.realtime.fuzz import fuzz


@pytest.mark.parametrize("seed", range(4))
def test_broken_input_is_read_or_refused_and_nothing_else(seed: int) -> None:
    fuzz(seed, 1_000)
