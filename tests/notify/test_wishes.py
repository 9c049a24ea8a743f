"""What a person wishes about notices, as a table; and what the notifier makes of it."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server.integrations.wecom import Retry
from server.integrations.wecom.memory import MemoryWeCom
from server.notify.wishes import (
    QuietPeriod,
    Verdict,
    Wishes,
    chosen_roads,
    decide,
    quiet_until,
)
from server.outbox import Priority, deliveries
from server.storage import Put, Store
from server.storage.document import to_doc
from tests.clocks import ManualClock
from tests.notify.ward import Ward

ZONE = ZoneInfo("Asia/Shanghai")
EVERY_DAY = list(range(7))
WEEKEND = [5, 6]
NIGHT = QuietPeriod(days=EVERY_DAY, begins=22 * 60, ends=7 * 60)
LUNCH = QuietPeriod(days=[0, 1, 2, 3, 4], begins=12 * 60, ends=13 * 60 + 30)
WHOLE_WEEKEND = QuietPeriod(days=WEEKEND, begins=0, ends=0)


def at(text: str) -> int:
    """A moment in the hospital's time; 2026-01-05 is a Monday."""
    return round(datetime.fromisoformat(f"2026-01-{text}").replace(tzinfo=ZONE).timestamp() * 1000)


@pytest.mark.parametrize(
    ("periods", "now", "until"),
    [
        ([], "05 03:00", None),
        ([NIGHT], "05 12:00", None),
        ([NIGHT], "05 21:59", None),
        ([NIGHT], "05 22:00", "06 07:00"),
        ([NIGHT], "06 06:59", "06 07:00"),
        ([NIGHT], "06 07:00", None),
        ([LUNCH], "05 12:30", "05 13:30"),
        ([LUNCH], "10 12:30", None),
        ([WHOLE_WEEKEND], "09 23:59", None),
        ([WHOLE_WEEKEND], "10 00:00", "12 00:00"),
        ([NIGHT, WHOLE_WEEKEND], "09 23:00", "12 07:00"),
        ([QuietPeriod(days=[6], begins=22 * 60, ends=7 * 60)], "12 03:00", "12 07:00"),
        ([QuietPeriod(days=[6], begins=22 * 60, ends=7 * 60)], "11 03:00", None),
    ],
)
def test_quiet_hours_end_when_the_last_of_them_does(
    periods: list[QuietPeriod], now: str, until: str | None
) -> None:
    assert quiet_until(periods, at(now), ZONE) == (at(until) if until else None)


def test_quiet_that_never_ends_is_asked_again_within_days() -> None:
    always = QuietPeriod(days=EVERY_DAY, begins=0, ends=0)
    until = quiet_until([always], at("05 12:00"), ZONE)
    assert until is not None
    assert until > at("12 00:00")


SEND, APP, DIGEST = Verdict("send"), Verdict("app", "app"), Verdict("digest", "digest")


def quiet(until: str) -> Verdict:
    return Verdict("wait", "quiet", at(until))


def gathered(until: str) -> Verdict:
    return Verdict("wait", "digest", at(until))


@pytest.mark.parametrize(
    ("wishes", "kind", "priority", "created", "now", "verdict"),
    [
        ({}, "chat", Priority.CHAT, "05 03:00", "05 03:00", SEND),
        ({"quiet": [NIGHT]}, "chat", Priority.CHAT, "05 03:00", "05 03:00", quiet("05 07:00")),
        ({"quiet": [NIGHT]}, "todo", Priority.TODO, "05 03:00", "05 03:00", quiet("05 07:00")),
        ({"quiet": [NIGHT]}, "todo", Priority.URGENT, "05 03:00", "05 03:00", SEND),
        ({"quiet": [NIGHT]}, "chat", Priority.CHAT, "05 03:00", "05 07:00", SEND),
        ({"roads": {"chat": "app"}}, "chat", Priority.CHAT, "05 09:00", "05 09:00", APP),
        ({"roads": {"chat": "app"}}, "mail", Priority.CHAT, "05 09:00", "05 09:00", SEND),
        ({"roads": {"todo": "app"}}, "todo", Priority.URGENT, "05 09:00", "05 09:00", SEND),
        (
            {"roads": {"mail": "digest"}},
            "mail",
            Priority.CHAT,
            "05 09:00",
            "05 09:00",
            gathered("05 17:00"),
        ),
        ({"roads": {"mail": "digest"}}, "mail", Priority.CHAT, "05 09:00", "05 17:00", DIGEST),
        (
            {"roads": {"mail": "digest"}},
            "mail",
            Priority.CHAT,
            "05 17:00",
            "05 17:01",
            gathered("06 08:00"),
        ),
        (
            {"roads": {"mail": "digest"}, "digest_hours": [12]},
            "mail",
            Priority.CHAT,
            "05 09:00",
            "05 09:00",
            gathered("05 12:00"),
        ),
        (
            {"roads": {"mail": "digest"}, "digest_hours": [12], "quiet": [LUNCH]},
            "mail",
            Priority.CHAT,
            "05 09:00",
            "05 09:00",
            gathered("05 13:30"),
        ),
        (
            {"roads": {"mail": "digest"}, "quiet": [NIGHT]},
            "mail",
            Priority.CHAT,
            "05 09:00",
            "05 23:00",
            gathered("06 07:00"),
        ),
        ({"roads": {"mail": "digest"}}, "todo", Priority.URGENT, "05 09:00", "05 09:00", SEND),
    ],
)
def test_what_follows_from_wishes(
    wishes: dict[str, Any], kind: str, priority: Priority, created: str, now: str, verdict: Verdict
) -> None:
    made = Wishes(id="s0001", **wishes)
    found = decide(made, kind, priority, created_at=at(created), now=at(now), zone=ZONE)
    assert found == verdict


@pytest.mark.parametrize(
    ("wishes", "verdict"),
    [
        ({}, quiet("06 07:00")),
        ({"mentions": True}, SEND),
        ({"mentions": True, "roads": {"chat": "app"}}, APP),
        ({"mentions": True, "roads": {"chat": "digest"}}, gathered("06 08:00")),
    ],
)
def test_being_named_rings_in_quiet_hours_only_for_whoever_wishes_so(
    wishes: dict[str, Any], verdict: Verdict
) -> None:
    made = Wishes(id="s0001", quiet=[NIGHT], **wishes)
    night = at("05 23:00")
    found = decide(made, "chat", Priority.CHAT, named=True, created_at=night, now=night, zone=ZONE)
    assert found == verdict


def test_only_what_differs_and_is_known_is_kept() -> None:
    roads = {"chat": "wecom", "mail": "digest", "moon": "app"}
    assert chosen_roads(roads, ["chat", "mail"]) == {"mail": "digest"}


# What the notifier makes of it. The ward's clock starts at 16:00 in the hospital's time.


async def wish(store: Store, person_id: str = "s0001", **fields: Any) -> None:
    await store.apply(Put("notice_wishes", to_doc(Wishes(id=person_id, **fields)), None))


AFTERNOON = QuietPeriod(days=EVERY_DAY, begins=15 * 60, ends=16 * 60 + 5)


async def test_a_notice_waits_for_the_end_of_quiet_hours_and_says_so(
    ward: Ward, phones: MemoryWeCom, store: Store, clock: ManualClock
) -> None:
    begun = clock.now()
    await wish(store, quiet=[AFTERNOON])
    await ward.follow("news", "s0001", "s0002")
    await ward.change("news")

    await ward.pass_time(60)
    assert list(phones.phones) == ["s0002"]
    [waiting] = await ward.notices("s0001")
    assert (waiting.state, waiting.why, waiting.at) == ("queued", "quiet", begun + 300_000)
    assert waiting.path == "/b/news"
    await ward.pass_time(260)

    assert len(phones.phones["s0001"]) == 1
    [sent] = await ward.notices("s0001")
    assert (sent.state, sent.why) == ("sent", "")


async def test_what_is_urgent_rings_in_quiet_hours(
    ward: Ward, phones: MemoryWeCom, store: Store
) -> None:
    await wish(store, quiet=[AFTERNOON], roads={"board": "app"})
    await ward.follow("news", "s0001", priority=Priority.URGENT)
    await ward.change("news")

    await ward.pass_time(10)

    assert len(phones.phones["s0001"]) == 1


async def test_what_becomes_urgent_while_it_waits_goes_at_once(
    ward: Ward, phones: MemoryWeCom, store: Store
) -> None:
    await wish(store, quiet=[AFTERNOON])
    await ward.follow("news", "s0001")
    await ward.change("news")
    await ward.pass_time(20)

    await ward.store.apply(Put("followers", (await follower(ward)) | {"priority": 0}, None))
    await ward.change("news", due_in_s=0)
    await ward.pass_time(5)

    assert len(phones.phones["s0001"]) == 1


async def follower(ward: Ward) -> dict[str, Any]:
    doc = await ward.store.get("followers", "news:s0001")
    assert doc is not None
    return {name: value for name, value in doc.items() if name != "_v"}


async def test_what_was_read_in_quiet_hours_never_rings(
    ward: Ward, phones: MemoryWeCom, store: Store
) -> None:
    await wish(store, quiet=[AFTERNOON])
    await ward.follow("news", "s0001")
    await ward.change("news")
    await ward.pass_time(20)
    await ward.read("news", "s0001")

    await ward.pass_time(300)

    assert not phones.phones
    assert [(each.state, each.why) for each in await ward.notices()] == [("settled", "read")]


async def test_a_kind_wanted_in_the_app_only_settles_without_a_card(
    ward: Ward, phones: MemoryWeCom, store: Store
) -> None:
    await wish(store, roads={"board": "app"})
    await ward.follow("news", "s0001")
    await ward.change("news")

    await ward.pass_time(30)

    assert not phones.phones
    assert [(each.state, each.why) for each in await ward.notices()] == [("settled", "app")]
    assert not await ward.owed()


async def test_who_muted_a_place_finds_that_in_the_ledger_once(
    ward: Ward, phones: MemoryWeCom
) -> None:
    await ward.follow("news", "s0001", muted=True)
    for _ in range(5):
        await ward.change("news", due_in_s=0)
        await ward.pass_time(3)

    assert not phones.phones
    assert [(each.state, each.why) for each in await ward.notices()] == [("settled", "muted")]


def urls(phones: MemoryWeCom, person: str = "s0001") -> list[str]:
    return [
        json.loads(request)["textcard"]["url"].partition("?")[0]
        for request in phones.phones.get(person, [])
    ]


BOARDS = ("one", "two", "three")


async def digested(ward: Ward, store: Store) -> None:
    """Three boards change for somebody who wants them gathered at five."""
    await wish(store, roads={"board": "digest"}, digest_hours=[17])
    for board in BOARDS:
        await ward.follow(board, "s0001")
        await ward.change(board)
    await ward.pass_time(60, each_s=10)


async def test_a_digest_is_one_card_at_its_hour_and_settles_all_it_names(
    ward: Ward, phones: MemoryWeCom, store: Store
) -> None:
    await digested(ward, store)
    assert not phones.phones
    assert {each.why for each in await ward.notices()} == {"digest"}
    await ward.pass_time(3_540, each_s=60)
    await ward.pass_time(30, each_s=2)

    assert urls(phones) == ["https://yuanxin.example/me/notices"]
    [card] = (json.loads(request)["textcard"] for request in phones.phones["s0001"])
    assert "3" in card["title"]
    notices = await ward.notices()
    assert {each.state for each in notices} == {"sent"}
    assert sorted(each.why for each in notices) == ["digest", "merged", "merged"]
    assert not await ward.owed()
    for board in BOARDS:
        assert [each.state for each in await deliveries(store, "board", board, 1)] == ["sent"]


async def test_a_digest_of_one_is_its_own_card_and_what_was_read_is_not_in_it(
    ward: Ward, phones: MemoryWeCom, store: Store
) -> None:
    await digested(ward, store)
    await ward.read("one", "s0001")
    await ward.read("three", "s0001")

    await ward.pass_time(3_540, each_s=60)
    await ward.pass_time(30, each_s=2)

    assert urls(phones) == ["https://yuanxin.example/b/two"]


async def test_a_digest_survives_a_crash_and_an_outage(
    ward: Ward, phones: MemoryWeCom, store: Store
) -> None:
    await digested(ward, store)
    phones.failures += [Retry("lost"), Retry("lost")]
    await ward.pass_time(3_540, each_s=60)
    ward.started()
    await ward.pass_time(300, each_s=10)

    assert urls(phones) == ["https://yuanxin.example/me/notices"]
    assert {each.state for each in await ward.notices()} == {"sent"}


async def test_a_digest_that_is_refused_is_refused_for_all_in_it(
    ward: Ward, phones: MemoryWeCom, store: Store
) -> None:
    await digested(ward, store)
    phones.unknown.add("s0001")

    await ward.pass_time(3_540, each_s=60)
    await ward.pass_time(30, each_s=2)

    assert [each.state for each in await ward.notices()] == ["refused"] * 3
    assert {each.reason for each in await ward.notices()} == {"unreachable"}
