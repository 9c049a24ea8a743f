"""For tests: a small Socket.IO client over one raw WebSocket.

The client shares no code with the server. It keeps every frame it received, in order, answers pings
unless told not to, and can stop reading so that the kernel's buffers fill as a stuck device's would.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, cast

import aiohttp
import msgspec

WAIT_S = 5.0


class ConnectRefused(Exception):
    """The server answered CONNECT with an error."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told.get("message"))
        self.told = told
        self.code: str = told.get("data", {}).get("code", "")


class Disconnected(Exception):
    """The connection ended while something was awaited."""


class SocketClient:
    """One connection of one device. Made by `connect`; also an async context manager."""

    def __init__(self, session: aiohttp.ClientSession, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.frames: list[str | bytes] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.answers_pings = True
        self.pings = 0
        self.sid = ""
        self.close_code: int | None = None
        self._session = session
        self._ws = ws
        self._next_ack = 0
        self._acks: dict[int, asyncio.Future[Any]] = {}
        self._changed = asyncio.Condition()
        self._reading = asyncio.Event()
        self._reading.set()
        self._ended = False
        self._connected: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(
        cls,
        url: str,
        ticket: str | None = None,
        *,
        auth: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "SocketClient":
        """Connect to `http://host:port` with a ticket. Raises ConnectRefused."""
        client = await cls.open(url, headers=headers)
        if auth is None and ticket is not None:
            auth = {"ticket": ticket}
        await client.send("40" + (msgspec.json.encode(auth).decode() if auth is not None else ""))
        try:
            async with asyncio.timeout(WAIT_S):
                client.sid = (await asyncio.shield(client._connected))["sid"]
        except BaseException:
            await client.close()
            raise
        return client

    @classmethod
    async def open(cls, url: str, *, headers: Mapping[str, str] | None = None) -> "SocketClient":
        """Open the socket and send nothing yet."""
        session = aiohttp.ClientSession()
        try:
            ws = await session.ws_connect(
                f"{url}/socket.io/?EIO=4&transport=websocket", headers=headers, max_msg_size=0
            )
        except BaseException:
            await session.close()
            raise
        return cls(session, ws)

    async def __aenter__(self) -> "SocketClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def is_open(self) -> bool:
        return not self._ended

    async def send(self, packet: str | bytes) -> None:
        """Send one Engine.IO packet as it is."""
        if isinstance(packet, bytes):
            await self._ws.send_bytes(packet)
        else:
            await self._ws.send_str(packet)

    async def call(self, name: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Do a command; the whole ack object."""
        answer: dict[str, Any] = await asyncio.wait_for(self.start(name, fields), WAIT_S)
        return answer

    def start(self, name: str, fields: Mapping[str, Any] | None = None) -> "asyncio.Task[Any]":
        """Do a command without waiting; awaiting the task gives its ack object."""
        ack_id, self._next_ack = self._next_ack, self._next_ack + 1
        self._acks[ack_id] = asyncio.get_running_loop().create_future()
        return asyncio.create_task(self._call(ack_id, [name, dict(fields or {})]))

    async def ask(self, name: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Do a command that must succeed; its result."""
        answer = await self.call(name, fields)
        assert answer.get("ok") is True, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def emit(self, name: str, fields: Mapping[str, Any] | None = None) -> None:
        """Send an event without asking for an ack."""
        await self.send("42" + msgspec.json.encode([name, dict(fields or {})]).decode())

    async def wait_for(
        self,
        name: str,
        predicate: Callable[[dict[str, Any]], bool] = lambda _: True,
        *,
        timeout_s: float = WAIT_S,
    ) -> dict[str, Any]:
        """The first event of that name, past or coming, for which the predicate holds."""

        def found() -> dict[str, Any] | None:
            return next((data for n, data in self.events if n == name and predicate(data)), None)

        await self.until(lambda: found() is not None, timeout_s=timeout_s)
        event = found()
        if event is None:
            raise Disconnected(f"ended while waiting for {name}; heard {self.events[-20:]}")
        return event

    async def until(self, holds: Callable[[], bool], *, timeout_s: float = WAIT_S) -> None:
        """Wait until something holds about what was received, or the connection has ended."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(lambda: holds() or self._ended)

    async def ended(self, *, timeout_s: float = WAIT_S) -> None:
        """Wait until the connection has ended."""
        await self.until(lambda: False, timeout_s=timeout_s)

    def named(self, name: str) -> list[dict[str, Any]]:
        """The objects of all events of that name so far."""
        return [data for event, data in self.events if event == name]

    def write(self, frames: bytes) -> None:
        """Put bytes of one's own making on the line, past the WebSocket."""
        self._transport.write(frames)

    def pause_reading(self) -> None:
        """Read nothing more from the socket: the operating system's buffers fill, then the server's."""
        self._reading.clear()
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._reading.set()
        self._transport.resume_reading()

    async def close(self) -> None:
        """End the connection and wait until it has ended."""
        with contextlib.suppress(Exception):
            if not self._reading.is_set():
                self._transport.abort()
                self._reading.set()
            async with asyncio.timeout(WAIT_S):
                await self._ws.close()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._session.close()

    def drop(self) -> None:
        """Vanish without a word, as a phone in a lift does."""
        self._transport.abort()

    @property
    def _transport(self) -> asyncio.Transport:
        connection = self._ws._response.connection
        assert connection is not None
        transport = connection.transport
        return cast(asyncio.Transport, transport)  # uvloop's does not inherit from asyncio's

    async def _call(self, ack_id: int, args: list[Any]) -> Any:
        try:
            await self.send(f"42{ack_id}" + msgspec.json.encode(args).decode())
            return await self._acks[ack_id]
        finally:
            self._acks.pop(ack_id, None)

    async def _read(self) -> None:
        try:
            while True:
                await self._reading.wait()
                message = await self._ws.receive()
                if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    break
                await self._take(message.data)
        finally:
            self.close_code = self._ws.close_code
            self._ended = True
            for future in (*self._acks.values(), self._connected):
                if not future.done():
                    future.set_exception(Disconnected("the connection ended"))
                    future.exception()
            async with self._changed:
                self._changed.notify_all()

    async def _take(self, packet: str | bytes) -> None:
        if packet == "2":
            self.pings += 1
            if self.answers_pings:
                await self.send("3")
        else:
            self.frames.append(packet)
            if isinstance(packet, str):
                self._understand(packet)
        async with self._changed:
            self._changed.notify_all()

    def _understand(self, packet: str) -> None:
        kind, rest = packet[:2], packet[2:]
        if kind == "40" and not self._connected.done():
            self._connected.set_result(msgspec.json.decode(rest))
        elif kind == "44" and not self._connected.done():
            self._connected.set_exception(ConnectRefused(msgspec.json.decode(rest)))
        elif kind == "42":
            name, *args = msgspec.json.decode(rest[rest.index("[") :])
            self.events.append((name, args[0] if args else {}))
        elif kind == "43":
            digits = rest[: rest.index("[")]
            future = self._acks.get(int(digits))
            if future is not None and not future.done():
                future.set_result(msgspec.json.decode(rest[len(digits) :])[0])
