"""One node's two connections to Redis: one hears, one speaks; both are made again when either fails.

`run` belongs to whoever started its task and ends when that is cancelled. While one envelope is on its way
the next ones gather behind it, so a busy node sends fewer and larger ones without any waiting. A node hears
its own envelopes too: when those fail to come back it is deaf, whatever its connection says, and connects
anew.
"""

import asyncio
import logging
import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger("realtime.backplane")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of everything that takes its time on the line."""

    beat_s: float = 1.0
    """How often a node shows that it lives, and how late a loss may be noticed."""
    deaf_s: float = 3.0
    """Without an echo for so long a node takes itself for deaf."""
    gone_s: float = 60.0
    """A node that went without farewell is taken for cut off for so long, then for gone."""
    announce_s: float = 1.0
    """How long somebody who arrives waits for the other nodes to know."""
    answer_s: float = 0.5
    """How long a question to other nodes waits for its answers."""
    redis_s: float = 2.0
    """How long Redis may take to connect, or to take one envelope."""
    first_pause_s: float = 0.1
    longest_pause_s: float = 2.0
    """Between two attempts to connect: doubling, and a little by chance."""


class Deaf(Exception):
    """The connection stands, but nothing is heard."""


class Voice(Protocol):
    """Whoever speaks and hears over the wire."""

    async def next_words(self) -> bytes:
        """The next envelope to send; waits until there is something to say."""
        ...

    def hear(self, data: bytes) -> None:
        """An envelope has come. Raises nothing."""
        ...

    def beat(self) -> None:
        """A beat has passed. Raises Deaf."""
        ...

    def up(self) -> None:
        """What is said from now on reaches the others, and what they say is heard."""
        ...

    def down(self) -> None:
        """Nothing is heard any more."""
        ...


class RedisWire:
    """Keeps a voice connected to everybody on one Redis channel."""

    def __init__(self, url: str, name: str, pace: Pace, voice: Voice) -> None:
        self._pool = ConnectionPool.from_url(
            url, protocol=2, socket_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        # Redis' numbered databases do not part what is published.
        self.channel = f"{name}:{self._pool.connection_kwargs.get('db', 0)}"
        self._pace = pace
        self._voice = voice
        self.fault = "not connected yet"
        """Why there is no connection; empty while there is one."""

    async def run(self) -> None:
        """Stay connected until cancelled."""
        pause = self._pace.first_pause_s
        while True:
            try:
                await self._live()
            except* (RedisError, OSError, Deaf) as faults:
                if not self.fault:
                    pause = self._pace.first_pause_s
                self._fail(faults)
            except* Exception:  # Ours, then; still nobody would bring the line back.
                log.exception("the line between nodes is down")
                self.fault = "a fault of the server's own"
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))
            pause = min(2 * pause, self._pace.longest_pause_s)

    def _fail(self, faults: BaseExceptionGroup[Exception]) -> None:
        fault: BaseException = faults
        while isinstance(fault, BaseExceptionGroup):
            fault = fault.exceptions[0]
        reason = str(fault) or type(fault).__name__
        if reason != self.fault:
            log.warning("the line between nodes is down: %s", reason)
        self.fault = reason

    async def _live(self) -> None:
        async with self._connection() as hearing, self._connection() as speaking:
            async with asyncio.timeout(self._pace.redis_s):
                await hearing.send_command("SUBSCRIBE", self.channel)
                await hearing.read_response(timeout=math.inf)
            log.info("the line between nodes is up")
            self.fault = ""
            self._voice.up()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._hear(hearing), name="line: hear")
                    tasks.create_task(self._speak(speaking), name="line: speak")
                    tasks.create_task(self._beat(), name="line: beat")
            finally:
                self._voice.down()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AbstractConnection]:
        connection = self._pool.connection_class(**self._pool.connection_kwargs)
        try:
            async with asyncio.timeout(self._pace.redis_s):
                await connection.connect()  # type: ignore[no-untyped-call]
            yield connection
        finally:
            await connection.disconnect(nowait=True)

    async def _hear(self, hearing: AbstractConnection) -> None:
        while True:
            kind, _, data = await hearing.read_response(timeout=math.inf)
            if kind == b"message":
                self._voice.hear(data)

    async def _speak(self, speaking: AbstractConnection) -> None:
        while True:
            words = await self._voice.next_words()
            async with asyncio.timeout(self._pace.redis_s):
                await speaking.send_command("PUBLISH", self.channel, words)
                await speaking.read_response(timeout=math.inf)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._pace.beat_s)
            self._voice.beat()
