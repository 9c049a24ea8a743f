"""The stand-in OA calls out: whose lists a change has touched, signed, to whoever was named.

Calls wait in one queue, the oldest giving way when it is full; each is tried a few times and then dropped,
since it only shortens the time until somebody looks. Now and then it says, for nobody, that it is alive.
Nothing here is waited for by an answer.
"""

import asyncio
import hashlib
import hmac
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiohttp

from server.clock import Clock
from server.sandbox.config import OATarget
from server.sandbox.oa_documents import Document

log = logging.getLogger(__name__)

LONGEST_QUEUE: Final = 1_000
PEOPLE_AT_ONCE: Final = 200
TRIES: Final = 4
_ENOUGH: Final = aiohttp.ClientTimeout(total=5.0)


class Caller:
    """What is to be told. `told` and `dropped` count for whoever asks."""

    def __init__(self, target: OATarget | None, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._waiting: deque[bytes] = deque(maxlen=LONGEST_QUEUE)
        self._something = asyncio.Event()
        self.told = 0
        self.dropped = 0

    def changed(self, document: Document, people: frozenset[int]) -> None:
        """Somebody's lists are no longer what they were."""
        if self._target is None or not people:
            return
        told = [str(one) for one in sorted(people)]
        for first in range(0, len(told), PEOPLE_AT_ONCE):
            some = told[first : first + PEOPLE_AT_ONCE]
            self._queue({"people": some, "request_id": str(document.request_id)})

    def _queue(self, said: Mapping[str, object]) -> None:
        self.dropped += len(self._waiting) == LONGEST_QUEUE
        self._waiting.append(json.dumps(said).encode())
        self._something.set()

    @asynccontextmanager
    async def running(self, http: aiohttp.ClientSession) -> AsyncIterator[None]:
        target = self._target
        calling = None if target is None else asyncio.create_task(self._call(http, target))
        try:
            yield
        finally:
            if calling is not None:
                calling.cancel()
                with suppress(asyncio.CancelledError):
                    await calling

    async def _call(self, http: aiohttp.ClientSession, target: OATarget) -> None:
        while True:
            try:
                await asyncio.wait_for(self._something.wait(), target.alive_s)
            except TimeoutError:
                self._queue({"people": []})
            self._something.clear()
            while self._waiting:
                if await self._tell(http, target, self._waiting.popleft()):
                    self.told += 1
                else:
                    self.dropped += 1

    async def _tell(self, http: aiohttp.ClientSession, target: OATarget, body: bytes) -> bool:
        for number in range(TRIES):
            if number:
                await asyncio.sleep(target.between_s * number)
            try:
                headers = _signed(target, self._clock.now() // 1000, body)
                async with http.post(
                    target.url, data=body, headers=headers, timeout=_ENOUGH
                ) as said:
                    if said.status < 300:
                        return True
                    if said.status < 500 and said.status != 429:
                        break
            except (aiohttp.ClientError, TimeoutError) as failed:
                log.debug("%s was not told: %s", target.url, failed)
        return False


def _signed(target: OATarget, time_s: int, body: bytes) -> dict[str, str]:
    """HMAC-SHA256 over the time, a line feed and the body."""
    time = str(time_s)
    made = hmac.new(target.secret.encode(), time.encode() + b"\n" + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "X-Yuanxin-Key": target.key_id,
        "X-Yuanxin-Time": time,
        "X-Yuanxin-Signature": made.hexdigest(),
    }
