"""Whatever the order of arrival, what is handed on is in order, and nothing is handed on twice."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from realtime.order import Order
from realtime.publisher import Publication
from tests.clocks import ManualClock

TALK = "conversation:1"
LENGTH = 12


def told(position: int, **parts: Any) -> Publication:
    return Publication(TALK, "chat.sent", b"{}", position, **parts)


class Hearing:
    """An order of one channel, and what was handed on."""

    def __init__(self) -> None:
        self.handed: list[int | None] = []
        self._listens = True
        self.order = Order(ManualClock(), lambda person_id, channel: self._listens, self._deliver)
        self.order.need(TALK, True)
        self.order.learn(TALK, 0)

    def hear(self, *positions: int) -> None:
        for position in positions:
            self.order.hear([told(position)])

    def _deliver(self, publications: Sequence[Publication]) -> None:
        """As a hub does whose only listener is li."""
        for publication in publications:
            if publication.joins:
                self._listen(True)
            if self._listens:
                self.handed.append(publication.position)
            if publication.leaves:
                self._listen(False)

    def _listen(self, listens: bool) -> None:
        self._listens = listens
        self.order.need(TALK, listens)


arrivals = st.lists(st.integers(1, LENGTH), max_size=3 * LENGTH)


@given(arrivals)
def test_what_is_handed_on_is_the_beginning_of_the_channel(arrived: list[int]) -> None:
    hearing = Hearing()
    hearing.hear(*arrived)
    there = set(arrived)
    complete = next(end for end in range(LENGTH + 1) if end + 1 not in there)
    assert hearing.handed == [*range(1, complete + 1)]
    assert (TALK in hearing.order.missing) == (len(there) > complete)


@given(arrivals, st.integers(0, 3 * LENGTH), st.integers(1, LENGTH))
def test_reading_at_any_moment_fills_every_gap_once(
    arrived: list[int], moment: int, stored: int
) -> None:
    """Something is stored before it is told: what is read holds at least what has arrived by then."""
    hearing = Hearing()
    hearing.hear(*arrived[:moment])
    after, top = hearing.order.position(TALK) or 0, hearing.order.top_held(TALK)
    end = max([stored, *arrived[:moment]])
    hearing.hear(*arrived[moment:])
    hearing.order.fill(TALK, [told(position) for position in range(after + 1, end + 1)], top)
    hearing.hear(*range(1, LENGTH + 1))
    assert hearing.handed == [*range(1, LENGTH + 1)]
    assert not hearing.order.missing


@given(st.permutations(range(4)))
def test_several_positions_told_as_one_take_the_place_of_all(arrived: list[int]) -> None:
    hearing = Hearing()
    merged = [told(1), told(4, covers=3), told(5), told(7, covers=2)]
    for place in arrived:
        hearing.order.hear([merged[place]])
    assert hearing.handed == [1, 4, 5, 7]


@given(st.permutations(range(6)), st.booleans())
def test_the_last_listener_who_goes_and_comes_again_hears_nothing_between_and_nothing_twice(
    arrived: list[int], read: bool
) -> None:
    hearing = Hearing()
    course = [told(1), told(2, leaves=("li",)), told(3), told(4, joins=("li",)), told(5), told(6)]
    if read:
        hearing.order.hear([course[5]])
        hearing.order.fill(TALK, course, 6)
    hearing.order.hear(course)
    for place in arrived:
        hearing.order.hear([course[place]])
    assert hearing.handed == [1, 2, 4, 5, 6]


def test_what_was_read_brings_back_in_who_had_left() -> None:
    hearing = Hearing()
    read = [told(1), told(2, leaves=("li",)), told(3), told(4, joins=("li",)), told(5)]
    hearing.order.fill(TALK, read, 5)
    assert hearing.handed == [1, 2, 4, 5]


def test_what_waits_for_what_nobody_can_read_is_handed_on_at_once() -> None:
    hearing = Hearing()
    hearing.hear(2, 4)
    hearing.order.give_up(TALK)
    assert hearing.handed == [2, 4]
    assert not hearing.order.missing
