"""Who is owed a notice, and when: presence delays, reading and a proof settle."""

import asyncio
import json

from realtime.application import Reach
from server.integrations.wecom.memory import MemoryWeCom
from server.notify import Priority
from server.notify.looking import IN_HAND
from server.storage import Patch, Put, Store
from tests.clocks import ManualClock
from tests.notify.ward import Ward


async def test_somebody_away_is_told_within_twenty_seconds(ward: Ward, phones: MemoryWeCom) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")

    await ward.pass_time(7)
    assert not phones.calls
    await ward.pass_time(3)

    (request,) = phones.phones["s0001"]
    assert json.loads(request)["textcard"]["url"].startswith("https://yuanxin.example/b/news?n=")
    assert not await ward.owed()


async def test_a_busy_board_does_not_put_its_notices_off(ward: Ward, phones: MemoryWeCom) -> None:
    await ward.follow("news", "s0001")

    for _ in range(12):
        await ward.change("news")
        await ward.pass_time(1)

    assert len(phones.phones["s0001"]) == 1


async def test_somebody_reading_is_never_told(ward: Ward, phones: MemoryWeCom) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")
    await ward.read("news", "s0001")

    await ward.pass_time(30)

    assert not phones.calls
    assert not await ward.owed()


async def test_a_connection_that_took_the_news_settles_it(ward: Ward, phones: MemoryWeCom) -> None:
    await ward.follow("news", "s0001")
    ward.presence.reaches["s0001"] = Reach.PENDING
    await ward.change("news")
    await ward.pass_time(15)
    assert await ward.owed()

    ward.presence.reaches["s0001"] = Reach.REACHED
    await ward.pass_time(12)
    ward.presence.reaches.clear()
    await ward.pass_time(60)

    assert not phones.calls
    assert not await ward.owed()


async def test_a_pending_connection_only_delays(ward: Ward, phones: MemoryWeCom) -> None:
    await ward.follow("news", "s0001")
    ward.presence.reaches["s0001"] = Reach.PENDING
    await ward.change("news")
    await ward.pass_time(30)
    assert not phones.calls

    ward.presence.reaches.clear()
    ward.notifier.wake("s0001")
    await ward.pass_time(4)

    assert len(phones.phones["s0001"]) == 1


async def test_a_lost_wake_is_made_up_for(ward: Ward, phones: MemoryWeCom) -> None:
    await ward.follow("news", "s0001")
    ward.presence.reaches["s0001"] = Reach.PENDING
    await ward.change("news")
    await ward.pass_time(30)

    ward.presence.reaches.clear()
    await ward.pass_time(11)

    assert len(phones.phones["s0001"]) == 1


async def test_coming_back_before_the_call_settles_without_one(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")
    ward.clock.advance(9)
    await ward.notifier.look_step()
    ward.presence.reaches["s0001"] = Reach.REACHED

    await ward.pass_time(5)

    assert not phones.calls
    assert [notice.state for notice in await ward.notices()] == ["settled"]
    assert not await ward.owed()


async def test_somebody_removed_meanwhile_is_not_told(ward: Ward, phones: MemoryWeCom) -> None:
    await ward.follow("news", "s0001", "s0002")
    await ward.change("news")
    ward.clock.advance(9)
    await ward.notifier.look_step()
    await ward.unfollow("news", "s0001")

    await ward.pass_time(5)

    assert set(phones.phones) == {"s0002"}
    assert [notice.state for notice in await ward.notices("s0001")] == ["settled"]
    assert not await ward.owed()


async def test_a_muted_person_is_settled_in_silence(ward: Ward, phones: MemoryWeCom) -> None:
    await ward.follow("news", "s0001", muted=True)
    await ward.change("news")

    await ward.pass_time(20)

    assert not phones.calls
    assert not await ward.owed()


async def test_more_changes_are_merged_into_one_notice_a_minute(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")
    await ward.pass_time(10)

    for _ in range(5):
        await ward.change("news")
        await ward.pass_time(8)
    assert len(phones.phones["s0001"]) == 1
    await ward.pass_time(30)

    first, second = phones.phones["s0001"]
    assert "1 条" in first.decode()
    assert "5 条" in second.decode()
    assert not await ward.owed()


async def test_one_row_serves_a_group_of_any_size(ward: Ward, phones: MemoryWeCom) -> None:
    people = [f"p{number}" for number in range(60)]
    await ward.follow("news", *people)
    await ward.change("news")
    assert len(await ward.owed()) == 1

    await ward.pass_time(15)

    assert {person: len(cards) for person, cards in phones.phones.items()} == dict.fromkeys(
        people, 1
    )
    assert not await ward.owed()


async def test_without_wecom_it_stays_owed_and_is_rarely_looked_at(
    store: Store, clock: ManualClock
) -> None:
    ward = await Ward.opened(store, None, clock)
    await ward.follow("news", "s0001", "s0002")
    ward.presence.reaches["s0002"] = Reach.REACHED
    await ward.change("news")

    await ward.pass_time(120)

    assert len(await ward.owed()) == 1
    assert not await ward.notices()
    assert ward.metric("notices_looks_total") <= 3
    assert ward.metric("notices_configured") == 0


async def test_a_board_that_cannot_be_read_holds_up_no_other(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", "s0001")
    await ward.follow("broken", "s0001")
    await ward.change("news")
    await ward.change("broken")
    await ward.store.apply(Put("boards", {"_id": "broken", "changes": "?"}, None))

    await ward.pass_time(15)

    assert len(phones.phones["s0001"]) == 1
    assert [row["subject"] for row in await ward.owed()] == ["broken"]


async def test_urgent_goes_before_everything_else(ward: Ward, phones: MemoryWeCom) -> None:
    ward.started(notice_calls_per_second=1)
    for board, priority in (("chat", 2), ("todo", 1), ("urgent", 0)):
        await ward.follow(board, f"to-{board}", priority=Priority(priority))
        await ward.change(board)

    await ward.pass_time(15)

    assert list(phones.phones) == ["to-urgent", "to-todo", "to-chat"]


async def test_whoever_takes_the_lead_looks_at_what_was_in_hand(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", "s0001")
    await ward.pass_time(1)
    await ward.change("news")
    await ward.store.apply(Patch("owed", "board:news", {"due_at": IN_HAND}))
    ward.clock.advance(10)

    leading = asyncio.create_task(ward.notifier.run())
    async with asyncio.timeout(10):
        while not phones.phones:
            await asyncio.sleep(0.01)
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)

    assert list(phones.phones) == ["s0001"]


async def test_what_one_who_led_before_took_in_hand_is_found(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", "s0001")
    await ward.pass_time(1)
    await ward.change("news")
    await ward.store.apply(Patch("owed", "board:news", {"due_at": IN_HAND}))

    await ward.pass_time(70)

    assert list(phones.phones) == ["s0001"]
