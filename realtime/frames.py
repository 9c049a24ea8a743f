"""What goes down a socket: Engine.IO packets, ready to be written.

A packet and its WebSocket frame (a server's are neither masked nor, here, compressed) are made once for all
who hear it, so that a delivery is one write. Whoever has to wait for it, or polls, is given a `Frame`.
"""

import base64
from functools import lru_cache

import msgspec

from realtime.publisher import merged_values

_TEXT, _BINARY = 0x81, 0x82
_SHORT = 126
"""Bytes from which on the length does not fit into the second byte of a frame."""
_SHORT_HEADERS = tuple(bytes((_TEXT, length)) for length in range(_SHORT))


class Frame:
    """One Engine.IO packet: `data` as it is sent by polling, `wire` as it is sent by WebSocket.

    A `partial` one is an event that tells some of a channel's values (see `laid_over`).
    """

    __slots__ = ("binary", "data", "partial", "wire")

    def __init__(self, data: bytes, *, binary: bool = False, partial: bool = False) -> None:
        self.data = data
        self.binary = binary
        self.partial = partial
        self.wire = websocket_header(_BINARY, len(data)) + data if binary else on_wire(data)

    def __len__(self) -> int:
        return len(self.wire)

    def as_text(self) -> bytes:
        """As one packet of a polling payload."""
        return b"b" + base64.b64encode(self.data) if self.binary else self.data


def websocket_header(first: int, length: int) -> bytes:
    """The head of an unmasked, final WebSocket frame."""
    if length < _SHORT:
        return bytes((first, length))
    if length < 65_536:
        return bytes((first, 126, length >> 8, length & 0xFF))
    return bytes((first, 127)) + length.to_bytes(8, "big")


def on_wire(packet: bytes) -> bytes:
    """A packet of text as a WebSocket frame."""
    length = len(packet)
    header = _SHORT_HEADERS[length] if length < _SHORT else websocket_header(_TEXT, length)
    return header + packet


CLOSE = Frame(b"1")
PING = Frame(b"2")
NOOP = Frame(b"6")
PROBED = Frame(b"3probe")
DISCONNECT = Frame(b"41")


def event_packet(name: str, body: bytes) -> bytes:
    """A Socket.IO event of the namespace `/` with one object, given as JSON."""
    return b"42[%b,%b]" % (_quoted(name), body)


_quoted = lru_cache(256)(msgspec.json.encode)


def laid_over(older: Frame, newer: Frame) -> Frame:
    """One event for two partial ones: everything from the newer, and the values only the older has."""
    _, before = msgspec.json.decode(older.data[2:], type=tuple[str, msgspec.Raw])
    name, body = msgspec.json.decode(newer.data[2:], type=tuple[str, msgspec.Raw])
    return Frame(event_packet(name, merged_values(bytes(before), bytes(body))), partial=True)


def ack_packet(ack_id: int, answer: bytes) -> bytes:
    """The answer to a command, given as JSON."""
    return b"43%d[%b]" % (ack_id, answer)
