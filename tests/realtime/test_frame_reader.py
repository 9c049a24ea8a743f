"""Frames of a client, read as they arrive: whole, in pieces, and wrong."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.gateway.frame_reader import (
    BINARY,
    CLOSE,
    MOST_AT_ONCE,
    PART,
    PING,
    PONG,
    TEXT,
    BadWebSocket,
    FrameReader,
    Message,
    unmasked,
)

LIMIT = 1_000
KEY = b"\x11\x22\x33\x44"


def frame(opcode: int, payload: bytes, *, final: bool = True, masked: bool = True) -> bytes:
    """A frame as a client sends it, in the shortest form of its length."""
    first = bytes((opcode | (0x80 if final else 0),))
    bit = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = bytes((bit | size,))
    elif size < 65_536:
        head = bytes((bit | 126,)) + size.to_bytes(2, "big")
    else:
        head = bytes((bit | 127,)) + size.to_bytes(8, "big")
    return first + head + (KEY + unmasked(payload, KEY) if masked else payload)


messages = st.lists(
    st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=300))
    | st.tuples(st.just(PING), st.binary(max_size=125)),
    max_size=8,
)


@given(messages, st.data())
def test_however_it_is_cut_the_same_messages_are_read(
    sent: list[Message], data: st.DataObject
) -> None:
    stream = b"".join(frame(opcode, payload) for opcode, payload in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    reader, read = FrameReader(LIMIT), []

    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        read += reader.feed(stream[start:end])

    assert read == sent


@given(st.lists(st.binary(max_size=200), min_size=2, max_size=5), st.binary(max_size=20))
def test_a_message_in_parts_is_whole_at_the_last_with_pings_between(
    parts: list[bytes], ping: bytes
) -> None:
    reader = FrameReader(LIMIT)
    read = reader.feed(frame(TEXT, parts[0], final=False))
    for part in parts[1:-1]:
        read += reader.feed(frame(PING, ping) + frame(0, part, final=False))
    read += reader.feed(frame(0, parts[-1]))

    between = [(PING, ping), (PART, b"")] * (len(parts) - 2)
    assert read == [(PART, b""), *between, (TEXT, b"".join(parts))]


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (frame(TEXT, b"x", masked=False), 1002),
        (bytes((0xC1, 0x80)) + KEY, 1002),
        (frame(0x3, b""), 1002),
        (frame(0xB, b""), 1002),
        (frame(0, b"x"), 1002),
        (frame(TEXT, b"x", final=False) + frame(TEXT, b"y"), 1002),
        (frame(PING, b"x", final=False), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(CLOSE, b"x" * 126), 1002),
        (frame(TEXT, b"x" * (LIMIT + 1))[:4], 1009),
        (bytes((0x81, 0xFF)) + b"\xff" * 8, 1009),
        (frame(TEXT, b"x" * 600, final=False) + frame(0, b"x" * 401), 1009),
        (frame(TEXT, b"", final=False) + frame(0, b"", final=False) * (LIMIT + 1), 1009),
        (frame(PONG, b"") * (MOST_AT_ONCE + 2), 1008),
    ],
)
def test_what_the_protocol_forbids_is_refused_by_its_number(stream: bytes, code: int) -> None:
    with pytest.raises(BadWebSocket) as refused:
        FrameReader(LIMIT).feed(stream)

    assert refused.value.code == code


@given(st.binary(max_size=400))
@example(b"\x00\xff" + bytes(8))
def test_any_bytes_are_read_or_refused(stream: bytes) -> None:
    whole, by_bytes = FrameReader(LIMIT), FrameReader(LIMIT)

    assert outcome(whole, [stream]) == outcome(by_bytes, [bytes((byte,)) for byte in stream])


def outcome(reader: FrameReader, chunks: list[bytes]) -> tuple[list[Message], int]:
    """What is read until the end, or the number of the refusal."""
    read: list[Message] = []
    try:
        for chunk in chunks:
            read += reader.feed(chunk)
    except BadWebSocket as refused:
        return [], refused.code
    return read, 0
