"""The reader of Socket.IO packets: any text is a packet or a BadFrame, and what it read it can write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.gateway import packets
from realtime.gateway.packets import BadFrame, Unreadable, encode, read_packet

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)
NAMESPACES = st.sampled_from(["/", "/custom", "/a/b"])
ALMOST = st.text(alphabet='0123456-/,[]{}"a:\\²٣_ ', max_size=40)


@given(
    ALMOST
    | st.text()
    | st.builds(lambda head, tail: head + tail, st.sampled_from("0123456"), ALMOST)
)
def test_any_text_is_a_packet_or_a_bad_frame(text: str) -> None:
    try:
        packet = read_packet(text)
    except BadFrame:
        return
    assert packet.packet_type in range(7)
    assert packet.attachment_count >= 0


@given(
    NAMESPACES, st.none() | st.integers(0, 10**9), st.text(min_size=1), st.lists(JSON, max_size=3)
)
def test_an_event_that_was_written_is_read_again(
    namespace: str, ack_id: int | None, name: str, args: list[object]
) -> None:
    if name in packets.RESERVED:
        return
    (text,) = encode(packets.EVENT, [name, *args], namespace, ack_id)
    assert isinstance(text, str)
    packet = read_packet(text)
    assert (packet.namespace, packet.id, packet.data) == (namespace, ack_id, [name, *args])


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_attachments_find_their_places(attachments: list[bytes]) -> None:
    text, *parts = encode(packets.EVENT, ["photo", {"all": attachments}], "/", 3)
    assert isinstance(text, str)
    packet = read_packet(text)
    done = [packets.complete(packet, bytes(part)) for part in parts]  # type: ignore[arg-type]
    assert done == [False] * (len(attachments) - 1) + [True]
    assert packet.data == ["photo", {"all": attachments}]


@pytest.mark.parametrize("body", ['["a",' + "[" * 5_000, r'["a","\ud83d"]', r'["a",{"\ude00":1}]'])
def test_what_cannot_be_taken_in_is_told_with_the_number_that_waits_for_an_answer(
    body: str,
) -> None:
    with pytest.raises(Unreadable) as fault:
        read_packet("27" + body)
    assert fault.value.ack_id == 7


@pytest.mark.parametrize("body", ['["a"', '["a",NaN]', r'["\ud83d', r'["\u"]'])
def test_what_nobody_reads_is_no_json(body: str) -> None:
    with pytest.raises(BadFrame) as fault:
        read_packet("27" + body)
    assert not isinstance(fault.value, Unreadable)
