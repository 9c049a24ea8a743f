"""Reading WebSocket frames from a client (RFC 6455, section 5), strictly and without compression.

`whole_text` reads what nearly always comes; a `FrameReader` is fed with whatever the transport brings and
gives whole messages. What the protocol forbids is a BadFrame with the number to close with, and so is a
flood of frames. Nothing is held beyond one message of the allowed size.
"""

from realtime.gateway.packets import BadFrame

PART, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_FIN, _RESERVED, _OPCODE = 0x80, 0x70, 0x0F
_MASKED, _LENGTH = 0x80, 0x7F
_MOST_CONTROL = 125
_PONG, _PONG_SIZE = ord("3"), 7
MOST_AT_ONCE = 2_500
"""Frames read in one go, more than any client may send at once: thousands of empty ones fit into what the
loop brings, and nobody else is served while they are read."""

Message = tuple[int, bytes]
"""Opcode and payload: TEXT and BINARY are whole messages, the others single frames. PART stands for a part
of a message that is not whole yet, and is empty."""


class BadWebSocket(BadFrame):
    """A frame the protocol forbids, or one larger than allowed; `code` says which to the client."""

    def __init__(self, why: str, code: int = 1002) -> None:
        super().__init__(why)
        self.code = code


def is_pong(data: bytes) -> bool:
    """Whether the bytes are one text frame with an Engine.IO pong in it, what an idle client sends."""
    return (
        len(data) == _PONG_SIZE
        and data[0] == _FIN | TEXT
        and data[1] == _MASKED | 1
        and data[6] ^ data[2] == _PONG
    )


def whole_text(data: bytes) -> bytes | None:
    """The payload, if the bytes are one text frame, complete and not long; None for everything else, good
    or bad."""
    size = len(data)
    if size < 6 or data[0] != _FIN | TEXT:
        return None
    length = data[1] - _MASKED
    if 0 <= length < 126:
        head = 6
    elif length == 126 and size >= 8:
        length = data[2] << 8 | data[3]
        head = 8
    else:
        return None
    return unmasked(data[head:], data[head - 4 : head]) if size == head + length else None


class FrameReader:
    """The unread end of a stream of frames, and the fragments of a message that is not whole yet."""

    __slots__ = ("_kind", "_limit", "_missing", "_parts", "_size", "_tail")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tail = bytearray()
        self._missing = 0
        """How many bytes have to come before looking again is worth it."""
        self._kind = 0
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_between(self) -> bool:
        """Whether nothing has begun that is not whole: a new reader would read on as well."""
        return not self._tail and not self._kind

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are whole now. Raises BadWebSocket; what came before it is lost then."""
        if self._tail:
            self._tail += data
            self._missing -= len(data)
            if self._missing > 0:
                return []
            data = bytes(self._tail)
            self._tail.clear()
        messages: list[Message] = []
        start, end = 0, len(data)
        while start < end:
            if len(messages) > MOST_AT_ONCE:
                raise BadWebSocket("too many frames at once", 1008)
            size = self._frame(data, start, end, messages)
            if size > end - start:
                self._tail += data[start:]
                self._missing = size - (end - start)
                break
            start += size
        return messages

    def _frame(self, data: bytes, start: int, end: int, messages: list[Message]) -> int:
        """Read one frame; its size, or how many bytes it needs at least if it is not all here."""
        if end - start < 2:
            return 2
        first, second = data[start], data[start + 1]
        if not second & _MASKED or first & _RESERVED:
            raise BadWebSocket("a frame that is not masked, or of an extension nobody agreed on")
        length = second & _LENGTH
        head = start + 6
        if length >= 126:
            wide = 2 if length == 126 else 8
            head += wide
            if end < head - 4:
                return head - 4 - start
            length = int.from_bytes(data[start + 2 : start + 2 + wide], "big")
        opcode, is_final = first & _OPCODE, bool(first & _FIN)
        self._check(opcode, is_final, length)
        if end < head + length:
            return head + length - start
        payload = unmasked(data[head : head + length], data[head - 4 : head])
        if opcode >= CLOSE or (is_final and opcode):
            messages.append((opcode, payload))
        else:
            self._collect(opcode, is_final, payload, messages)
        return head + length - start

    def _check(self, opcode: int, is_final: bool, length: int) -> None:
        if opcode >= CLOSE:
            if opcode > PONG or not is_final or length > _MOST_CONTROL:
                raise BadWebSocket("a control frame that is unknown, in parts or too long")
            return
        if opcode > BINARY or (opcode == PART) != bool(self._kind):
            raise BadWebSocket("a frame of a kind that cannot come here")
        if self._size + length > self._limit:
            raise BadWebSocket("a message larger than allowed", 1009)

    def _collect(
        self, opcode: int, is_final: bool, payload: bytes, messages: list[Message]
    ) -> None:
        self._kind = opcode or self._kind
        self._parts.append(payload)
        # Empty parts weigh too: each costs memory.
        self._size += max(len(payload), 1)
        if is_final:
            messages.append((self._kind, b"".join(self._parts)))
            self._kind, self._size = 0, 0
            self._parts.clear()
        else:
            messages.append((PART, b""))


def unmasked(data: bytes, key: bytes) -> bytes:
    """Payload without its mask (section 5.3), as one sum over the whole: much quicker than by bytes."""
    size = len(data)
    mask = (key * (size // 4 + 1))[:size]
    plain = int.from_bytes(data, "little") ^ int.from_bytes(mask, "little")
    return plain.to_bytes(size, "little")
