"""Password hashes: argon2id, computed in few threads with a bounded wait.

One hash costs 19 MiB and some 40 ms of a core. Two at a time keep the machine responsive when a whole
hospital signs in; whoever would wait too long is told to come back. Somebody without a password costs
the same time as somebody with a wrong one, so that accounts cannot be told apart.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.errors import Busy

THREADS: Final = 2
MOST_WAITING: Final = 256
LONGEST: Final = 128
"""Characters a password may have: more adds nothing and costs time."""

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$cLMtP7oYb7wE2WcrHYpi6A"
    "$63nFngoTaPQnN0VWSj8y7QGoKm/9aPRoiDFj0X+oXgo"
)
"""The hash compared for those who have none; nothing is known to match it."""

R = TypeVar("R")


def nothing() -> None:
    """No further condition."""


class Passwords:
    """Makes and checks hashes. Owned by the application, which closes it."""

    def __init__(self, *, threads: int = THREADS, most_waiting: int = MOST_WAITING) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._slots = asyncio.Semaphore(threads)
        self._most = threads + most_waiting
        self._asked = 0

    async def verify(
        self, hashed: str | None, password: str, *, still_allowed: Callable[[], None] = nothing
    ) -> bool:
        """Whether this is the password; never for somebody without one. Raises Busy.

        `still_allowed` is called once it is this caller's turn and may raise: many attempts that
        wait side by side must not all pass a limit that only counts finished ones.
        """
        matches = await self._turn(lambda: _matches(hashed or NOBODYS, password), still_allowed)
        return matches and hashed is not None

    async def hash(self, password: str) -> str:
        """A hash to be stored. Raises Busy."""
        return await self._turn(lambda: HASHER.hash(_bytes(password)), nothing)

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return HASHER.check_needs_rehash(hashed)

    def close(self) -> None:
        """Wait for what is being computed, drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _turn(self, compute: Callable[[], R], still_allowed: Callable[[], None]) -> R:
        if self._asked >= self._most:
            raise Busy("many people are signing in; try again in a moment", retry_after_ms=2_000)
        self._asked += 1
        try:
            await self._slots.acquire()
        except asyncio.CancelledError:
            self._asked -= 1
            raise
        try:
            still_allowed()
            future = asyncio.get_running_loop().run_in_executor(self._pool, compute)
        except BaseException:
            self._free()
            raise
        # The slot is taken until the thread is done, even if nobody waits for it any more. Who
        # waits hears first, so that a failure is counted before the next one's turn begins.
        outcome = asyncio.shield(future)
        future.add_done_callback(lambda _: self._free())
        return await outcome

    def _free(self) -> None:
        self._asked -= 1
        self._slots.release()


def _matches(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
