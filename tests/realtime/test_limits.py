"""Buckets, the outgoing buffer, and positions: the small pure pieces."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from realtime.frames import Frame, ack_packet, event_packet, on_wire, websocket_header
from realtime.limits import RateTable, TokenBucket
from realtime.outgoing import Outgoing
from realtime.position import first_gap
from tests.clocks import ManualClock


def test_a_bucket_gives_its_burst_then_its_rate_and_says_when_to_come_back() -> None:
    bucket = TokenBucket(rate=20, burst=60, at=0.0)
    assert [bucket.take(0.0) for _ in range(60)] == [0] * 60
    assert bucket.take(0.0) == 50
    assert bucket.take(0.05) == 0
    assert bucket.take(0.05) == 50


def test_a_rate_table_keeps_keys_apart_and_its_memory_bounded() -> None:
    clock = ManualClock()
    table: RateTable[int] = RateTable(clock, rate=1, burst=1, max_keys=100)
    assert table.take(1) == 0
    assert table.take(1) == 1000
    assert table.take(2) == 0
    for key in range(1000):
        table.take(key)
    assert len(table) == 100
    clock.advance(10)
    for key in range(2000, 2200):
        table.take(key)
        clock.advance(10)
    assert len(table) < 10


def test_a_newer_value_takes_the_place_of_an_unsent_one() -> None:
    outgoing = Outgoing(10, 1000)
    for data in (b"1", b"2", b"3"):
        assert outgoing.put(Frame(data), key="todos" if data != b"2" else None)
    assert [taken.data for taken in iter(outgoing.take, None)] == [b"2", b"3"]
    assert outgoing.size == 0


def test_partial_values_are_laid_over_those_unsent() -> None:
    outgoing = Outgoing(10, 1000)
    for body in (
        b'{"values":{"a":1,"b":1},"as_of":1}',
        b'{"values":{"b":2},"as_of":2}',
        b'{"values":{"c":3},"as_of":3}',
    ):
        assert outgoing.put(
            Frame(event_packet("dashboard.updated", body), partial=True), key="dashboard"
        )
    (frame,) = iter(outgoing.take, None)
    assert msgspec.json.decode(frame.data[2:]) == [
        "dashboard.updated",
        {"values": {"a": 1, "b": 2, "c": 3}, "as_of": 3},
    ]
    assert outgoing.size == 0


def test_ephemeral_frames_go_as_soon_as_the_buffer_is_half_full() -> None:
    outgoing = Outgoing(10, 1000)
    for number in range(4):
        outgoing.put(Frame(b"typing%d" % number), ephemeral=True)
    for number in range(9):
        assert outgoing.put(Frame(b"%d" % number))
    outgoing.put(Frame(b"typing"), ephemeral=True)
    assert [taken.data for taken in iter(outgoing.take, None)] == [b"%d" % n for n in range(9)]


def test_a_full_buffer_refuses_by_count_and_by_bytes() -> None:
    by_count, by_bytes = Outgoing(3, 1000), Outgoing(100, 100)
    assert [by_count.put(Frame(b"x")) for _ in range(4)] == [True, True, True, False]
    assert [by_bytes.put(Frame(b"x" * 40)) for _ in range(3)] == [True, True, False]
    assert Outgoing(3, 10).put(Frame(b"x" * 1000)), "one large frame alone is no slowness"


def test_what_is_owed_is_kept_and_leaves_events_their_bound() -> None:
    outgoing = Outgoing(3, 100)
    for number in range(5):
        outgoing.force(Frame(b"ack%d" % number + b"x" * 100))
    assert [outgoing.put(Frame(b"event%d" % number)) for number in range(4)] == [True] * 3 + [False]
    assert [taken.data[:6] for taken in iter(outgoing.take, None)] == [
        *(b"ack%dxx" % number for number in range(5)),
        *(b"event%d" % number for number in range(3)),
    ]
    assert outgoing.size == 0
    assert outgoing.put(Frame(b"x" * 200)), "nothing is counted twice"


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["", "a", "b"]), st.booleans())))
def test_the_buffer_keeps_its_bound_its_order_and_its_count(
    puts: list[tuple[int, str, bool]],
) -> None:
    outgoing = Outgoing(8, 200)
    for number, (size, key, ephemeral) in enumerate(puts):
        outgoing.put(Frame(b"%06d" % number + b"x" * size), key=key or None, ephemeral=ephemeral)
        assert len(outgoing) <= 8
        assert outgoing.size <= 200
    taken = [frame.data[:6] for frame in iter(outgoing.take, None)]
    assert taken == sorted(taken)
    assert (len(outgoing), outgoing.size) == (0, 0)


def test_a_frame_is_the_bytes_of_a_websocket_frame() -> None:
    event = event_packet("chat.sent", b'{"a":1}')
    assert event == b'42["chat.sent",{"a":1}]'
    assert Frame(event).wire == on_wire(event) == bytes((0x81, len(event))) + event
    assert Frame(b"x" * 125).wire[:2] == b"\x81\x7d"
    assert Frame(b"x" * 126).wire[:4] == b"\x81\x7e\x00\x7e"
    assert Frame(b"x", binary=True).wire == b"\x82\x01x"
    assert ack_packet(7, b"{}") == b"437[{}]"
    assert websocket_header(0x81, 125) == b"\x81\x7d"
    assert websocket_header(0x81, 126) == b"\x81\x7e\x00\x7e"
    assert websocket_header(0x82, 65_536) == b"\x82\x7f" + (65_536).to_bytes(8, "big")


def test_the_first_missing_position_is_found() -> None:
    assert first_gap(3, [4, 5, 6]) is None
    assert first_gap(3, [4, 6]) == 5
    assert first_gap(3, [2, 3, 5]) == 4
    assert first_gap(0, []) is None
