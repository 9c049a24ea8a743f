"""A WebSocket that owns its transport: no request, no response, no task and no queue beside it.

It does for an `EngineSocket` what `EngineWebSocket` does over aiohttp, at a fraction of the memory and
time: frames are read where the bytes arrive. `Front` makes one for a plain upgrade; whatever is unusual
about a request goes to aiohttp instead.

Life: open → (closing: a Close frame was sent or came, what still comes is not read) → lost.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from realtime.errors import Closing
from realtime.frames import Frame, websocket_header
from realtime.gateway.frame_reader import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    BadWebSocket,
    FrameReader,
    Message,
    is_pong,
    whole_text,
)
from realtime.gateway.websocket import LAST_WORDS_S, fault_of

if TYPE_CHECKING:
    from realtime.gateway.engine_socket import EngineSocket

MOST_TOGETHER = 16 * 1024
"""Bytes that may wait for the end of the tick."""
PORTION = 128
"""WebSockets that are written at the end of one tick, and as many again of those left behind before."""
_FINAL = 0x80
_SENDABLE = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))
"""The numbers a client may give in a Close frame."""


class Tick:
    """The WebSockets that have something to write at the end of this tick of the loop: an ack and an
    event, or several events, are one write to the kernel, which is the dearest part of a message. What
    thousands hear is written in portions, so that the next ack waits for one of them and not for all."""

    __slots__ = ("_behind", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[DirectWebSocket] = []
        self._behind: deque[DirectWebSocket] = deque()

    def add(self, ws: "DirectWebSocket") -> None:
        """Have it written when everything that is ready now has been looked at."""
        if not self._waiting and not self._behind:
            asyncio.get_running_loop().call_soon(self._end)
        self._waiting.append(ws)

    def _end(self) -> None:
        waiting, self._waiting = self._waiting, []
        behind = self._behind
        portion = waiting[:PORTION]
        portion += [behind.popleft() for _ in range(min(PORTION, len(behind)))]
        behind.extend(waiting[PORTION:])
        for ws in portion:
            ws.flush()
        if behind or self._waiting:
            asyncio.get_running_loop().call_soon(self._end)


class DirectWebSocket(asyncio.Protocol):
    """The carrier of one socket."""

    __slots__ = (
        "_counts",
        "_descriptor",
        "_drained",
        "_held",
        "_limit",
        "_lost",
        "_reader",
        "_reading",
        "_taking",
        "_tick",
        "_unwritten",
        "closing",
        "is_full",
        "on_close",
        "on_lost",
        "socket",
        "transport",
        "written",
    )

    def __init__(self, transport: asyncio.Transport, max_payload: int, tick: "Tick") -> None:
        self.transport = transport
        self.socket: EngineSocket | None = None
        """Whom it carries, once it does."""
        self.on_close: Callable[[Closing | None], None] | None = None
        self.on_lost: Callable[[], None] | None = None
        """Told when the connection is gone while it carries nobody."""
        self.closing = False
        self._limit = 2 * max_payload + 4096
        self._reader: FrameReader | None = None
        """Only while something else than whole short texts comes: an idle connection has none."""
        self._held: deque[Message] | None = None
        """Messages that came while the socket had enough to do."""
        self._reading = True
        self.is_full = False
        """Whether anything waits in the transport: the kernel takes no more."""
        self.written = 0
        self._drained: asyncio.Future[None] | None = None
        self._lost: asyncio.Future[None] | None = None
        self._tick = tick
        self._unwritten = b""
        self._taking: Callable[[int, bytes], None] | None = None
        """Who is given what comes instead of the socket."""
        self._counts: Callable[[], bool] = bool
        """Asked then whether one more frame may be looked at."""
        # What is encrypted has to go through the transport.
        own = transport.get_extra_info("ssl_object") is None
        # Tell at once when something has to wait; what is encrypted always does, if only for a moment.
        transport.set_write_buffer_limits(high=0 if own else MOST_TOGETHER)
        self._descriptor: int = transport.get_extra_info("socket").fileno() if own else -1
        """The transport's until `connection_lost`; -1 afterwards, and where it may not be used."""

    # -- reading -------------------------------------------------------------------------------------

    def listen(self, taking: Callable[[int, bytes], None], counts: Callable[[], bool]) -> None:
        """Give what comes to somebody else than the socket: while it is not agreed that this carries it."""
        self._taking, self._counts = taking, counts

    def carry(self, socket: "EngineSocket") -> None:
        """From now on what comes is the socket's."""
        self.socket = socket
        self._taking = None

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            if is_pong(data) and self.socket is not None:
                self.socket.pong()
                return
            text = whole_text(data)
            if text is not None and self._held is None and not self.closing:
                self._take(TEXT, text)
                if self._is_enough():
                    self._hold([])
                return
            self._reader = FrameReader(self._limit)
        try:
            messages = self._reader.feed(data)
        except BadWebSocket as fault:
            self._fail(fault.code)
            return
        if self._reader.is_between:
            self._reader = None
        self._hear_all(messages)

    def _hear_all(self, messages: list[Message]) -> None:
        if self._held is not None:
            self._held.extend(messages)
            return
        for place, (opcode, payload) in enumerate(messages, 1):
            self._hear(opcode, payload)
            if self._is_enough():
                self._hold(messages[place:])
                return

    def _is_enough(self) -> bool:
        """Whether the socket has enough to do."""
        return self.socket is not None and self.socket.is_full and not self.socket.ended

    def _hear(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            self._on_close_frame(payload)
        elif self.closing:
            return
        elif opcode in (TEXT, BINARY):
            self._take(opcode, payload)
        else:
            counts = self._counts if self.socket is None else self.socket.count
            # To whoever does not read, answers would only pile up.
            if counts() and opcode == PING and not self.is_full:
                self.flush()
                self.transport.write(websocket_header(_FINAL | PONG, len(payload)) + payload)

    def _take(self, opcode: int, payload: bytes) -> None:
        socket = self.socket
        if self._taking is not None:
            self._taking(opcode, payload)
            return
        if socket is None:
            return
        if opcode == BINARY:
            socket.receive(payload)
            return
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self._fail(1007)
        else:
            socket.receive(text)

    def _hold(self, messages: list[Message]) -> None:
        """Read no further: this is how a busy client is held back."""
        self._held = deque(messages)
        if self.socket is not None:
            self.socket.workload.on_less = self.resume
        if self._reading:
            self._reading = False
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on, when the socket has room again."""
        while self._held and (self.socket is None or not self.socket.is_full):
            self._hear(*self._held.popleft())
        if self._held or (self.socket is not None and self.socket.is_full):
            return
        self._hold_nothing()

    # -- writing -------------------------------------------------------------------------------------

    def write_frames(self, data: bytes) -> None:
        """Put the bytes of frames on their way: at the end of the tick, with whatever else it brings."""
        self.written += len(data)
        if self._unwritten:
            self._unwritten += data
        else:
            self._tick.add(self)
            self._unwritten = data
        if len(self._unwritten) > MOST_TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Write now: to the kernel itself, if nothing waits in the transport, which costs a third of
        asking the transport to."""
        data, self._unwritten = self._unwritten, b""
        if not data:
            return
        if self._descriptor >= 0 and not self.is_full:
            try:
                sent = os.write(self._descriptor, data)
            except OSError:
                # Full, or gone: the transport finds out, keeps what fits, and tells.
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
        self.transport.write(data)

    def pause_writing(self) -> None:
        self.is_full = True
        if self.socket is not None:
            self.socket.way = None

    def resume_writing(self) -> None:
        self.is_full = False
        if self.socket is not None:
            self.socket.clear_way()
        _wake(self._drained)

    async def send(self, frame: Frame) -> None:
        """Write a frame, and wait while the transport is over its mark. Raises ConnectionError."""
        if self.transport.is_closing():
            raise ConnectionResetError("the client is gone")
        self.write_frames(frame.wire)
        self.flush()
        if self.is_full:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained
            self._drained = None

    # -- the end -------------------------------------------------------------------------------------

    async def close(self, *, code: int = 1000) -> None:
        """Say goodbye and wait until the client has said so as well. Raises TimeoutError."""
        self._begin_close(code)
        if self._lost is None:
            self._lost = asyncio.get_running_loop().create_future()
        self._hold_nothing()
        async with asyncio.timeout(LAST_WORDS_S):
            await asyncio.shield(self._lost)

    def _begin_close(self, code: int) -> None:
        if self.closing:
            return
        self.flush()
        if self.on_close is not None:
            self.on_close(fault_of(code))
        self.closing = True
        if not self.transport.is_closing():
            payload = code.to_bytes(2, "big")
            self.transport.write(websocket_header(_FINAL | CLOSE, len(payload)) + payload)

    def refuse(self) -> None:
        """End it without waiting: it carries nobody."""
        self._begin_close(1000)
        self.transport.close()

    def _fail(self, code: int) -> None:
        """The client broke the protocol: say so; the socket carried gives it a moment to hear it."""
        if self.closing or self.socket is None:
            self.transport.close()
        self._begin_close(code)

    def _on_close_frame(self, payload: bytes) -> None:
        if len(payload) == 1 or (payload and not _is_sendable(payload)):
            self._fail(1002)
            return
        self._begin_close(int.from_bytes(payload[:2], "big") if payload else 1000)
        self.transport.close()

    def _hold_nothing(self) -> None:
        """Read on. At the end what came and was not begun is not done any more: the client's Close must
        be heard."""
        self._held = None
        if self.socket is not None:
            self.socket.workload.on_less = None
        if not self._reading and not self.transport.is_closing():
            self._reading = True
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._descriptor = -1
        self._unwritten = b""
        self.closing = True
        _wake(self._drained)
        _wake(self._lost)
        socket, self.socket, self.on_close = self.socket, None, None
        if socket is not None:
            socket.workload.on_less = None
            socket.lost()
        elif self.on_lost is not None:
            on_lost, self.on_lost = self.on_lost, None
            on_lost()


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


def _is_sendable(payload: bytes) -> bool:
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return False
    return int.from_bytes(payload[:2], "big") in _SENDABLE
