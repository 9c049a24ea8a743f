"""No window of WeCom's ever holds more calls for one person than it delivers."""

from server.notify.throttle import PERSON_LIMITS, URGENT_LIMITS, Throttle
from server.outbox import Priority
from server.storage import Store
from tests.clocks import ManualClock
from tests.notify.ward import Ward


async def full(throttle: Throttle, priority: Priority = Priority.CHAT) -> int:
    """Call until a wait is asked for; how many calls that were."""
    made = 0
    while not await throttle.wait_ms("s0001", priority):
        throttle.begin("s0001")
        throttle.end("s0001", called=True)
        made += 1
    return made


async def test_a_call_counts_from_its_answer_and_while_it_is_under_way(
    ward: Ward, store: Store, clock: ManualClock
) -> None:
    throttle = Throttle(store, clock)
    most = PERSON_LIMITS[0][0]
    for _ in range(most):
        await throttle.wait_ms("s0001", Priority.CHAT)
        throttle.begin("s0001")
    clock.advance(30)
    assert await throttle.wait_ms("s0001", Priority.CHAT) > 0

    for _ in range(most):
        throttle.end("s0001", called=True)
    clock.advance(59)
    assert await throttle.wait_ms("s0001", Priority.CHAT) == 1_000
    clock.advance(1)
    assert await throttle.wait_ms("s0001", Priority.CHAT) == 0


async def test_the_last_place_of_a_minute_is_for_what_is_urgent(
    ward: Ward, store: Store, clock: ManualClock
) -> None:
    throttle = Throttle(store, clock)

    assert await full(throttle) == PERSON_LIMITS[0][0]
    assert await full(throttle, Priority.URGENT) == URGENT_LIMITS[0][0] - PERSON_LIMITS[0][0]
    assert throttle.waiting() == 1


async def test_an_hour_has_its_limit_too(ward: Ward, store: Store, clock: ManualClock) -> None:
    throttle, made = Throttle(store, clock), 0
    for _ in range(59):
        made += await full(throttle)
        clock.advance(60)
    assert made == PERSON_LIMITS[1][0]

    clock.advance(60)
    assert await throttle.wait_ms("s0001", Priority.CHAT) == 0


async def test_what_was_not_called_after_all_does_not_count(
    ward: Ward, store: Store, clock: ManualClock
) -> None:
    throttle = Throttle(store, clock)
    await throttle.wait_ms("s0001", Priority.CHAT)
    throttle.begin("s0001")
    throttle.end("s0001", called=False)

    assert await full(throttle) == PERSON_LIMITS[0][0]
