"""Whatever the order of arrival, what is handed on is in order, and nothing is handed on twice."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.order import Order
from realtime.publisher import Publication
from tests.clocks import ManualClock

TALK = "conversation:1"
LENGTH = 12


def told(position: int, covers: int = 1) -> Publication:
    return Publication(TALK, "chat.sent", b"{}", position, covers=covers)


def hearing() -> Order:
    order = Order(ManualClock(), lambda person_id: False)
    order.need(TALK, True)
    order.learn(TALK, 0)
    return order


arrivals = st.lists(st.integers(1, LENGTH), max_size=3 * LENGTH)


@given(arrivals)
def test_what_is_handed_on_is_the_beginning_of_the_channel(arrived: list[int]) -> None:
    order = hearing()
    handed = [p.position for position in arrived for p in order.sort([told(position)])]
    there = set(arrived)
    complete = next(end for end in range(LENGTH + 1) if end + 1 not in there)
    assert handed == [*range(1, complete + 1)]
    assert (TALK in order.missing) == (len(there) > complete)


@given(arrivals, st.integers(0, 3 * LENGTH), st.integers(1, LENGTH))
def test_reading_at_any_moment_fills_every_gap_once(
    arrived: list[int], moment: int, stored: int
) -> None:
    """Something is stored before it is told: what is read holds at least what has arrived by then."""
    order = hearing()
    handed = order.sort([told(position) for position in arrived[:moment]])
    after, top = order.position(TALK) or 0, order.top_held(TALK)
    end = max([stored, *arrived[:moment]])
    handed += order.sort([told(position) for position in arrived[moment:]])
    handed += order.fill(TALK, [told(position) for position in range(after + 1, end + 1)], top)
    handed += order.sort([told(position) for position in range(1, LENGTH + 1)])
    assert [publication.position for publication in handed] == [*range(1, LENGTH + 1)]
    assert not order.missing


@given(st.permutations(range(4)))
def test_several_positions_told_as_one_take_the_place_of_all(arrived: list[int]) -> None:
    order = hearing()
    merged = [told(1), told(4, covers=3), told(5), told(7, covers=2)]
    handed = [p.position for place in arrived for p in order.sort([merged[place]])]
    assert handed == [1, 4, 5, 7]
