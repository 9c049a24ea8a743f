"""A proxy before Redis that can stop carrying bytes while every connection still stands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class StallingProxy:
    """Carries bytes both ways; `stall` swallows what comes back over the connections there are."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._carrying = asyncio.Event()
        self.port = 0
        self.connections = 0

    def stall(self) -> None:
        """From now on nothing comes back over the connections made until now."""
        self._carrying.set()
        self._carrying = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_carry(reader, other_writer, asyncio.Event()))
                both.create_task(_carry(other_reader, writer, self._carrying))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            for end in (writer, other_writer):
                end.close()

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stalled: asyncio.Event
) -> None:
    while data := await reader.read(65_536):
        if not stalled.is_set():
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def stalling_proxy(port: int) -> AsyncIterator[StallingProxy]:
    """A proxy on a port of its own."""
    proxy = StallingProxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    server.close()
    await proxy.close()
    await server.wait_closed()
