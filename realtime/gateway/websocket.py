"""aiohttp's WebSocket as a socket needs it, and what is asked of the kernel beneath it.

aiohttp closes by itself on a malformed or oversized frame, and when the client says goodbye; its close
waits for a reader that may have stopped reading. Hence whoever is carried is told before that wait.
"""

import asyncio
import contextlib
import socket as sockets
import struct
from collections.abc import Callable

from aiohttp import WSMessage, WSMsgType, web

from realtime.errors import Closing
from realtime.frames import Frame

SEND_BUFFER = 128 * 1024
"""What the kernel may hold for one reader, in its own doubled counting twice as much."""

LAST_WORDS_S = 1.0
"""How long a closing socket may take to hand over what is left."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_CODES = {Closing.GOING_AWAY: 1001, Closing.TOO_LARGE: 1009, Closing.BAD_FRAME: 1002}
_FAULTS = {
    1002: Closing.BAD_FRAME,
    1003: Closing.BAD_FRAME,
    1007: Closing.BAD_FRAME,
    1008: Closing.RATE_LIMITED,
    1009: Closing.TOO_LARGE,
}


class EngineWebSocket(web.WebSocketResponse):
    """Tells `on_close` that it begins to close, and for which fault of the client's if for one.

    Compression is off: every recipient's copy would be deflated separately. The writer limit of 0 makes
    each send wait while the transport is over its mark, whoever filled it.
    """

    def __init__(self, max_payload: int) -> None:
        # A frame somewhat too large is read and refused by name; beyond that aiohttp stops reading it.
        super().__init__(
            max_msg_size=2 * max_payload + 4096,
            compress=False,
            autoping=False,
            writer_limit=0,
            timeout=LAST_WORDS_S,
        )
        self.on_close: Callable[[Closing | None], None] | None = None
        self.transport: asyncio.Transport | None = None
        """Where frames may be written past aiohttp, while nothing of its own is under way."""
        self.written = 0

    async def next(self, counts: Callable[[], bool]) -> WSMessage:
        """What comes next and is neither ping nor pong; `counts` says whether one more of those may be looked
        at."""
        while (message := await self.receive()).type in (WSMsgType.PING, WSMsgType.PONG):
            if counts() and message.type is WSMsgType.PING:
                await self.pong(message.data)
        return message

    def write_frames(self, data: bytes) -> None:
        """Put the bytes of frames on their way."""
        assert self.transport is not None, "a WebSocket that carries is prepared"
        self.written += len(data)
        self.transport.write(data)

    async def send(self, frame: Frame) -> None:
        """Write a frame, and wait while the transport is over its mark. Raises ConnectionError."""
        kind = WSMsgType.BINARY if frame.binary else WSMsgType.TEXT
        self.written += len(frame)
        await self.send_frame(frame.data, kind)

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        if self.on_close is not None:
            self.on_close(fault_of(code))
        return await super().close(code=code, message=message, drain=drain)


def fault_of(code: int) -> Closing | None:
    """What the client did wrong when a WebSocket ends with this number, if anything."""
    return _FAULTS.get(code)


def close_code(reason: Closing | None) -> int:
    """The WebSocket's number for why the server ends it."""
    return 1000 if reason is None else _CODES.get(reason, 1000)


def bound_send_buffer(socket: sockets.socket) -> None:
    """The kernel would hold megabytes for a reader that has stopped; our own bound is to count."""
    with contextlib.suppress(OSError, AttributeError):
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER)


def reset(transport: asyncio.Transport) -> None:
    """End a transport at once, with what the kernel still holds for its reader."""
    if not transport.is_closing():
        # Without this the kernel keeps trying to deliver its buffer to a reader that has stopped.
        with contextlib.suppress(OSError, AttributeError):
            transport.get_extra_info("socket").setsockopt(
                sockets.SOL_SOCKET, sockets.SO_LINGER, _RESET_ON_CLOSE
            )
        transport.abort()
