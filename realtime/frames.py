"""What goes down a socket: Engine.IO packets, ready to be written.

A frame is made once and handed to every connection that hears it. It holds the WebSocket frame too
(a server's frames are neither masked nor, here, compressed), so that a delivery is one write.
"""

import base64

import msgspec

from realtime.publisher import merged_values

_TEXT, _BINARY = 0x81, 0x82


class Frame:
    """One Engine.IO packet: `data` as it is sent by polling, `wire` as it is sent by WebSocket.

    A `partial` one is an event that tells some of a channel's values (see `laid_over`).
    """

    __slots__ = ("binary", "data", "partial", "wire")

    def __init__(self, data: bytes, *, binary: bool = False, partial: bool = False) -> None:
        self.data = data
        self.binary = binary
        self.partial = partial
        self.wire = websocket_header(_BINARY if binary else _TEXT, len(data)) + data

    def __len__(self) -> int:
        return len(self.wire)

    def as_text(self) -> bytes:
        """As one packet of a polling payload."""
        return b"b" + base64.b64encode(self.data) if self.binary else self.data


def websocket_header(first: int, length: int) -> bytes:
    """The head of an unmasked, final WebSocket frame."""
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return bytes((first, 126, length >> 8, length & 0xFF))
    return bytes((first, 127)) + length.to_bytes(8, "big")


CLOSE = Frame(b"1")
PING = Frame(b"2")
NOOP = Frame(b"6")
PROBED = Frame(b"3probe")
DISCONNECT = Frame(b"41")


def event_frame(name: str, body: bytes, *, partial: bool = False) -> Frame:
    """A Socket.IO event of the namespace `/` with one object, given as JSON."""
    return Frame(b"42[%b,%b]" % (msgspec.json.encode(name), body), partial=partial)


def laid_over(older: Frame, newer: Frame) -> Frame:
    """One event for two partial ones: everything from the newer, and the values only the older has."""
    _, before = msgspec.json.decode(older.data[2:], type=tuple[str, msgspec.Raw])
    name, body = msgspec.json.decode(newer.data[2:], type=tuple[str, msgspec.Raw])
    return event_frame(name, merged_values(bytes(before), bytes(body)), partial=True)


def ack_frame(ack_id: int, answer: bytes) -> Frame:
    """The answer to a command, given as JSON."""
    return Frame(b"43%d[%b]" % (ack_id, answer))
