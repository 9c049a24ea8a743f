"""Ending tasks that go on until they are cancelled."""

import asyncio
from typing import Any

AGAIN_S = 3.0


async def ended(*tasks: asyncio.Task[Any], again_s: float = AGAIN_S) -> None:
    """Cancel tasks until they have ended; what they raise is theirs to tell.

    Once may not do: `asyncio.wait_for`, before Python 3.12, forgets a cancellation that comes together with
    the answer it waits for, and a driver that uses it takes its caller back into the loop it was to leave.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again_s)
    for task in tasks:
        if not task.cancelled():
            task.exception()
