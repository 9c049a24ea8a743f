"""Whatever is asked, WeCom's limits of groups are never reached in any window that slides over ours."""

from server.features.chat.mirror.quota import Quota
from tests.clocks import ManualClock

GROUP = ("ann", "bob")


def used(quota: Quota, clock: ManualClock, kind: str, users: tuple[str, ...]) -> int:
    """How many calls go through until one has to wait."""
    count = 0
    while not quota.wait_s(kind, users):  # type: ignore[arg-type]
        quota.take(kind, users)  # type: ignore[arg-type]
        count += 1
    return count


def test_one_member_is_told_less_than_wecom_shows_in_a_minute() -> None:
    clock = ManualClock()
    quota = Quota(clock)
    first = used(quota, clock, "send", GROUP)
    assert 0 < quota.wait_s("send", GROUP) <= 60
    assert quota.wait_s("send", ("bob", "cai"))  # another group of the same member waits too
    assert not quota.wait_s("send", ("cai", "dan"))
    clock.advance(60)
    assert first + used(quota, clock, "send", GROUP) <= 2 * 200 // 3


def test_one_member_is_told_less_than_wecom_shows_in_a_day() -> None:
    clock = ManualClock()
    quota = Quota(clock)
    told = 0
    for _ in range(24 * 60):
        told += used(quota, clock, "send", GROUP)
        clock.advance(60)
    assert 3_000 < told <= 2 * 10_000 // 3


def test_large_groups_stay_within_the_person_times_of_a_minute() -> None:
    clock = ManualClock()
    quota = Quota(clock)
    told = 0
    for number in range(40):
        crowd = tuple(f"{number}-{one}" for one in range(2_000))
        if not quota.wait_s("send", crowd):
            quota.take("send", crowd)
            told += len(crowd)
    assert 6_000 <= told <= 20_000 // 3


def test_groups_are_made_and_changed_within_the_day_and_the_hour() -> None:
    clock = ManualClock()
    quota = Quota(clock)
    assert used(quota, clock, "create", ()) <= 1_000 // 3
    assert used(quota, clock, "update", ()) <= 1_000 // 3
    assert quota.wait_s("update", ()) <= 3_600
    clock.advance(3_600)
    assert not quota.wait_s("update", ())
    assert quota.wait_s("create", ())


def test_a_new_lead_begins_with_empty_windows() -> None:
    clock = ManualClock()
    quota = Quota(clock)
    used(quota, clock, "create", ())
    quota.forget()
    assert not quota.wait_s("create", ())
