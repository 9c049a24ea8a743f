"""Socket.IO over our Engine.IO: python-socketio's server with its reading and connecting replaced.

What is kept is its face: `on`, `emit`, `call`, rooms, `disconnect`, namespaces. Replaced, because the
stock server lets an undecodable packet kill only the reader, waits for attachments without a bound or an
end, starts any number of handlers, leaves a socket open that never connects, and answers an unknown
namespace with a string where the protocol has an object.
"""

import asyncio
import logging
import random
from collections.abc import Iterable
from typing import Any

import msgspec
import socketio
from socketio.exceptions import (
    ConnectionRefusedError as SocketRefused,
)

from realtime.clock import Clock
from realtime.errors import Closing
from realtime.frames import DISCONNECT as DISCONNECT_FRAME
from realtime.frames import Frame, event_packet
from realtime.gateway import packets
from realtime.gateway.engine import EngineOptions, EngineServer
from realtime.gateway.engine_socket import EngineSocket
from realtime.gateway.packets import BadFrame, Packet, Unreadable
from realtime.gateway.table import ConnectionTable, as_frames

ATTACHMENTS_S = 10.0
"""How long a packet may wait for its attachments; until then its connection is deaf."""


class SocketState:
    """What Socket.IO keeps about one Engine.IO socket."""

    __slots__ = ("attached_bytes", "connection", "namespaces", "pending", "timer")

    def __init__(self) -> None:
        self.namespaces: dict[str, str | None] = {}
        """The connection id in each namespace; None while it is being admitted."""
        self.pending: Packet | None = None
        self.attached_bytes = 0
        self.timer: asyncio.TimerHandle | None = None
        self.connection: Any = None

    def expect(self, within_s: float, otherwise: Any) -> None:
        """Something is due; the one timer of a socket that is not yet in order."""
        self.settle()
        self.timer = asyncio.get_running_loop().call_later(within_s, otherwise)

    def settle(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]
    """Keeps the promise of `realtime.gateway.engine.Listener`."""

    def __init__(
        self,
        options: EngineOptions,
        clock: Clock | None = None,
        *,
        namespaces: Iterable[str] = ("/",),
        connect_within_s: float = 10.0,
    ) -> None:
        self.log = logging.getLogger("realtime.gateway")
        self._make_engine = lambda **_: EngineServer(options, clock, self.log)
        super().__init__(
            client_manager=ConnectionTable(),
            serializer=Packet,
            logger=self.log,
            namespaces=list(namespaces),
        )
        self.engine: EngineServer = self.eio
        self.engine.listener = self
        self.options = options
        self.connect_within_s = connect_within_s
        self.return_within_ms = 0
        """Over how long those who are sent away spread their coming back."""

    def _engineio_server_class(self) -> Any:
        return self._make_engine

    # -- for others to replace -----------------------------------------------------------------------

    async def admit(self, socket: EngineSocket, namespace: str, sid: str, auth: Any) -> None:
        """Let a client into a namespace. Raises SocketRefused with what it is told."""
        answer = await self._trigger_event(
            "connect", namespace, sid, {"REMOTE_ADDR": socket.address}, auth
        )
        if answer is False:
            raise SocketRefused()

    def take_event(
        self, socket: EngineSocket, namespace: str, sid: str, ack_id: int | None, args: list[Any]
    ) -> None:
        """An event has come."""
        socket.work(self._handle_event_internal(self, sid, socket.sid, args, namespace, ack_id))

    def take_unreadable(self, socket: EngineSocket, fault: Unreadable) -> None:
        """An event whose JSON could not be taken in."""
        raise fault

    def left(self, socket: EngineSocket, namespace: str, sid: str, reason: Closing | None) -> None:
        """A client is in a namespace no longer."""
        why = self.reason.SERVER_DISCONNECT if reason else self.reason.CLIENT_DISCONNECT
        self.engine.start(self._tell_left(namespace, sid, why))

    async def _tell_left(self, namespace: str, sid: str, why: str) -> None:
        await self._trigger_event("disconnect", namespace, sid, why)

    # -- the listener --------------------------------------------------------------------------------

    def opened(self, socket: EngineSocket) -> None:
        socket.app = state = SocketState()
        state.expect(self.connect_within_s, lambda: socket.close(None))

    def received(self, socket: EngineSocket, data: str | bytes) -> None:
        state: SocketState = socket.app
        if state.pending is None and isinstance(data, str) and (sid := state.namespaces.get("/")):
            event = packets.read_event(data)
            if event is not None:
                self.take_event(socket, "/", sid, *event)
                return
        if isinstance(data, bytes):
            packet = self._attach(state, data)
        elif state.pending is not None:
            raise BadFrame("text where an attachment is due")
        else:
            try:
                packet = packets.read_packet(data)
            except Unreadable as fault:
                self.take_unreadable(socket, fault)
                return
            if packet.attachment_count:
                self._await_attachments(socket, state, packet)
                return
        if packet is not None:
            self._take(socket, state, packet)

    def confirmed(self, socket: EngineSocket, ping_sent_at: int) -> None:
        pass

    def last_words(self, socket: EngineSocket, reason: Closing) -> Iterable[Frame]:
        """The `closing` event; and where no return is wanted, the packet after which clients stay away."""
        state: SocketState = socket.app
        if not any(state.namespaces.values()):
            return ()
        words: dict[str, Any] = {"reason": reason.reason, "reconnect": reason.reconnect}
        if reason is Closing.GOING_AWAY:
            # All are told at once; they are not to come back at once.
            words["retry_after_ms"] = random.randint(0, self.return_within_ms)
        told = Frame(event_packet("closing", msgspec.json.encode(words)))
        return (told,) if reason.reconnect else (told, DISCONNECT_FRAME)

    def closed(self, socket: EngineSocket, reason: Closing | None) -> None:
        state: SocketState = socket.app
        state.settle()
        state.pending = None
        for namespace in list(state.namespaces):
            self._leave(socket, state, namespace, reason)

    # -- packets -------------------------------------------------------------------------------------

    def _take(self, socket: EngineSocket, state: SocketState, packet: Packet) -> None:
        namespace: str = packet.namespace
        kind: int = packet.packet_type
        if kind == packets.CONNECT:
            self._begin_connect(socket, state, namespace, packet.data)
            return
        if kind == packets.DISCONNECT:
            if namespace in state.namespaces and state.namespaces[namespace] is None:
                # Its place would be free for a second admission beside the one under way.
                raise BadFrame("left before it was let in")
            self._leave(socket, state, namespace, None)
            if not state.namespaces:
                self.engine.strangers[socket.sid] = socket
                state.expect(self.connect_within_s, lambda: socket.close(None))
            return
        sid = state.namespaces.get(namespace)
        if sid is None:
            raise BadFrame("a packet for a namespace that is not connected")
        if kind in (packets.EVENT, packets.BINARY_EVENT):
            self.take_event(socket, namespace, sid, packet.id, packet.data)
        else:
            socket.work(self.manager.trigger_callback(sid, packet.id, packet.data))

    def _begin_connect(
        self, socket: EngineSocket, state: SocketState, namespace: str, auth: Any
    ) -> None:
        if namespace not in self.namespaces:
            self._send(socket, packets.CONNECT_ERROR, {"message": "Invalid namespace"}, namespace)
        elif namespace in state.namespaces:
            raise BadFrame("connected twice to one namespace")
        else:
            state.namespaces[namespace] = None
            self.engine.strangers.pop(socket.sid, None)
            socket.work(self._connect(socket, state, namespace, auth))

    async def _connect(
        self, socket: EngineSocket, state: SocketState, namespace: str, auth: Any
    ) -> None:
        sid = await self.manager.pre_connect(socket.sid, namespace)
        if sid is None:
            # Another admission holds the place; two would leave one behind that nobody ends.
            socket.close(Closing.BAD_FRAME)
            return
        try:
            async with asyncio.timeout(self.connect_within_s):
                await self.admit(socket, namespace, sid, auth)
        except (SocketRefused, TimeoutError) as refusal:
            self.manager.basic_disconnect(sid, namespace)
            state.namespaces.pop(namespace, None)
            if not (state.namespaces or socket.ended):
                self.engine.strangers[socket.sid] = socket
            told = refusal.error_args if isinstance(refusal, SocketRefused) else {"message": "busy"}
            self._send(socket, packets.CONNECT_ERROR, told, namespace)
            return
        if socket.closing or namespace not in state.namespaces:
            self.manager.basic_disconnect(sid, namespace)
            self.left(socket, namespace, sid, None)
            return
        state.namespaces[namespace] = sid
        state.settle()
        self._send(socket, packets.CONNECT, {"sid": sid}, namespace)

    def _leave(
        self, socket: EngineSocket, state: SocketState, namespace: str, reason: Closing | None
    ) -> None:
        sid = state.namespaces.pop(namespace, None)
        if sid is not None:
            self.manager.basic_disconnect(sid, namespace)
            self.left(socket, namespace, sid, reason)

    # -- attachments ---------------------------------------------------------------------------------

    def _await_attachments(self, socket: EngineSocket, state: SocketState, packet: Packet) -> None:
        if packet.attachment_count > self.options.limits.attachments:
            raise BadFrame("too many attachments")
        if state.namespaces.get(packet.namespace) is None:
            raise BadFrame("a packet for a namespace that is not connected")
        state.pending = packet
        state.attached_bytes = 0
        state.expect(ATTACHMENTS_S, lambda: socket.close(Closing.BAD_FRAME))

    def _attach(self, state: SocketState, data: bytes) -> Packet | None:
        packet = state.pending
        if packet is None:
            raise BadFrame("an attachment that belongs to no packet")
        state.attached_bytes += len(data)
        if state.attached_bytes > self.options.max_payload:
            raise BadFrame("attachments are too large together")
        if not packets.complete(packet, data):
            return None
        state.pending = None
        state.settle()
        return packet

    # -- sending, also for python-socketio -----------------------------------------------------------

    def _send(
        self, socket: EngineSocket, kind: int, data: Any, namespace: str, ack_id: int | None = None
    ) -> None:
        for frame in as_frames(packets.encode(kind, data, namespace, ack_id)):
            socket.send(frame)

    async def _send_packet(self, eio_sid: str, pkt: Packet) -> None:
        socket = self.engine.sockets.get(eio_sid)
        encoded = pkt.encode()
        if socket is not None:
            for frame in as_frames([encoded] if isinstance(encoded, str) else encoded):
                socket.send(frame)
