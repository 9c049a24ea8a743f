"""One Engine.IO socket: a WebSocket, or long polling until it is upgraded.

python-engineio's AsyncSocket is not used. Its queue has no bound, its writer can hang in `drain` while
the queue grows, an undecodable frame kills the reader but leaves the socket alive until the heartbeat
fails, two polls may wait at once, and its ping needs a task per socket. Here the socket owns a bounded
`Outgoing`, writes straight to the transport while the reader keeps up, and has exactly one end: `_end`,
which tells the listener at once and can be called by anybody any number of times.

Engine.IO itself calls this a session; here a session is somebody signed in on a device.

Life: open → closing (the last words are on their way, nothing is heard any more) → ended (and closing).
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from realtime.errors import Closing
from realtime.frames import CLOSE, NOOP, Frame, on_wire
from realtime.gateway.direct_websocket import DirectWebSocket
from realtime.gateway.heartbeat import Heartbeat
from realtime.gateway.packets import BadFrame
from realtime.gateway.websocket import (
    LAST_WORDS_S,
    EngineWebSocket,
    bound_send_buffer,
    close_code,
    reset,
)
from realtime.gateway.workload import Workload
from realtime.limits import TokenBucket
from realtime.outgoing import Outgoing

if TYPE_CHECKING:
    from realtime.gateway.engine import EngineServer

Carrier = EngineWebSocket | DirectWebSocket
"""What carries a socket that does not poll; the second where the transport is ours."""

DIRECT_BYTES = 16 * 1024
"""While no more than this waits in the transport, frames are written without stopping in `Outgoing`."""


class EngineSocket(Heartbeat):
    """The socket of one device, whatever carries it."""

    __slots__ = (
        "_allowed", "_farewell", "_flusher", "_last_wait", "_poll", "_polled", "_rate",
        "_transport", "_ws", "address", "app", "closing", "ended", "outgoing", "server", "sid",
        "upgrading", "way", "workload",
    )  # fmt: skip

    def __init__(self, server: "EngineServer", sid: str, address: str) -> None:
        super().__init__()
        self.server = server
        self.sid = sid
        self.address = address
        self.app: Any = None
        """What the layer above keeps about this socket."""
        self.outgoing: Outgoing | None = None
        """What waits for a slow reader; made for the first that does."""
        self.workload = Workload(server.options.limits.commands_at_once)
        self.closing = False
        self.ended = False
        self.upgrading = False
        self._rate: TokenBucket | None = None
        self._allowed = server.frames_together
        """Frames that may come before the bucket is asked again."""
        self.way: DirectWebSocket | None = None
        """The quick way of `Wire`: only over a transport of our own, with nothing before it."""
        self._polled = 0
        """Bytes given to a polling client."""
        self._farewell = NOOP
        self._ws: Carrier | None = None
        self._transport: asyncio.Transport | None = None
        self._flusher: asyncio.Task[None] | None = None
        self._poll: asyncio.Future[None] | None = None
        self._last_wait: asyncio.TimerHandle | None = None
        """Until when last words may take."""

    @property
    def is_websocket(self) -> bool:
        return self._ws is not None

    # -- sending -------------------------------------------------------------------------------------

    def send(self, frame: Frame, *, key: str | None = None, ephemeral: bool = False) -> None:
        """Put a frame on its way; a reader too slow for its bound is cut off."""
        if self.way is not None:
            self.way.write_frames(frame.wire)
            return
        if self.closing or self._write(frame):
            return
        if self._queue().put(frame, key=key, ephemeral=ephemeral):
            self._wake()
        else:
            self.abort(Closing.TOO_SLOW)

    def answer(self, packet: bytes) -> None:
        """Send the answer to something accepted; it is owed by a closing socket and to a slow reader."""
        if self.way is not None:
            self.way.write_frames(on_wire(packet))
            return
        if self.ended:
            return
        frame = Frame(packet)
        if self.closing:
            self._queue().force(frame)
            self.cut_poll()
        elif not self._write(frame):
            self._queue().force(frame)
            self._wake()

    def _queue(self) -> Outgoing:
        if self.outgoing is None:
            limits = self.server.options.limits
            self.outgoing = Outgoing(limits.queued_events, limits.queued_bytes)
        return self.outgoing

    def _write(self, frame: Frame) -> bool:
        """Hand a frame to the transport if nothing waits before it; whether that was done."""
        ws, transport = self._ws, self._transport
        if (
            transport is None
            or ws is None
            or self.outgoing
            or self._flusher is not None
            or transport.is_closing()
            or transport.get_write_buffer_size() > DIRECT_BYTES
        ):
            return False
        ws.write_frames(frame.wire)
        return True

    def clear_way(self) -> None:
        """Open the quick way again, if nothing stands in it any more."""
        ws = self._ws
        if (
            isinstance(ws, DirectWebSocket)
            and not ws.is_full
            and not (self.closing or self.outgoing or self._flusher is not None)
        ):
            self.way = ws

    def _wake(self) -> None:
        self.way = None
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        elif self._ws is not None and self._flusher is None and self.outgoing:
            self._flusher = self.server.start(self._flush(self._ws))

    async def _flush(self, ws: Carrier) -> None:
        try:
            while not self.ended and self.outgoing and (frame := self.outgoing.take()):
                await ws.send(frame)
                self.workload.wake()
        except (ConnectionError, RuntimeError):
            self._end(None)
        finally:
            self._flusher = None
            self.clear_way()

    # -- heartbeat -----------------------------------------------------------------------------------

    def pong(self) -> None:
        """An answer to a ping, or what looks like one."""
        sent_at, self.ping_sent_at = self.ping_sent_at, None
        if sent_at is not None:
            self.server.listener.confirmed(self, sent_at)
        else:
            self.receive("3")

    @property
    def is_busy(self) -> bool:
        return self.workload.is_full

    def taken(self) -> int | None:
        waiting = self._transport.get_write_buffer_size() if self._transport is not None else 0
        written = self._polled if self._ws is None else self._ws.written
        return written - waiting if self.outgoing or waiting else None

    def on_silence(self) -> None:
        if self._ws is None:
            self._end(None)
        else:
            self.close(None)

    def _wait_for_last_words(self, otherwise: Callable[[], None]) -> None:
        self.server.wheel.remove(self)
        if self._last_wait is not None:
            self._last_wait.cancel()
        self._last_wait = asyncio.get_running_loop().call_later(LAST_WORDS_S, otherwise)

    # -- receiving -----------------------------------------------------------------------------------

    def receive(self, data: str | bytes) -> None:
        """One Engine.IO packet from the client. Ends the socket by name when it is none."""
        if not self.count():
            return
        if len(data) > self.server.surely_allowed and _size(data) > self.server.options.max_payload:
            self.close(Closing.TOO_LARGE)
        else:
            try:
                self._dispatch(data)
            except BadFrame as fault:
                self.server.log.info("bad frame: %s", fault)
                self.close(Closing.BAD_FRAME)

    def count(self) -> bool:
        """A frame has come, also one that carries nothing. False when it was one too many, or nothing is
        heard any more."""
        if self.closing:
            return False
        self._allowed -= 1
        if self._allowed < 0 and not self._may_go_on():
            self.close(Closing.RATE_LIMITED)
            return False
        return True

    def _may_go_on(self) -> bool:
        """Ask the bucket for some frames together, one of them the present one."""
        now, together = self.server.clock.monotonic(), self.server.frames_together
        if self._rate is None:
            limits = self.server.options.limits
            burst = max(together, limits.frames_burst - together)
            self._rate = TokenBucket(limits.frames_per_second, burst, now)
        self._allowed = together - 1
        return not self._rate.take(now, together)

    def _dispatch(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self.server.listener.received(self, data)
            return
        kind = data[:1]
        if kind == "4":
            self.server.listener.received(self, data[1:])
        elif kind == "3":
            if self.ping_sent_at is not None:
                self.pong()
        elif kind == "1":
            self.goodbye()
        elif kind != "6":
            raise BadFrame("no packet that a client sends")

    def work(self, task: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run a piece of work that counts against this socket's bound; started in the order given."""
        started = self.server.start(task)
        self.workload.add(started)
        return started

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be asked: enough is being done, or waits to be read."""
        work, waiting = self.workload, self.outgoing
        return work.in_flight >= work.at_once or (
            waiting is not None and waiting.size > waiting.max_bytes
        )

    async def room(self) -> None:
        """Wait until there is room for more work: this is how a busy client is held back."""
        while self.is_full and not self.ended:
            await self.workload.less()

    async def _all_answered(self) -> None:
        """Wait for the work that was accepted, as long as last words may take."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                while self.workload.in_flight and not self.ended:
                    await self.workload.less()

    # -- the WebSocket -------------------------------------------------------------------------------

    def carry(self, ws: Carrier, transport: asyncio.Transport | None) -> None:
        """From now on this WebSocket carries the socket."""
        self._ws = ws
        ws.on_close = self.on_websocket_close
        self._transport = transport
        if transport is None:
            self._end(None)
        else:
            ws.transport = transport
            if isinstance(ws, EngineWebSocket):
                bound_send_buffer(transport.get_extra_info("socket"))
            self._wake()
            self.clear_way()

    def lost(self) -> None:
        """The connection is gone, whoever ended it."""
        self._end(None)

    async def read(self, ws: EngineWebSocket) -> None:
        """Read the WebSocket to its end, which is the socket's end as well."""
        try:
            while not self.ended:
                message = await ws.next(self.count)
                if message.type is not WSMsgType.TEXT and message.type is not WSMsgType.BINARY:
                    break
                self.receive(message.data)
                if self.is_full:
                    await self.room()
        finally:
            self._end(None)

    # -- long polling --------------------------------------------------------------------------------

    async def poll(self, request: web.Request) -> bytes:
        """What waits for a polling client; waits itself until there is something."""
        if self._poll is not None:
            # Two polls at once would take each other's packets.
            self.close(Closing.BAD_FRAME, told=False)
            raise BadFrame("two polls at once")
        if not self.outgoing and not self.upgrading and not self.closing:
            self._poll = asyncio.get_running_loop().create_future()
            try:
                await self._poll
            finally:
                self._poll = None
        if request.transport is None or request.transport.is_closing():
            self._end(None)
        packets = []
        while self.outgoing and (frame := self.outgoing.take()):
            packets.append(frame.as_text())
            self._polled += len(frame)
        self.workload.wake()
        if self.closing and not packets:
            # Not together with the last words: clients act on a close before they read what is beside it.
            self._end(None)
            return self._farewell.data
        return b"\x1e".join(packets) if packets else NOOP.data

    def cut_poll(self) -> None:
        """Answer a waiting poll now, with whatever there is."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    # -- the end -------------------------------------------------------------------------------------

    def close(self, reason: Closing | None, *, told: bool = True) -> None:
        """End by the server's will: last words, then the close. The listener knows at once."""
        if self.closing:
            return
        last_words = self.server.listener.last_words(self, reason) if told and reason else ()
        self.closing, self.way = True, None
        self.server.ending(self, reason)
        if self._ws is not None:
            self.server.start(self._answer_and_close(self._ws, close_code(reason), last_words))
            return
        for frame in last_words:
            self._queue().force(frame)
        if self.outgoing or self._poll is not None:
            self._farewell = CLOSE
            self._wait_for_last_words(lambda: self._end(None))
            self.cut_poll()
        else:
            self._end(None)

    async def _answer_and_close(self, ws: Carrier, code: int, last_words: Iterable[Frame]) -> None:
        await self._all_answered()
        for frame in last_words:
            self._queue().force(frame)
        await self._close_websocket(ws, code)

    async def _close_websocket(self, ws: Carrier, code: int) -> None:
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                if self._flusher is not None:
                    await asyncio.shield(self._flusher)
                await self._flush(ws)
                await ws.close(code=code)
            self._end(None)
        except (TimeoutError, ConnectionError, RuntimeError):
            self.abort(None)

    def on_websocket_close(self, fault: Closing | None) -> None:
        """The WebSocket begins to close, by its own decision or ours."""
        if self.ended:
            return
        transport = self._transport
        if not self.closing:
            if fault is not None and transport is not None and not transport.is_closing():
                for frame in self.server.listener.last_words(self, fault):
                    transport.write(frame.wire)
            self.closing, self.way = True, None
            self.server.ending(self, fault)
        self._wait_for_last_words(lambda: self.abort(None))

    def goodbye(self) -> None:
        """The client has said that it leaves."""
        self.closing, self.way = True, None
        self.server.ending(self, None)
        if self._ws is None:
            self._drop_waiting()
            self._wait_for_last_words(lambda: self._end(None))
            self.cut_poll()
        else:
            self.server.start(self._close_websocket(self._ws, 1000))

    def abort(self, reason: Closing | None) -> None:
        """End at once, saying nothing: for readers that do not read and clients that are gone."""
        if self._transport is not None:
            reset(self._transport)
        self._end(reason)

    def _end(self, reason: Closing | None) -> None:
        if self.ended:
            return
        if not self.closing:
            self.server.ending(self, reason)
        self.closing = self.ended = True
        self.way = None
        self._drop_waiting()
        self.server.wheel.remove(self)
        if self._last_wait is not None:
            self._last_wait.cancel()
            self._last_wait = None
        self.workload.wake()
        self.cut_poll()
        self._transport = None
        self.server.forget(self)

    def _drop_waiting(self) -> None:
        if self.outgoing is not None:
            self.outgoing.clear()


def _size(data: str | bytes) -> int:
    """Bytes on the wire: polling counts its body in bytes, so text is counted like that here as well."""
    return len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode())
