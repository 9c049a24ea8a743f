"""What is proved to have arrived: only a pong to a ping sent after the event was written."""

from collections.abc import AsyncIterator

import pytest

from realtime.application import Reach
from realtime.testing import SocketClient
from tests.clocks import ManualClock
from tests.realtime.ward import Ward, eventually, running_ward


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def ward(clock: ManualClock) -> AsyncIterator[Ward]:
    async with running_ward(clock=clock, ping_interval_s=3600) as ward:
        yield ward


async def answer_a_ping(ward: Ward, client: SocketClient) -> None:
    (connection,) = (c for c in ward.hub.connections_of("li") if c.id == client.sid)
    before = client.pings
    connection.wire.ping()
    await client.until(lambda: client.pings == before + 1)
    await eventually(lambda: connection.wire.ping_sent_at is None)  # type: ignore[attr-defined]


async def test_nobody_here_is_away(ward: Ward, clock: ManualClock) -> None:
    assert ward.hub.reach("li", clock.now()) is Reach.AWAY


async def test_a_pong_to_a_ping_sent_after_the_event_is_the_proof(
    ward: Ward, clock: ManualClock
) -> None:
    client = await ward.connect("li")
    told_at = clock.now()
    ward.tell("person:li", 1)
    assert ward.hub.reach("li", told_at) is Reach.PENDING
    clock.advance(2)
    await answer_a_ping(ward, client)
    assert ward.hub.reach("li", told_at) is Reach.REACHED
    assert ward.hub.reach("li", clock.now()) is Reach.PENDING


async def test_a_pong_to_an_earlier_ping_proves_nothing(ward: Ward, clock: ManualClock) -> None:
    client = await ward.connect("li")
    client.answers_pings = False
    (connection,) = ward.hub.connections_of("li")
    connection.wire.ping()
    await client.until(lambda: client.pings == 1)
    clock.advance(2)
    told_at = clock.now()
    ward.tell("person:li", 1)
    clock.advance(2)
    await client.send("3")
    await eventually(lambda: connection.confirmed_at > 0)
    assert ward.hub.reach("li", told_at) is Reach.PENDING


async def test_a_clock_that_is_set_back_makes_no_proof_of_an_old_pong(
    ward: Ward, clock: ManualClock
) -> None:
    client = await ward.connect("li")
    clock.advance(3600)
    await answer_a_ping(ward, client)
    clock.advance(-3000)
    await answer_a_ping(ward, client)
    clock.advance(1)
    told_at = clock.now()
    ward.tell("person:li", 1)
    clock.advance(1)
    assert ward.hub.reach("li", told_at) is Reach.PENDING


async def test_a_pong_given_while_the_event_was_being_stored_proves_nothing(
    ward: Ward, clock: ManualClock
) -> None:
    client = await ward.connect("li")
    began = clock.now()
    clock.advance(5)
    await answer_a_ping(ward, client)
    clock.advance(5)
    ward.tell("person:li", 1, at=began)
    assert ward.hub.reach("li", began) is Reach.PENDING
    clock.advance(1)
    await answer_a_ping(ward, client)
    assert ward.hub.reach("li", began) is Reach.REACHED


async def test_who_caught_up_while_the_event_was_being_stored_does_not_hold_it(
    ward: Ward, clock: ManualClock
) -> None:
    began = clock.now()
    clock.advance(1)
    client = await ward.connect("li")
    (connection,) = ward.hub.connections_of("li")
    ward.hub.mark_caught_up(connection)
    clock.advance(5)
    await answer_a_ping(ward, client)
    clock.advance(5)
    ward.tell("person:li", 1, at=began)
    assert ward.hub.reach("li", began) is Reach.PENDING


async def test_asking_about_an_unproved_event_asks_the_device_for_a_sign_of_life(
    ward: Ward, clock: ManualClock
) -> None:
    client = await ward.connect("li")
    told_at = clock.now()
    ward.tell("person:li", 1)
    clock.advance(3)
    assert ward.hub.reach("li", told_at) is Reach.PENDING
    await client.until(lambda: client.pings == 1)
    await eventually(lambda: ward.hub.reach("li", told_at) is Reach.REACHED)


async def test_who_came_later_has_it_only_after_catching_up(ward: Ward, clock: ManualClock) -> None:
    told_at = clock.now()
    clock.advance(10)
    client = await ward.connect("li")
    clock.advance(2)
    await answer_a_ping(ward, client)
    assert ward.hub.reach("li", told_at) is Reach.PENDING
    (connection,) = ward.hub.connections_of("li")
    ward.hub.mark_caught_up(connection)
    clock.advance(2)
    assert ward.hub.reach("li", told_at) is Reach.PENDING
    await answer_a_ping(ward, client)
    assert ward.hub.reach("li", told_at) is Reach.REACHED


async def test_a_proof_is_lost_with_its_connection(ward: Ward, clock: ManualClock) -> None:
    client = await ward.connect("li")
    clock.advance(2)
    await client.close()
    await eventually(lambda: ward.hub.reach("li", clock.now()) is Reach.AWAY)


async def test_why_a_session_was_ended_is_told_once_and_for_some_minutes(
    ward: Ward, clock: ManualClock
) -> None:
    for session in ("phone", "desk"):
        client = await ward.connect(f"li/{session}")
        await client.send("abc")
        await client.ended()
    told = [ward.hub.farewells.take("phone") for _ in range(2)]
    clock.advance(3600)
    assert told == ["bad_frame", None]
    assert ward.hub.farewells.take("desk") is None
