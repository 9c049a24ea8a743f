"""What reaches a phone, and what the ledger says of it, against the stand-in for WeCom."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.integrations.wecom import UNREACHABLE, Retry, Sent
from server.integrations.wecom.client import WeComClient
from server.integrations.wecom.memory import MemoryWeCom
from server.outbox import deliveries
from server.storage import Store
from tests.clocks import ManualClock
from tests.notify.ward import Ward
from tests.sandbox.running import RunningSandbox, running_sandbox


@pytest.fixture
async def sandbox(tmp_path: Path, clock: ManualClock) -> AsyncIterator[RunningSandbox]:
    async with running_sandbox(tmp_path, clock) as sandbox:
        yield sandbox


@pytest.fixture
async def ward(store: Store, sandbox: RunningSandbox, clock: ManualClock) -> Ward:
    config = sandbox.config(total_timeout_s=0.3)
    return await Ward.opened(store, WeComClient(config, sandbox.http, clock), clock)


async def test_the_card_carries_the_notice_and_opens_the_place(
    ward: Ward, sandbox: RunningSandbox
) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")

    await ward.pass_time(10)

    (card,) = await sandbox.inbox("s0001")
    (notice,) = await ward.notices()
    assert card["notice_id"] == notice.id
    assert card["url"] == f"https://yuanxin.example/b/news?n={notice.id}"
    assert (notice.state, notice.msgid) == ("sent", card["msgid"])
    assert ward.metric("notices_ended_total", state="sent") == 1


async def test_the_refused_are_in_the_ledger_with_the_reason_and_hold_up_nobody(
    ward: Ward, sandbox: RunningSandbox
) -> None:
    await ward.follow("news", "s0001", "s0005", "s0004", "nobody")
    place = await ward.change("news")

    await ward.pass_time(12)

    told = {each.person_id: each for each in await deliveries(ward.store, "board", "news", place)}
    assert {person: each.state for person, each in told.items()} == {
        "s0001": "sent",
        "s0004": "refused",
        "s0005": "refused",
        "nobody": "refused",
    }
    assert told["s0005"].reason == UNREACHABLE
    assert not await ward.owed()


@pytest.mark.parametrize("mode", ["down", "busy", "html", "reset", "lost_answer", "slow"])
async def test_an_outage_loses_nothing_and_rings_once(
    ward: Ward, sandbox: RunningSandbox, mode: str
) -> None:
    people = ["s0001", "s0002", "s0003"]
    await ward.follow("news", *people)
    await ward.change("news")
    await sandbox.fault(mode, for_s=30)

    await ward.pass_time(35)
    await ward.pass_time(25)

    assert [len(await sandbox.inbox(person)) for person in people] == [1, 1, 1]
    assert {notice.state for notice in await ward.notices()} == {"sent"}
    assert not await ward.owed()


async def test_an_outage_is_not_hammered(ward: Ward, sandbox: RunningSandbox) -> None:
    people = [f"x{number}" for number in range(30)]
    await ward.follow("news", *people)
    await ward.change("news")
    await sandbox.fault("busy", for_s=3_000)

    await ward.pass_time(310)

    calls = (await sandbox.counts())["calls"]["message/send"]
    assert calls <= 30 + 310 / 10
    assert ward.metric("notices_held") == 1


async def test_too_many_calls_pause_everything_until_wecom_is_ready(
    ward: Ward, sandbox: RunningSandbox
) -> None:
    await ward.follow("news", "s0001", "s0002")
    await ward.change("news")
    await sandbox.fault("rate_limited", for_s=30)

    await ward.pass_time(50)
    calls = (await sandbox.counts())["calls"]["message/send"]
    await ward.pass_time(40)

    assert calls <= 2
    assert len(await sandbox.inbox("s0001")) == len(await sandbox.inbox("s0002")) == 1


async def test_a_wrong_configuration_rings_the_alarm_and_keeps_everything(
    ward: Ward, sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    await ward.follow("news", "s0001", "s0002")
    await ward.change("news")
    await sandbox.fault("untrusted_ip", for_s=590)

    await ward.pass_time(580)
    assert ward.metric("notices_misconfigured") == 1
    assert not [notice for notice in await ward.notices() if notice.state != "sending"]
    assert len([line for line in caplog.messages if "refuses to send" in line]) <= 11
    await ward.pass_time(120)

    assert len(await sandbox.inbox("s0001")) == len(await sandbox.inbox("s0002")) == 1
    assert ward.metric("notices_misconfigured") == 0


async def test_one_person_gets_no_more_than_wecom_delivers(
    ward: Ward, sandbox: RunningSandbox
) -> None:
    for number in range(70):
        await ward.follow(f"board{number}", "s0001")
        await ward.change(f"board{number}")
    await ward.follow("news", "s0002")
    await ward.change("news")

    await ward.pass_time(15)
    assert len(await sandbox.inbox("s0001")) == 29
    assert len(await sandbox.inbox("s0002")) == 1
    await ward.pass_time(150)

    assert len(await sandbox.inbox("s0001")) == 70
    assert not (await sandbox.counts())["dropped"]
    assert ward.metric("notices_throttled_total") > 0


async def test_a_restart_forgets_no_limit(ward: Ward, sandbox: RunningSandbox) -> None:
    for number in range(40):
        await ward.follow(f"board{number}", "s0001")
        await ward.change(f"board{number}")
    await ward.pass_time(12)

    ward.started()
    await ward.pass_time(20)

    assert len(await sandbox.inbox("s0001")) == 29


async def test_reading_while_wecom_is_down_withdraws_the_notice(
    ward: Ward, sandbox: RunningSandbox
) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")
    await sandbox.fault("down", for_s=30)
    await ward.pass_time(20)

    await ward.read("news", "s0001")
    await ward.pass_time(60)

    assert not await sandbox.inbox("s0001")
    assert [notice.state for notice in await ward.notices()] == ["settled"]


class Waiting:
    """A WeCom that answers when the test lets it."""

    def __init__(self) -> None:
        self.phones = MemoryWeCom()
        self.open = asyncio.Event()

    async def send(self, request: bytes) -> Sent:
        await self.open.wait()
        return await self.phones.send(request)


async def test_a_change_during_a_call_belongs_to_the_next_notice(
    store: Store, clock: ManualClock
) -> None:
    wecom = Waiting()
    ward = await Ward.opened(store, wecom, clock)
    await ward.follow("news", "s0001")
    await ward.change("news")
    clock.advance(9)
    await ward.notifier.look_step()
    await ward.notifier.send_step()
    while not [notice for notice in await ward.notices() if notice.state == "sending"]:
        await asyncio.sleep(0)

    await ward.change("news")
    for _ in range(20):
        clock.advance(1)
        await ward.notifier.look_step()
        await ward.notifier.send_step()
    states = sorted((notice.after, notice.upto, notice.state) for notice in await ward.notices())
    assert states == [(0, 1, "sending"), (1, 2, "queued")]
    wecom.open.set()
    await ward.notifier.quiet()
    await ward.pass_time(70)

    assert len(wecom.phones.phones["s0001"]) == 2
    assert [(each.after, each.upto) for each in await ward.notices()] == [(0, 1), (1, 2)]


async def test_a_notice_that_never_gets_through_is_a_dead_letter(
    store: Store, clock: ManualClock
) -> None:
    class OneFails(MemoryWeCom):
        async def send(self, request: bytes) -> Sent:
            if b"s0666" in request:
                raise RuntimeError("this one breaks the client")
            return await super().send(request)

    wecom = OneFails()
    ward = await Ward.opened(store, wecom, clock)
    await ward.follow("news", "s0666")
    place = await ward.change("news")
    for number in range(24):
        await ward.follow(f"board{number}", "s0001")
        await ward.change(f"board{number}")
        await ward.pass_time(60, each_s=4)

    told = await deliveries(store, "board", "news", place)
    assert [(each.person_id, each.state, each.reason) for each in told] == [
        ("s0666", "dead", "RuntimeError")
    ]
    assert len(wecom.phones["s0001"]) == 24


async def test_a_clock_set_back_holds_nothing_up(ward: Ward, sandbox: RunningSandbox) -> None:
    await ward.follow("news", "s0001")
    await ward.follow("duty", "s0002")
    await ward.change("news")
    await ward.pass_time(7)
    await ward.change("duty")
    ward.clock.advance(2)
    await ward.notifier.look_step()

    ward.clock._now_ms -= 3_600_000
    await ward.pass_time(20)

    assert len(await sandbox.inbox("s0001")) == len(await sandbox.inbox("s0002")) == 1


async def test_what_may_have_arrived_goes_again_unchanged(
    ward: Ward, sandbox: RunningSandbox
) -> None:
    await ward.follow("token", "s0002")
    await ward.change("token")
    await ward.pass_time(10)
    await ward.follow("news", "s0001")
    await ward.change("news")
    await sandbox.fault("lost_answer", for_s=15)
    await ward.pass_time(10)
    assert len(await sandbox.inbox("s0001")) == 1

    await ward.change("news")
    ward.started()
    await ward.pass_time(30)
    assert len(await sandbox.inbox("s0001")) == 1
    await ward.pass_time(60)

    assert ["1 条" in card["description"] for card in await sandbox.inbox("s0001")] == [True, True]
    told = [(each.after, each.upto) for each in await ward.notices("s0001")]
    assert told == [(0, 1), (1, 2)]


async def test_what_wecom_turned_away_is_said_anew(ward: Ward, sandbox: RunningSandbox) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")
    await sandbox.fault("busy", for_s=40)
    await ward.pass_time(20)
    assert (await sandbox.counts())["calls"]["message/send"]

    place = await ward.change("news")
    await ward.pass_time(10)
    [told] = await deliveries(ward.store, "board", "news", place)
    assert told.state == "queued"
    await ward.pass_time(120)

    [card] = await sandbox.inbox("s0001")
    assert "2 条" in card["description"]
    assert [(each.after, each.upto) for each in await ward.notices()] == [(0, 2)]
    assert not await ward.owed()


async def test_what_was_turned_away_after_an_answer_was_lost_stays_as_it_is(
    store: Store, phones: MemoryWeCom, clock: ManualClock
) -> None:
    ward = await Ward.opened(store, phones, clock)
    await ward.follow("news", "s0001")
    await ward.change("news")
    phones.failures += [Retry("lost"), Retry("busy", -1), Retry("busy", -1)]
    await ward.pass_time(10)
    await ward.change("news")
    await ward.pass_time(120)

    first, *again = phones.calls
    assert again[:3] == [first] * 3
    assert len(phones.phones["s0001"]) == 2


async def test_what_was_read_does_not_go_again_because_there_is_more(
    store: Store, phones: MemoryWeCom, clock: ManualClock
) -> None:
    ward = await Ward.opened(store, phones, clock)
    await ward.follow("news", "s0001")
    await ward.change("news")
    phones.failures += [Retry("lost"), Retry("lost")]
    await ward.pass_time(10)
    assert phones.calls

    await ward.read("news", "s0001")
    await ward.change("news")
    await ward.pass_time(80)

    states = [(each.after, each.upto, each.state) for each in await ward.notices()]
    assert states == [(0, 1, "settled"), (1, 2, "sent")]
    assert len(phones.phones["s0001"]) == 1


async def test_after_a_long_outage_everybody_is_told_soon(
    ward: Ward, sandbox: RunningSandbox
) -> None:
    people = ["s0001", "s0002", "s0003"]
    await ward.follow("news", *people)
    await ward.change("news")
    await sandbox.fault("busy", for_s=3_000)
    await ward.pass_time(600, each_s=2)

    await sandbox.fault("off")
    await ward.pass_time(40)

    assert [len(await sandbox.inbox(person)) for person in people] == [1, 1, 1]


async def test_an_operator_sees_what_waits_and_for_how_long(
    ward: Ward, sandbox: RunningSandbox
) -> None:
    await ward.follow("news", "s0001", "s0002")
    await ward.change("news")
    await sandbox.fault("down", for_s=60)

    await ward.pass_time(50)
    assert ward.metric("notices_waiting") == 2
    assert 35 <= ward.metric("notices_oldest_seconds") <= 45
    await ward.pass_time(60)

    assert ward.metric("notices_waiting") == ward.metric("notices_oldest_seconds") == 0
    assert ward.metric("notices_ended_total", state="sent") == 2


async def test_the_ledger_keeps_no_text(ward: Ward, sandbox: RunningSandbox) -> None:
    await ward.follow("news", "s0001")
    await ward.change("news")

    await ward.pass_time(10)

    (notice,) = await ward.notices()
    assert (notice.state, notice.request) == ("sent", None)
