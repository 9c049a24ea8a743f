"""Tasks end although a cancellation was lost on the way."""

import asyncio

from realtime.tasks import ended


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def losing_a_cancellation() -> None:
    try:
        await forever()
    except asyncio.CancelledError:
        await forever()


async def failing_at_the_end() -> None:
    try:
        await forever()
    finally:
        raise ValueError("not stored")


async def test_a_task_that_lost_a_cancellation_is_cancelled_again() -> None:
    stubborn, plain, failing = map(
        asyncio.create_task, (losing_a_cancellation(), forever(), failing_at_the_end())
    )
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await ended(stubborn, plain, failing, again_s=0.01)
    assert stubborn.cancelled()
    assert plain.cancelled()
    assert failing.done()
