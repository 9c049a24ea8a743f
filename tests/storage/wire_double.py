"""A stand-in for a MongoDB replica set: nx-27017 behind a relay that makes its transactions provable.

nx-27017 speaks MongoDB's wire protocol over SQLite, and all its clients share one connection: a transaction
that one of them aborts undoes what others were told is stored, and what is not committed is seen by all.
The relay lets one transaction be open at a time and holds everybody else's commands until it has ended. So
transactions are isolated by standing in a row, and what a client sees is what it would see on MongoDB. What
nx-27017 does not know or gets wrong is put right in `wire_mends`.

`async with wire_double() as double` gives `double.url`; `double.faults` breaks things. As a process:
`python -m tests.storage.wire_double [--port N]` prints the url, and the port of the nx-27017 behind it, and
serves until it is ended.
"""

import argparse
import asyncio
import contextlib
import signal
import socket
import struct
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bson

from tests.storage.wire_mends import Mends

Doc = dict[str, Any]
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
_KEPT_OUTCOMES = 10_000
_NO_SUCH_TRANSACTION = {
    "ok": 0.0,
    "code": 251,
    "codeName": "NoSuchTransaction",
    "errmsg": "the transaction was aborted or never began",
    "errorLabels": ["TransientTransactionError"],
}


@dataclass
class Faults:
    """What to break. Each is asked with the command's name and the command."""

    before: Callable[[str, Doc], Doc | None] = lambda name, command: None
    """An answer to give instead of doing the command."""
    lose_answer: Callable[[str, Doc], bool] = lambda name, command: False
    """Whether to close the connection instead of answering what was done."""
    lose_command: Callable[[str, Doc], bool] = lambda name, command: False
    """Whether to close the connection before the command is done."""
    has_primary: bool = True
    """Whether the double says that it is the primary."""


@dataclass
class Transaction:
    """An open transaction: whose, and over which connection it began."""

    id: tuple[bytes, int]
    lsid: Doc
    connection: object
    is_aborted: bool = False


@dataclass
class Double:
    """The relay."""

    nx_port: int
    port: int = 0
    set_name: str = "double"
    """Empty: a server that stands alone."""
    wire_version: int = 21
    faults: Faults = field(default_factory=Faults)
    connections: "set[asyncio.Task[None]]" = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _open: Transaction | None = None
    _outcomes: "OrderedDict[tuple[bytes, int], bool]" = field(default_factory=OrderedDict)
    _sequence: int = 0
    _mends: Mends = field(default_factory=Mends)

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet={self.set_name}"

    # Connections

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        task.add_done_callback(self.connections.discard)
        upstream = await asyncio.open_connection("127.0.0.1", self.nx_port)
        me = object()
        try:
            while True:
                request_id, op, body = await _read(reader)
                answer = await self._answer(op, body, upstream, me)
                if answer is None:
                    break
                writer.write(_wrapped(op, request_id, answer))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            await self._left(me, upstream)
            for stream in (upstream[1], writer):
                stream.close()
                with contextlib.suppress(ConnectionError):
                    await stream.wait_closed()

    async def _answer(self, op: int, body: bytes, upstream: Any, me: object) -> Doc | None:
        """The answer to a command; None to close the connection."""
        command = _query_in(body) if op == OP_QUERY else _command_in(body)
        name = next(iter(command))
        if name.lower() in ("hello", "ismaster"):
            return self._hello()
        if name == "endSessions":
            return {"ok": 1.0}
        if name == "saslStart":
            return {"ok": 0.0, "code": 18, "errmsg": "there are no users here"}
        if not self.faults.has_primary:
            return {
                "ok": 0.0,
                "code": 10107,
                "errmsg": "not primary",
                "codeName": "NotWritablePrimary",
            }
        if self.faults.lose_command(name, command):
            return None
        answer = self.faults.before(name, command)
        if answer is None:
            if "autocommit" in command:
                answer = await self._in_transaction(name, command, upstream, me)
            else:
                async with self._turn:
                    answer = await self._ask(name, command, upstream)
        return None if self.faults.lose_answer(name, command) else answer

    def _hello(self) -> Doc:
        me = f"127.0.0.1:{self.port}"
        primary = self.faults.has_primary
        return {
            "ok": 1.0,
            "helloOk": True,
            "ismaster": primary,
            "isWritablePrimary": primary,
            "secondary": not primary,
            **(_set_facts(self.set_name, me, primary) if self.set_name else {}),
            "maxBsonObjectSize": 16 * 1024 * 1024,
            "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000,
            "logicalSessionTimeoutMinutes": 30,
            "minWireVersion": 0,
            "maxWireVersion": self.wire_version,
            "readOnly": False,
        }

    # Transactions

    async def _in_transaction(self, name: str, command: Doc, upstream: Any, me: object) -> Doc:
        id = (bytes(command["lsid"]["id"]), command["txnNumber"])
        if command.get("startTransaction"):
            await self._turn.acquire()
            self._open = Transaction(id, command["lsid"], me)
        mine = self._open if self._open is not None and self._open.id == id else None
        if name in ("commitTransaction", "abortTransaction"):
            return await self._end(name, id, mine, command, upstream)
        if mine is None:
            return _NO_SUCH_TRANSACTION
        answer = await self._ask(name, command, upstream)
        if not answer.get("ok") or answer.get("writeErrors"):
            # MongoDB aborts a transaction in which anything fails; nx-27017 goes on.
            await self._abort(mine, upstream)
        return answer

    async def _end(
        self,
        name: str,
        id: tuple[bytes, int],
        mine: Transaction | None,
        command: Doc,
        upstream: Any,
    ) -> Doc:
        if name == "abortTransaction":
            if mine is None:
                return _NO_SUCH_TRANSACTION
            await self._abort(mine, upstream)
            return {"ok": 1.0}
        if mine is None:
            return {"ok": 1.0} if self._outcomes.get(id) else _NO_SUCH_TRANSACTION
        answer = await self._ask(name, command, upstream)
        self._over(id, bool(answer.get("ok")))
        return answer

    async def _abort(self, transaction: Transaction, upstream: Any) -> None:
        command = {"abortTransaction": 1, "lsid": transaction.lsid, "$db": "admin"}
        await self._ask("abortTransaction", command, upstream)
        self._over(transaction.id, False)

    def _over(self, id: tuple[bytes, int], is_committed: bool) -> None:
        self._open = None
        self._outcomes[id] = is_committed
        while len(self._outcomes) > _KEPT_OUTCOMES:
            self._outcomes.popitem(last=False)
        self._turn.release()

    async def _left(self, me: object, upstream: Any) -> None:
        """A connection is gone, and with it the transaction that began on it."""
        if self._open is not None and self._open.connection is me:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._abort(self._open, upstream)

    # nx-27017

    async def _ask(self, name: str, command: Doc, upstream: Any) -> Doc:
        async def ask(command: Doc) -> Doc:
            reader, writer = upstream
            self._sequence += 1
            payload = struct.pack("<iB", 0, 0) + bson.encode(command)
            writer.write(
                struct.pack("<iiii", 16 + len(payload), self._sequence, 0, OP_MSG) + payload
            )
            await writer.drain()
            _, _, body = await _read(reader)
            return _command_in(body)

        return await self._mends.answer(name, command, ask)


def _set_facts(name: str, me: str, primary: bool) -> Doc:
    known = {"primary": me} if primary else {}
    return {"setName": name, "setVersion": 1, "hosts": [me], "me": me, **known}


async def _read(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    length, request_id, _, op = struct.unpack("<iiii", await reader.readexactly(16))
    return request_id, op, await reader.readexactly(length - 16)


def _query_in(body: bytes) -> Doc:
    start = body.index(b"\0", 4) + 1 + 8
    return bson.decode(body[start:])


def _command_in(body: bytes) -> Doc:
    """The command of an OP_MSG, its sequences of documents put in their place."""
    command: Doc = {}
    at = 4
    while at < len(body):
        kind = body[at]
        size = struct.unpack_from("<i", body, at + 1)[0]
        if kind == 0:
            command = {**bson.decode(body[at + 1 : at + 1 + size]), **command}
        else:
            end = body.index(b"\0", at + 5)
            documents = bson.decode_all(body[end + 1 : at + 1 + size])
            command[body[at + 5 : end].decode()] = documents
        at += 1 + size
    first = next(key for key in command if key not in ("documents", "updates", "deletes"))
    return {first: command.pop(first), **command}


def _wrapped(op: int, request_id: int, answer: Doc) -> bytes:
    if op == OP_QUERY:
        payload = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(answer)
        return struct.pack("<iiii", 16 + len(payload), 0, request_id, OP_REPLY) + payload
    payload = struct.pack("<iB", 0, 0) + bson.encode(answer)
    return struct.pack("<iiii", 16 + len(payload), 0, request_id, OP_MSG) + payload


# Processes


@asynccontextmanager
async def _nx(port: int) -> AsyncIterator[None]:
    """nx-27017 as a child, its databases in memory."""
    with TemporaryDirectory() as folder:
        async with _nx_in(Path(folder), port):
            yield


@asynccontextmanager
async def _nx_in(folder: Path, port: int) -> AsyncIterator[None]:
    # It removes its pid file when it ends: that has to be a file of its own.
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("nx-27017")),
        *("--data-dir", "memory", "--host", "127.0.0.1", "--port", str(port)),
        *("--log-file", str(folder / "log"), "--pid-file", str(folder / "pid")),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            while not await _answers(port):
                assert process.returncode is None, "nx-27017 ended"
                await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@asynccontextmanager
async def wire_double(port: int = 0) -> AsyncIterator[Double]:
    """The double while the context lasts."""
    nx_port = _free_port()
    async with _nx(nx_port), relay(nx_port, port) as double:
        yield double


@asynccontextmanager
async def relay(nx_port: int, port: int = 0) -> AsyncIterator[Double]:
    """Only the relay, before an nx-27017 that runs already; no database may be used through two of them."""
    double = Double(nx_port)
    server = await asyncio.start_server(double.serve, "127.0.0.1", port)
    double.port = server.sockets[0].getsockname()[1]
    try:
        yield double
    finally:
        server.close()
        for task in double.connections:
            task.cancel()
        await asyncio.gather(*double.connections, return_exceptions=True)


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--until-input-ends", action="store_true", help="end with its parent")
    given = parser.parse_args()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if given.until_input_ends:
        # Nothing is ever written: to be readable means to be at the end.
        loop.add_reader(sys.stdin.fileno(), stop.set)
    async with wire_double(given.port) as double:
        print(double.url, double.nx_port, flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_main())
