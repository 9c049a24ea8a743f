"""A cheap Socket.IO client for load: one asyncio protocol, no tasks, text frames only.

Speaks just enough of RFC 6455, Engine.IO v4 and Socket.IO v5 to send events with acks and to receive
events, so that thousands of them cost less than the server under test. What comes is handed on as the
JSON it is: most questions need only its beginning.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec

OnEvent = Callable[["RawSocket", bytes], None]
"""Called with `["name",{...}]`."""
OnAck = Callable[["RawSocket", int, bytes], None]
"""Called with the ack's number and `[{...}]`."""

_NO_MASK = bytes(4)
"""Leaves the payload as it is; the server has to unmask it all the same."""


class RawSocket(asyncio.Protocol):
    """One connection. `connected` is done once the namespace is joined, or failed with the reason."""

    def __init__(self, port: int, ticket: str, on_event: OnEvent, on_ack: OnAck) -> None:
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._port, self._ticket = port, ticket
        self._on_event, self._on_ack = on_event, on_ack
        self._transport: asyncio.Transport
        self._tail = b""
        self._upgraded = False
        self._next_ack = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is one, without saying so.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            b"Host: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            % self._port
        )

    def connection_lost(self, reason: Exception | None) -> None:
        if not self.connected.done():
            self.connected.set_exception(ConnectionError(f"closed before joining: {reason}"))

    def data_received(self, data: bytes) -> None:
        data = self._tail + data
        if not self._upgraded:
            head, separator, data = data.partition(b"\r\n\r\n")
            if not separator:
                self._tail = head
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self._transport.close()
                return
            self._upgraded = True
            self._write(b"40" + msgspec.json.encode({"ticket": self._ticket}))
        self._tail = self._take_frames(data)

    def _take_frames(self, data: bytes) -> bytes:
        """Handle every whole frame; the rest."""
        at = 0
        while len(data) - at >= 2:
            length, head = data[at + 1], 2
            if length == 126:
                length, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            elif length == 127:
                length, head = int.from_bytes(data[at + 2 : at + 10], "big"), 10
            if len(data) - at < head + length:
                break
            self._packet(data[at + head : at + head + length])
            at += head + length
        return data[at:]

    def _packet(self, packet: bytes) -> None:
        if packet == b"2":
            self._write(b"3")
        elif packet[:2] == b"42":
            self._on_event(self, packet[2:])
        elif packet[:2] == b"43":
            place = packet.index(b"[")
            self._on_ack(self, int(packet[2:place]), packet[place:])
        elif packet[:2] == b"40" and not self.connected.done():
            self.connected.set_result(None)
        elif packet[:2] == b"44":
            self.connected.set_exception(ConnectionError(packet.decode()))

    def send(self, name: str, body: object) -> int:
        """Emit an event with an ack; the ack's number."""
        self._next_ack += 1
        self._write(b"42%d%b" % (self._next_ack, msgspec.json.encode([name, body])))
        return self._next_ack

    def _write(self, packet: bytes) -> None:
        length = len(packet)
        short = length < 126
        head = bytes((0x81, 0x80 | (length if short else 126)))
        head += b"" if short else length.to_bytes(2, "big")
        self._transport.write(head + _NO_MASK + packet)

    def close(self) -> None:
        self._transport.close()
