"""The Socket.IO server of the product: clients are signed-in connections, events are commands."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

import msgspec
from socketio.exceptions import (
    ConnectionRefusedError as SocketRefused,
)

from realtime.application import Application, Promise
from realtime.connection import Connection
from realtime.errors import Closing, Refused, Unavailable
from realtime.frames import ack_packet
from realtime.gateway.engine import EngineOptions
from realtime.gateway.engine_socket import EngineSocket
from realtime.gateway.packets import Unreadable
from realtime.gateway.socket_server import SocketServer, SocketState
from realtime.hub import Hub

log = logging.getLogger("realtime.gateway")

_REFUSAL = b'{"ok":false'


class _Error(msgspec.Struct, frozen=True):
    code: str = "unknown"


class _Answer(msgspec.Struct):
    error: _Error = _Error()


class ProductServer(SocketServer):
    """Between sockets, the hub and the application."""

    def __init__(
        self, application: Application, hub: Hub, options: EngineOptions, connect_within_s: float
    ) -> None:
        super().__init__(options, hub.clock, connect_within_s=connect_within_s)
        self.application = application
        self.hub = hub
        self.metrics = hub.metrics
        self.draining = False
        self.commands: set[asyncio.Task[None]] = set()
        self.promises: set[Promise] = set()

    async def admit(self, socket: EngineSocket, namespace: str, sid: str, auth: Any) -> None:
        try:
            identity = await self.application.authenticate(auth, socket.address)
            connection = Connection(sid, identity, socket)
            await self.hub.open(connection, self.application.channels_of)
        except Refused as refusal:
            raise self._refused(refusal) from refusal
        except Exception as fault:
            log.exception("a connection could not be admitted")
            raise self._refused(Unavailable("the server cannot sign you in now")) from fault
        socket.app.connection = connection

    def take_event(
        self, socket: EngineSocket, namespace: str, sid: str, ack_id: int | None, args: list[Any]
    ) -> None:
        if self.draining:
            return
        name, body = args[0], args[1] if len(args) == 2 else args[1:] or {}
        state: SocketState = socket.app
        began = self.hub.clock.monotonic()
        try:
            answer = self.application.handle(state.connection, name, body)
        except Exception:
            log.exception("a command failed")
            self._fail(socket, name, ack_id, began)
            return
        if isinstance(answer, msgspec.Raw):
            self._answer(socket, name, answer, ack_id, began)
            return
        if isinstance(answer, Promise):
            self._expect(socket, name, answer, ack_id, began)
            return
        task = socket.work(self._await(socket, name, answer, ack_id, began))
        self.commands.add(task)
        task.add_done_callback(self.commands.discard)

    def take_unreadable(self, socket: EngineSocket, fault: Unreadable) -> None:
        state: SocketState = socket.app
        if fault.ack_id is None or not state.namespaces.get(fault.namespace):
            raise fault
        self._refuse(socket, fault.ack_id, "invalid", str(fault))

    def left(self, socket: EngineSocket, namespace: str, sid: str, reason: Closing | None) -> None:
        state: SocketState = socket.app
        if state.connection is not None:
            self.hub.leave(state.connection, reason)
            state.connection = None

    def opened(self, socket: EngineSocket) -> None:
        super().opened(socket)
        self.metrics.sockets += 1

    def confirmed(self, socket: EngineSocket, ping_sent_at: int) -> None:
        state: SocketState = socket.app
        if state.connection is not None:
            state.connection.confirm(ping_sent_at)

    def closed(self, socket: EngineSocket, reason: Closing | None) -> None:
        super().closed(socket, reason)
        self.metrics.sockets -= 1
        self.metrics.closed("gone" if reason is None else reason.reason)
        if socket.outgoing is not None:
            self.metrics.queued(socket.outgoing.high_water)

    def _expect(
        self, socket: EngineSocket, name: str, promise: Promise, ack_id: int | None, began: float
    ) -> None:
        def heard(answer: msgspec.Raw) -> None:
            self.promises.discard(promise)
            self._answer(socket, name, answer, ack_id, began)
            socket.workload.end()

        self.promises.add(promise)
        socket.workload.begin()
        promise.heard = heard

    async def _await(
        self,
        socket: EngineSocket,
        name: str,
        answer: Awaitable[msgspec.Raw],
        ack_id: int | None,
        began: float,
    ) -> None:
        try:
            self._answer(socket, name, await answer, ack_id, began)
        except Exception:
            log.exception("a command failed")
            self._fail(socket, name, ack_id, began)

    def _fail(self, socket: EngineSocket, name: str, ack_id: int | None, began: float) -> None:
        """The application promises not to raise; should it, the client must not wait for ever."""
        self.metrics.handled(name, "failed", self.hub.clock.monotonic() - began)
        if ack_id is not None:
            self._refuse(socket, ack_id, "unavailable", "this could not be done; try again")

    def _answer(
        self, socket: EngineSocket, name: str, answer: msgspec.Raw, ack_id: int | None, began: float
    ) -> None:
        text = bytes(answer)
        if ack_id is not None:
            socket.answer(ack_packet(ack_id, text))
        outcome = _outcome(text) if text.startswith(_REFUSAL) else "ok"
        self.metrics.handled(name, outcome, self.hub.clock.monotonic() - began)

    def _refuse(self, socket: EngineSocket, ack_id: int, code: str, message: str) -> None:
        answer = {"ok": False, "error": {"code": code, "message": message}}
        socket.answer(ack_packet(ack_id, msgspec.json.encode(answer)))

    def _refused(self, refusal: Refused) -> SocketRefused:
        # socket.io-client makes an Error of it whose message is the code; the sentence is in its data.
        self.metrics.refused_connects.labels(refusal.code).inc()
        told: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
        if refusal.retry_after_ms is not None:
            told["retry_after_ms"] = refusal.retry_after_ms
        return SocketRefused(refusal.code, told)


def _outcome(refusal: bytes) -> str:
    try:
        return msgspec.json.decode(refusal, type=_Answer).error.code
    except msgspec.DecodeError:
        return "unknown"
